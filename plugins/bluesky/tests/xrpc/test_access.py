"""Sessions over a real socket: one login, tokens that are kept and renewed by one alone."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postkit.accounts.vault import Vault
from postkit.emulator.server import EmulatorServer
from postkit.errors import (
    NeedsLogin,
    Throttled,
)
from postkit.network import Account, Outgoing, RenderedPart

from .desk import (
    DID,
    NOW,
    Desk,
    count,
    emulator,
    new_desk,
)

# Whose it is


def test_connect_sends_nothing_and_identify_says_who_we_are(
    desk: Desk, server: EmulatorServer
) -> None:
    assert server.requests() == []
    identity = desk.connection.ask(lambda: desk.network.identify(desk.client))
    assert (identity.id, identity.name) == (DID, "@emulated.test")
    assert identity.url == f"{desk.account.endpoint}/profile/emulated.test"
    assert identity.facts == {"handle": "emulated.test"}


def test_ten_posts_and_another_process_take_one_login(
    desk: Desk, server: EmulatorServer, tmp_path: Path
) -> None:
    for number in range(10):
        desk.post(f"Number {number}")
    other = Desk(Vault(tmp_path / "vault", bytes(32)), desk.account)
    other.post("Another process")
    assert count(server, "com.atproto.server.createSession") == 1
    assert count(server, "com.atproto.server.refreshSession") == 0


def test_an_expired_token_is_refused_then_renewed_and_both_tokens_are_stored(
    desk: Desk, server: EmulatorServer
) -> None:
    desk.post("Before")
    before = desk.vault.get("a_1")
    outgoing = desk.outgoing(RenderedPart("After"))
    emulator(server).expire_tokens()
    with pytest.raises(NeedsLogin) as refused:
        desk.send(outgoing)
    assert (refused.value.status, refused.value.code) == (400, "ExpiredToken")
    desk.connection.renew()
    desk.send(outgoing)
    after = desk.vault.get("a_1")
    assert after["access_jwt"] != before["access_jwt"]
    assert after["refresh_jwt"] != before["refresh_jwt"]
    assert (after["handle"], after["app_password"]) == (before["handle"], before["app_password"])
    assert [post.text for post in server.posts()] == ["Before", "After"]
    assert count(server, "com.atproto.server.refreshSession") == 1
    assert count(server, "com.atproto.server.createSession") == 1


def test_a_dead_refresh_token_leads_to_one_login(desk: Desk, server: EmulatorServer) -> None:
    desk.post("Before")
    emulator(server).expire_tokens()
    emulator(server).tokens.expire("refresh")
    desk.post("After")
    assert count(server, "com.atproto.server.refreshSession") == 1
    assert count(server, "com.atproto.server.createSession") == 2


def test_eight_clients_with_one_expired_token_renew_it_once(
    desk: Desk, server: EmulatorServer, tmp_path: Path
) -> None:
    desk.post("Before")
    emulator(server).expire_tokens()
    desks = [Desk(Vault(tmp_path / "vault", bytes(32)), desk.account) for _ in range(8)]
    problems: list[Exception] = []

    def work(one: Desk) -> None:
        try:
            one.post("At once")
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            problems.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(server.posts()) == 9
    assert count(server, "com.atproto.server.refreshSession") == 1


def test_a_token_that_ends_soon_is_renewed_before_the_work(
    desk: Desk, server: EmulatorServer
) -> None:
    desk.post("Before")
    # {"exp": 1} as the middle part of a token.
    desk.secrets.rotate(access_jwt="e30.eyJleHAiOiAxfQ.soon")
    desk.post("After")
    assert count(server, "com.atproto.server.refreshSession") == 1
    assert all(e.status == 200 for e in server.requests())


def test_a_token_of_somebody_else_that_has_ended_is_renewed(
    desk: Desk, server: EmulatorServer
) -> None:
    desk.post("Before")
    # Another process renewed it, long ago: {"exp": 1} as the middle part of its token.
    fields = desk.vault.get("a_1")
    desk.vault.put("a_1", {**fields, "access_jwt": "e30.eyJleHAiOiAxfQ.theirs"})
    desk.client.access.renew()
    assert count(server, "com.atproto.server.refreshSession") == 1
    desk.post("After")
    assert all(e.status == 200 for e in server.requests())


def test_publish_never_logs_in_by_itself(desk: Desk, server: EmulatorServer) -> None:
    prepared = {"author": {"did": DID, "handle": "emulated.test"}, "facets": []}
    outgoing = Outgoing(RenderedPart("x"), prepared, "3lbm2222222aa", NOW)
    with pytest.raises(NeedsLogin):
        desk.send(outgoing)
    assert server.requests() == []
    desk.connection.renew()
    assert desk.send(outgoing).id.endswith("/3lbm2222222aa")


def test_a_wrong_password_is_tried_once(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server, credentials={"app_password": "pk_canary_wrong"})
    with pytest.raises(NeedsLogin, match="Invalid identifier or password") as error:
        desk.connection.ask(lambda: desk.network.identify(desk.client))
    assert error.value.code == "AuthenticationRequired"
    assert count(server, "com.atproto.server.createSession") == 1


def test_the_handle_may_be_given_with_its_sign(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server, credentials={"handle": "@emulated.test"})
    assert desk.post("Hello").url is not None


def test_logins_that_are_too_many_are_throttled(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server)
    for _ in range(30):
        desk.secrets.rotate(access_jwt="", refresh_jwt="")
        desk.vault.put("a_1", dict(server.accounts()[0].credentials))
        desk.connection.ask(lambda: Desk(desk.vault, desk.account).client.access.renew())
    desk.vault.put("a_1", dict(server.accounts()[0].credentials))
    late = Desk(desk.vault, desk.account)
    with pytest.raises(Throttled) as error:
        late.connection.ask(lambda: late.network.identify(late.client))
    assert error.value.retry_at is not None
    assert error.value.retry_at > datetime.now(UTC)


def test_another_account_under_the_same_name_is_noticed(
    tmp_path: Path, server: EmulatorServer
) -> None:
    from postkit.network import Identity

    desk = new_desk(tmp_path, server)
    other = Account(
        "a_1", "bluesky", "it", desk.account.endpoint, identity=Identity("did:plc:other", "@x")
    )
    with pytest.raises(NeedsLogin, match="another account"):
        Desk(desk.vault, other).post("x")
    assert server.posts() == []

"""OAuth 2 tokens: renewed once, by one, and stored before they are used."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from postkit_x.emulator import XEmulator
from starlette.requests import Request
from starlette.responses import Response

from postkit.accounts.vault import Vault
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.errors import NeedsLogin, Unavailable
from postkit.network import CanDelete, CanList, CanRefresh, RenderedPart

if TYPE_CHECKING:
    from conftest import Bench

TOKEN = "/2/oauth2/token"


def me(connection: Connection) -> str:
    identity = connection.ask(lambda: connection.network.identify(connection.client))
    return identity.name


def test_what_the_plugin_can(bench: Bench) -> None:
    for kind in (CanRefresh, CanDelete, CanList):
        assert isinstance(bench.network, kind)


@pytest.mark.parametrize("confidential", [True, False])
def test_an_ended_token_is_renewed(bench: Bench, confidential: bool) -> None:
    emulator = bench.emulator
    given = emulator.credentials() if confidential else emulator.public_client_credentials()
    connection = bench.connect(given)
    emulator.expire_tokens()
    assert me(connection) == "@emulated"
    kept = bench.vault.get("a_1")
    assert kept["access_token"] != given["access_token"]
    assert kept["refresh_token"] != given["refresh_token"]
    assert abs(int(kept["expires_at"]) - time.time() - 7200) < 10
    emulator.expire_tokens()
    assert me(connection) == "@emulated"
    assert bench.asked("POST", TOKEN) == 2


def test_the_token_of_somebody_else_is_taken_over(bench: Bench) -> None:
    one = bench.connect()
    other = bench.again(one.account)
    bench.emulator.expire_tokens()
    assert me(one) == me(other) == "@emulated"
    assert bench.asked("POST", TOKEN) == 1


def test_a_token_of_somebody_else_that_ended_is_renewed_again(bench: Bench) -> None:
    one = bench.connect()
    other = bench.again(one.account)
    bench.emulator.expire_tokens()
    me(one)
    bench.emulator.expire_tokens()
    bench.vault.put("a_1", {**bench.vault.get("a_1"), "expires_at": str(int(time.time()) - 1)})
    assert me(other) == "@emulated"
    assert bench.asked("POST", TOKEN) == 2


def test_renewing_early_leaves_every_client_at_work(bench: Bench) -> None:
    one = bench.connect()
    assert me(one) == "@emulated"
    other = bench.again(one.account)
    bench.network.refresh(one.client)
    kept = bench.vault.get("a_1")
    bench.network.refresh(other.client)  # finds what the first one has got
    assert bench.vault.get("a_1") == kept
    assert me(one) == me(other) == "@emulated"
    assert bench.asked("POST", TOKEN) == 1


def test_access_of_another_process_that_ends_soon_is_renewed(bench: Bench) -> None:
    one = bench.connect()
    other = bench.again(one.account)
    bench.network.refresh(one.client)
    fields = bench.vault.get("a_1")
    bench.vault.put("a_1", {**fields, "expires_at": str(int(time.time()) + 60)})
    bench.network.refresh(other.client)
    assert bench.vault.get("a_1")["access_token"] != fields["access_token"]
    assert bench.asked("POST", TOKEN) == 2


def test_access_that_cannot_be_renewed_says_so(bench: Bench) -> None:
    given = {**bench.emulator.credentials(), "expires_at": "1767225600"}
    grant = bench.network.grant(given)
    assert (grant.is_renewable, grant.ends_at) == (True, None)
    for name in ("client_id", "refresh_token"):
        without = {key: value for key, value in given.items() if key != name}
        grant = bench.network.grant(without)
        assert not grant.is_renewable
        assert grant.ends_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert not bench.network.grant(bench.emulator.oauth1_credentials()).is_renewable


def test_many_at_once_renew_once(bench: Bench) -> None:
    first = bench.connect()
    connections = [first, *(bench.again(first.account) for _ in range(5))]
    bench.emulator.expire_tokens()
    names: list[str] = []

    def ask(connection: Connection) -> None:
        names.append(me(connection))

    threads = [threading.Thread(target=ask, args=(one,)) for one in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert names == ["@emulated"] * 6
    assert bench.asked("POST", TOKEN) == 1


def test_a_token_that_ends_soon_is_renewed_before_it_is_used(bench: Bench) -> None:
    connection = bench.connect()
    fields = bench.vault.get("a_1")
    bench.vault.put("a_1", {**fields, "expires_at": str(int(time.time()) + 60)})
    later = bench.again(connection.account)
    assert bench.asked("POST", TOKEN) == 1
    later.network.prepare(later.client, RenderedPart("Hi"), {})
    assert bench.asked("POST", TOKEN) == 1
    with later.client.secrets.refreshing():
        later.client.secrets.rotate(expires_at=str(int(time.time()) + 60))
    later.network.prepare(later.client, RenderedPart("Hi"), {})
    assert bench.asked("POST", TOKEN) == 2


class Timeless(XEmulator):
    """Does not say how long a token lives."""

    def leave(self, request: Request, response: Response) -> None:
        super().leave(request, response)
        if request.url.path.endswith(TOKEN) and response.status_code == 200:
            answer = json.loads(bytes(response.body))
            del answer["expires_in"]
            response.body = json.dumps(answer).encode()
            response.headers["content-length"] = str(len(response.body))


def test_the_end_of_the_old_token_is_not_taken_for_that_of_the_new_one(
    bench: Bench, tmp_path: Path
) -> None:
    with EmulatorServer([Timeless]) as server:
        bench = type(bench)(server, Vault(tmp_path / "other", bytes(32)))
        account = bench.connect().account
        bench.vault.put("a_1", {**bench.vault.get("a_1"), "expires_at": "1"})
        for _ in range(2):
            assert me(bench.again(account)) == "@emulated"
        assert bench.asked("POST", TOKEN) == 1


class Careless(XEmulator):
    """Answers with what no header can carry."""

    given: object = ""

    def leave(self, request: Request, response: Response) -> None:
        super().leave(request, response)
        if request.url.path.endswith(TOKEN) and response.status_code == 200:
            answer = {**json.loads(bytes(response.body)), "access_token": self.given}
            response.body = json.dumps(answer).encode()
            response.headers["content-length"] = str(len(response.body))


@pytest.mark.parametrize(
    "given",
    ["pk_canary_a\nb", "pk_canary_\u00e9", {"a": "pk_canary_b"}, 7],
    ids=["line break", "not ASCII", "object", "number"],
)
def test_a_token_that_cannot_be_sent_is_not_kept(
    bench: Bench, tmp_path: Path, given: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Careless, "given", given)
    with EmulatorServer([Careless]) as server:
        bench = type(bench)(server, Vault(tmp_path / "other", bytes(32)))
        connection = bench.connect()
        before = bench.vault.get("a_1")
        with pytest.raises(Unavailable, match="an access_token that cannot be sent") as caught:
            connection.renew()
        assert "pk_canary" not in caught.value.message
        assert bench.vault.get("a_1") == before


def test_a_refresh_token_that_was_used_needs_a_person(bench: Bench) -> None:
    given = bench.emulator.credentials()
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    basic = (given["client_id"], given["client_secret"])
    url = bench.emulator.endpoint(bench.server.url) + TOKEN
    assert requests.post(url, data=form, auth=basic, timeout=10).ok
    connection = bench.connect(given)
    bench.emulator.expire_tokens()
    with pytest.raises(NeedsLogin, match="postkit connect x --name me --replace"):
        me(connection)
    assert bench.vault.get("a_1") == dict(given)


def test_without_a_refresh_token_a_person_is_needed(bench: Bench) -> None:
    connection = bench.connect({"access_token": bench.emulator.credentials()["access_token"]})
    assert me(connection) == "@emulated"
    bench.emulator.expire_tokens()
    with pytest.raises(NeedsLogin, match="refresh_token and client_id"):
        me(connection)
    assert bench.asked("POST", TOKEN) == 0


def test_oauth1_has_nothing_to_renew(bench: Bench) -> None:
    given = {**bench.emulator.oauth1_credentials(), "access_token_secret": "wrong"}
    connection = bench.connect(given)
    with pytest.raises(NeedsLogin, match="OAuth 1"):
        me(connection)
    assert bench.asked("POST", TOKEN) == 0


def test_a_token_endpoint_that_is_away_keeps_the_tokens(bench: Bench) -> None:
    connection = bench.connect()
    before = bench.vault.get("a_1")
    bench.server.close()
    with pytest.raises(Unavailable):
        connection.renew()
    assert bench.vault.get("a_1") == before

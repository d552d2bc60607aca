"""How long a session's access lasts, and how it ends."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from postkit_bluesky.plugin import Bluesky

from postkit.accounts.vault import Vault
from postkit.emulator.server import EmulatorServer
from postkit.errors import NeedsLogin, Unavailable
from postkit.kit import Kit

from .desk import Desk, count, emulator

LOGOUT = "com.atproto.server.deleteSession"
REFRESH = "com.atproto.server.refreshSession"
LOGIN = "com.atproto.server.createSession"


def jwt(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.pk_canary_sign"


def test_the_session_s_tokens_tell_their_ends(desk: Desk) -> None:
    desk.post("Hello")
    fields = desk.vault.get("a_1")
    grant = desk.network.grant(fields)
    assert grant.scopes == frozenset({"com.atproto.appPass"})
    assert grant.expires_at is not None
    left = grant.expires_at - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)
    # The app password opens another session whenever this one has ended.
    assert (grant.is_renewable, grant.renew_until, grant.ends_at) == (True, None, None)
    del fields["app_password"]
    without = desk.network.grant(fields)
    assert without.is_renewable
    assert without.ends_at is not None
    assert without.ends_at - datetime.now(UTC) > timedelta(days=89)


def test_without_a_session_nothing_is_known() -> None:
    grant = Bluesky().grant({"handle": "it", "app_password": "pk_canary_password"})
    assert (grant.scopes, grant.expires_at, grant.is_renewable) == (None, None, True)
    assert not Bluesky().grant({}).is_renewable


@pytest.mark.parametrize(
    "token",
    [
        "",
        "pk_canary_no_dots",
        "a.b.c",
        "e30.!!!!.x",
        "e30.e30",
        jwt(),
        jwt(exp=None),
        jwt(exp="soon"),
        jwt(exp=True),
        jwt(exp=float("inf")),
        jwt(exp=float("nan")),
        jwt(exp=10**30),
        "e30." + base64.urlsafe_b64encode(b"[1]").decode() + ".x",
        "e30." + base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".x",
        "e30." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".x",
    ],
    ids=range(15),
)
def test_a_token_that_says_nothing_of_use(token: str) -> None:
    grant = Bluesky().grant({"access_jwt": token, "refresh_jwt": token})
    assert (grant.scopes, grant.expires_at, grant.renew_until) == (None, None, None)


def test_renewing_early_leaves_every_client_at_work(
    desk: Desk, server: EmulatorServer, tmp_path: Path
) -> None:
    desk.post("Before")
    other = Desk(Vault(tmp_path / "vault", bytes(32)), desk.account)
    other.post("Another process")
    desk.network.refresh(desk.client)
    other.network.refresh(other.client)  # finds what the first one has got
    desk.post("After")
    other.post("Another process again")
    assert (count(server, REFRESH), count(server, LOGIN)) == (1, 1)


def test_a_session_is_ended_by_its_refresh_token(desk: Desk, server: EmulatorServer) -> None:
    desk.post("Hello")
    refresh = desk.vault.get("a_1")["refresh_jwt"]
    desk.network.revoke(desk.client)
    desk.network.revoke(desk.client)  # it has ended already, which is fine
    assert count(server, LOGOUT) == 2
    assert refresh in emulator(server).tokens.revoked


def test_a_session_that_there_is_not_is_not_ended(desk: Desk, server: EmulatorServer) -> None:
    desk.network.revoke(desk.client)
    assert server.requests() == []


def test_removing_an_account_says_what_is_left_to_do(
    tmp_path: Path, server: EmulatorServer
) -> None:
    mine = server.accounts()[0]
    with Kit(home=tmp_path / "home", key=bytes(32)) as kit:
        account, _ = kit.connect("bluesky", mine.credentials, name="it", endpoint=mine.endpoint)
        _, problem = kit.remove_account(account.label)
        assert isinstance(problem, Unavailable)
        assert "App passwords" in problem.message
        assert count(server, LOGOUT) == 1
        assert kit.accounts == []
        assert account.id not in kit.vault().ids()


def test_a_server_that_is_away_ends_nothing(tmp_path: Path, server: EmulatorServer) -> None:
    mine = server.accounts()[0]
    with Kit(home=tmp_path / "home", key=bytes(32)) as kit:
        account, _ = kit.connect("bluesky", mine.credentials, name="it", endpoint=mine.endpoint)
        server.close()
        _, problem = kit.remove_account(account.label)
        assert isinstance(problem, Unavailable)
        assert "could not be reached" in problem.message
        assert "App passwords" in problem.message
        assert kit.accounts == []
        assert not isinstance(problem, NeedsLogin)

"""Sessions and rate limits of the emulator, as a real PDS has them (pds/facts.md)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from postkit_bluesky.emulator import BlueskyEmulator

from postkit.emulator.server import EmulatorServer

from .caller import (
    DID,
    KEY,
    Caller,
    login,
    post,
    problem,
)

# Sessions


def test_a_session_names_the_account_and_gives_two_tokens(caller: Caller) -> None:
    claims = caller.access.split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert payload["sub"] == DID
    assert payload["exp"] - payload["iat"] == 7200
    me = requests.get(
        f"{caller.url}/xrpc/com.atproto.server.getSession",
        headers={"Authorization": f"Bearer {caller.access}"},
        timeout=10,
    ).json()
    assert (me["did"], me["handle"], me["active"]) == (DID, "emulated.test", True)
    assert me["didDoc"]["service"][0]["serviceEndpoint"] == caller.url


@pytest.mark.parametrize("identifier", ["emulated.test", "nobody.test"])
def test_a_wrong_password_is_401(caller: Caller, identifier: str) -> None:
    body = {"identifier": identifier, "password": "wrong"}
    answer = caller.call("com.atproto.server.createSession", body, token="")
    expected = (401, "AuthenticationRequired", "Invalid identifier or password")
    assert problem(answer) == expected


def test_a_login_without_password_is_400(caller: Caller) -> None:
    answer = caller.call("com.atproto.server.createSession", {"identifier": "x"}, token="")
    assert problem(answer) == (400, "InvalidRequest", 'Missing required key "password" at $')
    assert "RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("", (401, "AuthMissing", "Authentication Required")),
        ("garbage", (400, "InvalidToken", "Token could not be verified")),
    ],
)
def test_bad_tokens(caller: Caller, token: str, expected: tuple[int, str, str]) -> None:
    answer = Caller(caller.url, token).put(KEY, post())
    assert problem(answer) == expected
    assert "RateLimit-Limit" not in answer.headers


def test_the_two_tokens_cannot_stand_for_each_other(caller: Caller) -> None:
    invalid = (400, "InvalidToken", "Token could not be verified")
    assert problem(Caller(caller.url, caller.refresh).put(KEY, post())) == invalid
    assert problem(caller.call("com.atproto.server.refreshSession")) == invalid


def test_an_expired_token_is_400_and_a_refresh_gives_two_new_ones(
    caller: Caller, server: EmulatorServer
) -> None:
    server.emulators["bluesky"].expire_tokens()
    expired = (400, "ExpiredToken", "Token has expired")
    assert problem(caller.put(KEY, post())) == expired
    assert problem(caller.upload(b"x")) == expired
    new = caller.call("com.atproto.server.refreshSession", token=caller.refresh).json()
    assert new["refreshJwt"] != caller.refresh
    assert Caller(caller.url, new["accessJwt"]).put(KEY, post()).status_code == 200
    again = caller.call("com.atproto.server.refreshSession", token=caller.refresh).json()
    assert again["refreshJwt"] == new["refreshJwt"]


def test_tokens_end_by_the_clock() -> None:
    class Clock:
        ahead = timedelta()

        def now(self) -> datetime:
            return datetime.now(UTC) + self.ahead

        def monotonic(self) -> float:
            return self.ahead.total_seconds()

        def sleep(self, seconds: float) -> None:
            raise AssertionError("The emulator does not wait.")

    clock = Clock()
    with EmulatorServer([BlueskyEmulator], clock=clock) as server:
        account = server.accounts()[0]
        one = Caller(account.endpoint)
        tokens = login(one, **account.credentials)
        mine = Caller(account.endpoint, tokens["accessJwt"])
        clock.ahead = timedelta(minutes=119)
        assert mine.put(KEY, post()).status_code == 200
        clock.ahead = timedelta(minutes=121)
        assert problem(mine.put(KEY, post())) == (400, "ExpiredToken", "Token has expired")
        refresh = "com.atproto.server.refreshSession"
        assert one.call(refresh, token=tokens["refreshJwt"]).status_code == 200
        clock.ahead = timedelta(days=91)
        answer = one.call(refresh, token=tokens["refreshJwt"])
        assert problem(answer) == (400, "ExpiredToken", "Token has expired")


def test_a_deleted_session_cannot_be_refreshed(caller: Caller) -> None:
    gone = caller.call("com.atproto.server.deleteSession", token=caller.refresh)
    assert (gone.status_code, gone.content) == (200, b"")
    answer = caller.call("com.atproto.server.refreshSession", token=caller.refresh)
    assert problem(answer) == (400, "ExpiredToken", "Token has been revoked")
    assert caller.put(KEY, post()).status_code == 200


# Rates


def test_writes_cost_points_and_headers_tell_what_is_left(caller: Caller) -> None:
    first = caller.put(KEY, post())
    assert first.headers["RateLimit-Policy"] == "3000;w=300"
    left = int(first.headers["RateLimit-Remaining"])
    second = caller.ask("com.atproto.server.describeServer")
    assert int(second.headers["RateLimit-Remaining"]) == left - 1
    assert int(second.headers["RateLimit-Reset"]) > datetime.now(UTC).timestamp()


def test_the_thirty_first_login_is_429(server: EmulatorServer) -> None:
    account = server.accounts()[0]
    caller = Caller(account.endpoint)
    body = {"identifier": "x.test", "password": "y"}
    answers = [caller.call("com.atproto.server.createSession", body, token="") for _ in range(31)]
    assert [answer.status_code for answer in answers] == [401] * 30 + [429]
    last = answers[-1]
    assert problem(last) == (429, "RateLimitExceeded", "Rate Limit Exceeded")
    assert last.headers["RateLimit-Policy"] == "30;w=300"
    assert last.headers["RateLimit-Remaining"] == "0"
    assert 0 < int(last.headers["Retry-After"]) <= 300
    assert "accessJwt" in login(caller, **account.credentials)


def test_past_the_points_of_an_hour_nothing_is_written(
    caller: Caller, server: EmulatorServer
) -> None:
    server.reset()
    emulator = server.emulators["bluesky"]
    assert isinstance(emulator, BlueskyEmulator)
    caller.put(KEY, post())
    window = emulator.limiter.windows("write")[0]
    assert (window.limit, window.peek(DID).remaining) == (5000, 4998)
    while window.peek(DID).remaining:
        window.take(DID)
    answer = caller.put(KEY, post())
    assert problem(answer)[:2] == (429, "RateLimitExceeded")
    assert answer.headers["RateLimit-Policy"] == "5000;w=3600"
    assert caller.get(KEY).status_code == 200

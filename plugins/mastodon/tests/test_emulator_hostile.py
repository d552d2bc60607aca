"""Questions that no client of postkit asks; a server must stand them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from postkit_mastodon.emulator import MastodonEmulator
from postkit_mastodon.emulator.answers import ACCOUNT_ID

from postkit.emulator.server import EmulatorServer


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer([MastodonEmulator]) as running:
        yield running


def ask(server: EmulatorServer, method: str, path: str, body: bytes = b"") -> requests.Response:
    account = server.accounts()[0]
    headers = {
        "Authorization": f"Bearer {account.credentials['access_token']}",
        "Content-Type": "application/json",
    }
    return requests.request(method, account.endpoint + path, data=body, headers=headers, timeout=10)


@pytest.mark.parametrize("name", ["limit", "since_id", "max_id", "min_id"])
@pytest.mark.parametrize("value", ["9" * 5000, "-1", "²", "a"])
def test_odd_numbers_in_a_list(server: EmulatorServer, name: str, value: str) -> None:
    answer = ask(server, "GET", f"/api/v1/accounts/{ACCOUNT_ID}/statuses?{name}={value}")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("query", ["pinned=true", "tagged=cats"])
def test_lists_that_are_not_emulated_say_so(server: EmulatorServer, query: str) -> None:
    answer = ask(server, "GET", f"/api/v1/accounts/{ACCOUNT_ID}/statuses?{query}")
    assert answer.status_code == 501


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "\\ud800"}',
        b'{"status": NaN}',
        b'{"status": ' + b"9" * 5000 + b"}",
        b'{"status": "a", "poll": 5}',
        b'{"status": "a", "media_ids": {}}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_bodies_that_make_no_status(server: EmulatorServer, body: bytes) -> None:
    answer = ask(server, "POST", "/api/v1/statuses", body)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]
    assert server.posts() == []

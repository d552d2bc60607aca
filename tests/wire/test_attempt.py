"""One attempt: the outcome is what the wire bears out, whatever the plugin says."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from postkit.accounts.secrets import Secrets
from postkit.deliver.attempt import create
from postkit.errors import InDoubt, NeedsLogin, PluginError, Refused, Throttled, Unavailable
from postkit.network import (
    Account,
    CredentialSet,
    Identity,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
)
from postkit.transport import Session

from .board import Board, kit_of, serving
from .server import RawServer, close, cut, ok, reset

OUTGOING = Outgoing(RenderedPart("Hello"), {}, "key", datetime(2027, 1, 4, tzinfo=UTC))


class Toy(Network[Session]):
    """Posts with ``send``, which a test supplies."""

    name = "toy"
    title = "Toy"
    hosts: ClassVar[tuple[str, ...]] = ()
    credentials: ClassVar[tuple[CredentialSet, ...]] = ()

    def __init__(self, send: Callable[[Session], Receipt]) -> None:
        self._send = send

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        return session

    def identify(self, client: Session) -> Identity:
        return Identity("1", "toy")

    def publish(self, client: Session, outgoing: Outgoing) -> Receipt:
        return self._send(client)


def honest(session: Session) -> Receipt:
    response = session.post(session.base + "/posts", json={"text": "Hello"})
    response.raise_for_status()
    return Receipt(str(response.json()["id"]))


def attempt(server: RawServer, send: Callable[[Session], Receipt] = honest) -> Receipt:
    with Session((), server.url, read_timeout=0.3) as session:
        return create(Toy(send), session, session, OUTGOING)


def test_a_good_answer_is_a_receipt() -> None:
    with RawServer(ok()) as server:
        assert attempt(server) == Receipt("1")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        close,
        reset,
        cut,
        ok("{}"),
        ok('{"id": ""}'),
        ok("<html>hello</html>"),
        ok("{}", "500 Internal Server Error"),
        ok('{"error": "oops"}', "502 Bad Gateway"),
        ok('{"error": "oops"}', "503 Service Unavailable"),
        ok("<html>blocked</html>", "403 Forbidden"),
        ok('{"error": "timeout"}', "408 Request Timeout"),
        ok("", "302 Found", "Connection: close\r\nLocation: /login\r\n"),
    ],
)
def test_whatever_is_not_a_clear_answer_is_in_doubt(answer: Any) -> None:
    with RawServer(answer) as server, pytest.raises(InDoubt):
        attempt(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("400 Bad Request", Refused),
        ("401 Unauthorized", NeedsLogin),
        ("403 Forbidden", Refused),
        ("404 Not Found", Refused),
        ("413 Content Too Large", Refused),
        ("422 Unprocessable", Refused),
        ("429 Too Many Requests", Throttled),
    ],
)
def test_the_apis_own_refusal_is_a_definite_no(status: str, error: type[Exception]) -> None:
    with RawServer(ok('{"error": "no"}', status)) as server, pytest.raises(error, match="no"):
        attempt(server)


def test_retry_after_tells_when() -> None:
    limit = ok('{"error": "slow"}', "429 T", "Connection: close\r\nRetry-After: 60\r\n")
    with RawServer(limit) as server, pytest.raises(Throttled) as throttled:
        attempt(server)
    assert throttled.value.retry_at is not None
    assert 55 < (throttled.value.retry_at - datetime.now(UTC)).total_seconds() <= 60


def test_nothing_listens_so_nothing_was_sent() -> None:
    with RawServer(ok()) as server:
        pass
    with pytest.raises(Unavailable):
        attempt(server)


def test_a_receipt_without_a_request_is_a_broken_plugin() -> None:
    with RawServer(ok()) as server, pytest.raises(PluginError, match="sent no request"):
        attempt(server, lambda session: Receipt("made-up"))


def test_a_receipt_after_an_error_is_not_believed() -> None:
    def optimist(session: Session) -> Receipt:
        session.post(session.base + "/posts")
        return Receipt("made-up")

    with RawServer(ok("{}", "500 Oops")) as server, pytest.raises(InDoubt, match="500"):
        attempt(server, optimist)


@pytest.mark.parametrize("claim", [Unavailable, Throttled, NeedsLogin, Refused])
def test_nothing_was_sent_is_not_believed_of_a_lost_answer(claim: type[Exception]) -> None:
    def wrong(session: Session) -> Receipt:
        try:
            session.post(session.base + "/posts")
        except OSError as error:
            raise claim("Nothing was sent, says the plugin.") from error
        return Receipt("1")

    with RawServer(close) as server, pytest.raises(InDoubt):
        attempt(server, wrong)


def test_a_plugin_that_retries_sends_one() -> None:
    def stubborn(session: Session) -> Receipt:
        for _ in range(3):
            try:
                session.post(session.base + "/posts")
            except OSError:
                continue
        return Receipt("1")

    with RawServer(close, ok()) as server, pytest.raises(InDoubt):
        attempt(server, stubborn)
    assert len(server.requests) == 1


def test_a_defect_before_the_request_is_no_network_failure() -> None:
    def broken(session: Session) -> Receipt:
        raise TypeError("unsupported operand")

    with RawServer(ok()) as server, pytest.raises(PluginError, match="before it sent anything"):
        attempt(server, broken)
    assert server.requests == []


def test_a_defect_after_the_request_is_in_doubt() -> None:
    def broken(session: Session) -> Receipt:
        session.post(session.base + "/posts")
        raise KeyError("data")

    with RawServer(ok()) as server, pytest.raises(InDoubt):
        attempt(server, broken)


def test_a_request_whose_claim_has_run_out_does_not_leave(tmp_path: Path) -> None:
    """A process that was stopped right before its socket wakes up when another one has the part."""
    board = Board()
    with serving() as server, kit_of(tmp_path, server, board) as kit:
        account = kit.accounts[0]
        connection = kit.clients.take(account)
        outgoing = Outgoing(RenderedPart("Hello"), {}, "key", datetime.now(UTC))
        late = time.monotonic() - 0.001
        with pytest.raises(Unavailable, match="TooLate"):
            create(board, connection.client, connection.session, outgoing, late)
        assert server.creates == 0
        soon = time.monotonic() + 60
        assert create(board, connection.client, connection.session, outgoing, soon).id == "1"
        connection.close()

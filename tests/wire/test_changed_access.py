"""Access that changes under a running process: the next post goes with the new one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from postkit.accounts.secrets import Secrets
from postkit.deliver.clients import Connection
from postkit.errors import NeedsLogin, NetworkError, Refused, Unavailable
from postkit.kit import Kit
from postkit.network import Account, Identity, Journal, Outgoing, Receipt, RenderedPart
from postkit.post import Post
from postkit.transport import Session

from .board import TOKEN, Board, HandClock, Server, kit_of, send, serving, states

NEW = "pk_canary_board_token_2"
REVOKED: tuple[int, str, dict[str, str]] = (401, '{"error": "revoked"}', {})


class Gate(Board):
    """Shows its token, and can renew it."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[Session, Secrets] = {}
        self.breaks_at = ""

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        session.headers["Authorization"] = f"Bearer {secrets['token'].reveal()}"
        self.secrets[session] = secrets
        return session


class Renewing(Gate):
    def refresh(self, client: Session) -> None:
        secrets = self.secrets[client]
        with secrets.refreshing():
            secrets.rotate(token=NEW)
            if self.breaks_at == "rotated":
                raise Unavailable("The answer was cut.", network=self.name)
            client.headers["Authorization"] = f"Bearer {NEW}"


@pytest.fixture
def board() -> Board:
    return Renewing()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def fixed(tmp_path: Path, server: Server, gate: Gate, clock: HandClock) -> Iterator[Kit]:
    """A network that cannot renew its access."""
    with kit_of(tmp_path / "fixed", server, gate, clock) as kit:
        yield kit


@pytest.fixture
def other_server() -> Iterator[Server]:
    with serving() as server:
        yield server


def taken(kit: Kit) -> Connection:
    connection = kit.clients.take(kit.account("board"))
    kit.clients.give(connection)
    return connection


def replaced(kit: Kit, token: str = NEW, endpoint: str | None = None) -> None:
    """What `connect --replace` does in another process."""
    with kit_of(kit.home.path, Server(), Gate(), kit.clock) as other:
        _, problem = other.connect("board", {"token": token}, endpoint=endpoint, replace=True)
        assert problem is None


# Which connection is kept


def test_who_has_renewed_its_own_access_is_kept(kit: Kit) -> None:
    before = taken(kit)
    before.renew()
    after = taken(kit)
    assert after is before
    assert after.session is before.session
    assert kit.vault().get(before.account.id) == {"token": NEW}


def test_access_that_somebody_else_has_renewed_is_taken_up(kit: Kit) -> None:
    before = taken(kit)
    with kit_of(kit.home.path, Server(), Renewing(), kit.clock) as other:
        taken(other).renew()
    after = taken(kit)
    assert after is not before
    assert after.session.headers["Authorization"] == f"Bearer {NEW}"


def test_a_renewal_that_broke_half_way_does_not_count(kit: Kit, board: Renewing) -> None:
    """The vault has the new token, the client has the old one."""
    before = taken(kit)
    board.breaks_at = "rotated"
    with pytest.raises(Unavailable):
        before.renew()
    assert before.secrets is not None
    assert before.secrets.held == {"token": TOKEN}
    after = taken(kit)
    assert after is not before
    assert after.session.headers["Authorization"] == f"Bearer {NEW}"


def test_another_endpoint_is_another_connection(kit: Kit, other_server: Server) -> None:
    before = taken(kit)
    replaced(kit, TOKEN, other_server.url)
    after = taken(kit)
    assert after is not before
    assert after.session.base == other_server.url


# Under a worker


def test_a_running_worker_takes_up_new_access_and_endpoint(
    fixed: Kit, server: Server, other_server: Server
) -> None:
    worker = fixed.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        fixed.accept(fixed.plan("one", ["board"]))
        await_posts(server, 1)
        replaced(fixed, endpoint=other_server.url)
        fixed.accept(fixed.plan("two", ["board"]))
        await_posts(other_server, 1)
    finally:
        worker.stop()
        thread.join(10)
    assert (server.tokens, other_server.tokens) == ([TOKEN], [NEW])


def await_posts(server: Server, count: int) -> None:
    end = threading.Event()
    for _ in range(500):
        if len(server.posts) == count:
            return
        end.wait(0.02)
    raise AssertionError(f"{len(server.posts)} posts came")


def test_the_next_part_of_a_thread_goes_with_the_new_access(
    fixed: Kit, server: Server, gate: Gate
) -> None:
    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        receipt = send(client, outgoing)
        if outgoing.part.text == "one":
            replaced(fixed)
        return receipt

    gate.sending = sending
    assert fixed.publish(Post(["one", "two", "three"]), ["board"]).ok
    assert server.tokens == [TOKEN, NEW, NEW]


def test_a_no_to_the_old_access_does_not_disconnect_the_new_one(
    fixed: Kit, server: Server, gate: Gate
) -> None:
    """It was replaced while the request was on its way, and the old one was revoked."""

    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        if server.creates == 0:
            replaced(fixed)
            server.script = [REVOKED]
        return send(client, outgoing)

    gate.sending = sending
    report = fixed.publish("Hello", ["board"], wait=5).deliveries[0]
    assert report.state == "live"
    assert server.tokens == [TOKEN, NEW]
    assert fixed.account("board").state == "ok"


def test_a_look_with_the_old_access_does_not_disconnect_the_new_one(
    fixed: Kit, server: Server, gate: Gate
) -> None:
    find = gate.finding

    def finding(client: Session, outgoing: Outgoing) -> object:
        if client.headers["Authorization"] == f"Bearer {TOKEN}":
            replaced(fixed)
            raise NeedsLogin("Revoked.", network="board")
        return find(client, outgoing)

    gate.finding = finding
    server.script = ["lose"]
    assert fixed.publish("Hello", ["board"], wait=10).ok
    assert fixed.account("board").state == "ok"


@pytest.mark.parametrize("hiccups", [1, 2])
def test_access_that_runs_out_after_a_hiccup_is_renewed(
    kit: Kit, server: Server, board: Renewing, hiccups: int
) -> None:
    calls: list[str] = []

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        calls.append(str(client.headers["Authorization"]))
        if len(calls) <= hiccups:
            raise Unavailable("It was cut in the middle of an upload.")
        if calls[-1].endswith(TOKEN):
            raise NeedsLogin("The token has expired.")

    board.preparing = preparing
    assert kit.publish("Hello", ["board"], wait=0).ok
    assert kit.account("board").state == "ok"
    assert len(calls) == hiccups + 2


def test_a_renewal_that_is_out_of_reach_is_not_tried_again_at_once(
    kit: Kit, server: Server, board: Renewing
) -> None:
    """Of a renewal whose answer is lost nobody knows what it has ended."""
    renewals: list[int] = []

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        raise NeedsLogin("The token has expired.")

    def refresh(client: Session) -> None:
        renewals.append(1)
        raise Unavailable("The answer was cut.")

    board.preparing = preparing
    board.refresh = refresh  # type: ignore[method-assign]  # one that cannot be reached
    report = kit.publish("Hello", ["board"], wait=0).deliveries[0]
    assert (report.state, len(renewals)) == ("scheduled", 1)
    assert kit.account("board").state == "ok"


def test_a_no_that_stays_a_no_is_asked_once_and_needs_a_login(fixed: Kit, server: Server) -> None:
    server.script = [REVOKED] * 9
    report = fixed.publish("Hello", ["board"], wait=5).deliveries[0]
    assert (report.state, server.creates) == ("scheduled", 1)
    assert fixed.account("board").state == "needs_login"


# New access that is wrong


@pytest.mark.parametrize(
    "answer", [NeedsLogin("No.", network="board"), Refused("No."), Unavailable("Away."), None]
)
def test_access_that_does_not_work_is_never_anybody_elses(
    fixed: Kit, server: Server, answer: NetworkError | None
) -> None:
    """A worker that comes by while it is tried sends with the old one."""

    class Asking(Gate):
        def identify(self, client: Session) -> Identity:
            fixed.publish("meanwhile", ["board"])
            if answer is None:
                return Identity("2", "somebody else")
            raise answer

    with kit_of(fixed.home.path, server, Asking(), fixed.clock) as other:
        with pytest.raises(Exception, match=r"No\.|Away\.|another --name"):
            other.connect("board", {"token": NEW}, replace=True)
    assert server.tokens == [TOKEN]
    assert fixed.account("board").state == "ok"
    assert fixed.vault().get(fixed.account("board").id) == {"token": TOKEN}
    assert NEW not in json.dumps(fixed.vault().get(fixed.account("board").id))


def test_posts_that_waited_for_a_login_go_on(fixed: Kit, server: Server, clock: HandClock) -> None:
    server.script = [REVOKED]
    report = fixed.publish("Hello", ["board"], wait=0).deliveries[0]
    replaced(fixed)
    clock.offset += timedelta(seconds=2)
    fixed.work(wait=0)
    assert states(fixed, report.id or "") == ["LIVE"]
    assert server.tokens == [TOKEN, NEW]

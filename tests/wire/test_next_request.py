"""What the next request of a part is made of, and what becomes of the answers of those before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import Refused
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.transport import Session

from .board import Board, HandClock, Server, kit_of, publish, send, sql, states

HOUR = 3600.0


class Uploads:
    """Ids that are good for an hour, and what each create came with."""

    def __init__(self, board: Board, clock: HandClock) -> None:
        self.clock = clock
        self.made = 0
        self.sent: list[str] = []
        self.keys: list[str] = []
        board.preparing, board.sending = self.prepare, self.send

    def prepare(self, client: Session, part: Any, journal: Any) -> None:
        if "media_0" in journal and journal["media_0"]["until"] < self.clock.monotonic():
            del journal["media_0"]
        if "media_0" not in journal:
            self.made += 1
            until = self.clock.monotonic() + HOUR
            journal["media_0"] = {"id": f"upload {self.made}", "until": until}

    def send(self, client: Session, outgoing: Outgoing) -> Receipt:
        self.sent.append(outgoing.prepared["media_0"]["id"])
        self.keys.append(outgoing.key)
        return send(client, outgoing)


@pytest.fixture
def uploads(board: Board, clock: HandClock) -> Uploads:
    return Uploads(board, clock)


@pytest.mark.parametrize("status", [429, 401])
def test_what_was_not_accepted_goes_with_the_newest_upload_under_the_same_key(
    kit: Kit, server: Server, clock: HandClock, uploads: Uploads, status: int
) -> None:
    server.script = [(status, '{"error": "no"}', {"Retry-After": "7200"})]
    report = publish(kit, wait=0)
    sql(kit, "UPDATE account SET state = 'ok'")
    clock.offset += timedelta(seconds=7205)
    kit.work(wait=0)
    assert states(kit, report.id) == ["LIVE"]
    assert uploads.sent == ["upload 1", "upload 2"]
    assert len(set(uploads.keys)) == 1


def test_what_may_have_been_accepted_stays_the_same_to_the_byte(
    kit: Kit, server: Server, board: Board, clock: HandClock, uploads: Uploads
) -> None:
    board.promise = Guarantee("key", quiet=2 * HOUR, resend_when_absent=True)
    server.script = ["drop"]
    report = publish(kit, wait=0)
    for _ in range(10):
        clock.offset += timedelta(minutes=30)
        kit.work(wait=0)
    assert states(kit, report.id) == ["LIVE"]
    assert uploads.sent == ["upload 1", "upload 1"]
    assert len(set(uploads.keys)) == 1


def refuse(*_: Any) -> None:
    raise Refused("The picture is not accepted.", network="board")


def test_a_new_attempt_that_is_refused_still_knows_the_first_request(
    kit: Kit, server: Server, board: Board
) -> None:
    """The first one comes to light after all, although a person said that it is not live."""
    server.script, server.hidden = ["lose"], True
    report = publish(kit)
    assert report.state == "uncertain"
    board.preparing = refuse
    server.hidden = False
    assert kit.resolve(report.id, resend=True, wait=10).deliveries[0].state == "live"
    assert server.creates == 1


def test_a_new_attempt_that_is_refused_becomes_a_question_again(
    kit: Kit, server: Server, board: Board
) -> None:
    server.script = ["drop"]
    report = publish(kit)
    board.preparing = refuse
    resolved = kit.resolve(report.id, resend=True, wait=10).deliveries[0]
    assert resolved.question is not None
    assert "The picture is not accepted" in resolved.question["text"]
    board.preparing = lambda *_: None
    assert kit.resolve(report.id, resend=True, wait=10).deliveries[0].state == "live"


def test_a_new_attempt_is_another_request_under_another_key(
    kit: Kit, server: Server, board: Board, clock: HandClock, uploads: Uploads
) -> None:
    """However old the first one's key is."""
    board.promise = Guarantee("key", quiet=120, key_ttl=60, resend_when_absent=True)
    server.script, server.hidden = ["drop"], True
    report = publish(kit, wait=HOUR)
    assert report.state == "uncertain"
    clock.offset += timedelta(hours=2)
    before = server.creates
    assert kit.resolve(report.id, resend=True, wait=10).deliveries[0].state == "live"
    assert server.creates == before + 1
    assert uploads.keys[-1] != uploads.keys[0]
    assert uploads.sent[-1] != uploads.sent[0]


def test_a_doubt_without_its_request_is_a_question(kit: Kit, server: Server) -> None:
    """As an older postkit has left it behind."""
    server.script, server.hidden = ["drop"], True
    report = publish(kit, wait=0)
    sql(kit, "UPDATE part SET outgoing = NULL")
    kit.finish(report.id, wait=10)
    assert states(kit, report.id) == ["UNCERTAIN"]


# An answer that comes after its process was given up


class Frozen:
    """A create whose answer comes when ``answer`` is set, and who else is at work meanwhile."""

    def __init__(self, home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self.board = Board()
        self.entered, self.answer = threading.Event(), threading.Event()
        server.script, server.hidden = [self._hang], True
        monkeypatch.setattr("postkit.deliver.heartbeat.EVERY", 60.0)
        self.kit = kit_of(home, server, self.board, HandClock())
        self.clock = HandClock()
        self.clock.offset += timedelta(minutes=10)
        self.name = self.kit.accept(self.kit.plan("Hello", ["board"]))
        self.thread = threading.Thread(
            target=self.kit.finish, args=(self.name,), kwargs={"wait": 0}
        )
        self.thread.start()
        assert self.entered.wait(5)
        monkeypatch.setattr("postkit.deliver.owner.this_process", lambda: "elsewhere/boot.1/7/7")
        monkeypatch.setattr("postkit.deliver.courier._busy", set())
        self.other = kit_of(home, server, self.board, self.clock)

    def _hang(self) -> str:
        self.entered.set()
        self.answer.wait(20)
        return "ok"

    def let_go(self) -> None:
        self.answer.set()
        self.thread.join(20)

    def close(self) -> None:
        self.let_go()
        self.kit.close()
        self.other.close()


@pytest.fixture
def frozen(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frozen]:
    frozen = Frozen(tmp_path, server, monkeypatch)
    yield frozen
    frozen.close()


@pytest.mark.parametrize("is_held", [False, True])
def test_it_settles_what_a_person_lets_send_again_before_that_is_sent(
    frozen: Frozen, server: Server, is_held: bool
) -> None:
    other = frozen.other
    assert other.finish(frozen.name, wait=60).deliveries[0].state == "uncertain"
    other.pause(["board"])
    state = other.resolve(frozen.name, resend=True, wait=0).deliveries[0].state
    assert state == "held"
    if not is_held:
        sql(other, "UPDATE part SET state = 'SCHEDULED', held_reason = NULL")
    frozen.let_go()
    assert states(other, frozen.name) == ["LIVE"]
    other.unpause(["board"], send=True)
    other.work(wait=0)
    assert (server.creates, len(server.posts)) == (1, 1)
    assert other.history(other.report(frozen.name).deliveries[0].id or "")[-1].event == "found"


def test_a_receipt_beside_the_store_comes_before_a_second_request(
    frozen: Frozen, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store took nothing when the answer came: only the file tells of it."""
    from postkit.deliver.ledger import Fenced, Ledger

    other = frozen.other
    assert other.finish(frozen.name, wait=60).deliveries[0].state == "uncertain"
    other.pause(["board"])
    other.resolve(frozen.name, resend=True, wait=0)

    def refusing(self: Ledger, *_: Any, **__: Any) -> Any:
        raise Fenced("somebody else's")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Ledger, "live", refusing)
        frozen.let_go()
    assert states(other, frozen.name) == ["HELD"]
    other.unpause(["board"], send=True)
    other.work(wait=0)
    assert states(other, frozen.name) == ["LIVE"]
    assert server.creates == 1

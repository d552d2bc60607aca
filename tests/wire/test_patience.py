"""What cannot be sent, or is at work at the network, for days: who waits, and how long."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from postkit.errors import InDoubt, NeedsLogin, Throttled, Unavailable
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.post import Post
from postkit.transport import Session

from .board import Board, HandClock, Server, publish, send, sql, states

THREAD = Post(["one", "two", "three"])
LOOK = timedelta(seconds=20)
"""How long a plugin waits for a video in one go."""


def at_work(clock: HandClock, word: str = "video") -> Any:
    """The network has not done with the upload yet, and names five seconds."""

    def preparing(client: Session, part: Any, journal: Any) -> None:
        if part.text.startswith(word):
            clock.offset += LOOK
            again = clock.now() + timedelta(seconds=5)
            raise Unavailable("It is still at work on the video.", retry_at=again)

    return preparing


def away(client: Session, part: Any, journal: Any) -> None:
    if part.text.startswith("two"):
        raise Unavailable("Nobody is there.", network="board")


def hours(kit: Kit, clock: HandClock, count: int, each: float = 1.0) -> None:
    for _ in range(count):
        clock.offset += timedelta(hours=each)
        kit.work(wait=0)


@pytest.mark.parametrize("why", ["away", "at work", "limit"])
def test_after_a_day_the_rest_of_a_thread_is_held_for_a_person(
    kit: Kit, server: Server, board: Board, clock: HandClock, why: str
) -> None:
    def limited(client: Session, part: Any, journal: Any) -> None:
        if part.text.startswith("two"):
            raise Throttled("Slow.", network="board", retry_at=clock.now() + timedelta(hours=1))

    board.preparing = {"away": away, "limit": limited, "at work": at_work(clock, "two")}[why]
    report = publish(kit, THREAD, wait=0)
    hours(kit, clock, 22)
    assert states(kit, report.id) == ["LIVE", "SCHEDULED", "SCHEDULED"], "not yet"
    hours(kit, clock, 10)
    assert states(kit, report.id) == ["LIVE", "HELD", "SCHEDULED"]
    [held] = kit.queue()
    assert held.held_reason == "cannot_be_sent"
    assert held.error is not None
    last = next(row for row in kit.history(report.id) if row.event == "hold")
    assert f"postkit release {report.id}" in last.reason
    assert held.error["message"].rstrip(".") in last.reason

    board.preparing = lambda *_: None
    hours(kit, clock, 2)
    assert server.creates == 1, "it waits for a word"
    kit.release(report.id)
    kit.work(wait=0)
    assert states(kit, report.id) == ["LIVE"] * 3
    assert [post["parent"] for post in server.posts] == ["", "1", "2"]


def test_a_release_has_its_own_day(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    board.preparing = away
    report = publish(kit, THREAD, wait=0)
    hours(kit, clock, 25)
    kit.release(report.id)
    hours(kit, clock, 20)
    assert states(kit, report.id)[1] == "SCHEDULED"
    hours(kit, clock, 6)
    assert states(kit, report.id)[1] == "HELD"


def test_a_machine_that_was_off_has_not_tried(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    board.preparing = away
    report = publish(kit, THREAD, wait=0)
    hours(kit, clock, 3, each=48)
    assert states(kit, report.id)[1] == "SCHEDULED"


def test_what_waits_for_a_login_is_no_failure(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    """Two tokens that do not work, and then a network that is away for a moment."""

    def revoked(client: Session, part: Any, journal: Any) -> None:
        if part.text.startswith("two"):
            raise NeedsLogin("The token has been revoked.", network="board")

    board.preparing = revoked
    report = publish(kit, THREAD, wait=0)
    for preparing in (revoked, away):
        hours(kit, clock, 15)
        board.preparing = preparing
        sql(kit, "UPDATE account SET state = 'ok'")
        hours(kit, clock, 1)
    assert states(kit, report.id)[1] == "SCHEDULED"
    hours(kit, clock, 25)
    assert states(kit, report.id)[1] == "HELD"


def test_what_expires_is_missed_in_its_time(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    board.preparing = away
    report = kit.schedule("two", ["board"], at="in 1m", expires="3d").deliveries[0]
    assert report.id is not None
    hours(kit, clock, 60)
    assert states(kit, report.id) == ["SCHEDULED"]
    hours(kit, clock, 14)
    assert states(kit, report.id) == ["MISSED"]


def test_a_repeat_that_cannot_be_sent_is_a_question(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    """The first request may have made it live: to hold it would not say so."""

    def lost(client: Session, outgoing: Outgoing) -> Receipt:
        send(client, outgoing)
        board.preparing = away
        raise InDoubt("The answer was lost.", network="board")

    board.promise = Guarantee("key", quiet=0.2, resend_when_absent=True)
    board.sending, server.hidden = lost, True
    report = kit.schedule("two", ["board"], at="in 1m", expires="never").deliveries[0]
    assert report.id is not None
    hours(kit, clock, 4)
    assert states(kit, report.id) == ["SCHEDULED"], "absent, so it is to be repeated"
    hours(kit, clock, 24)
    assert states(kit, report.id) == ["UNCERTAIN"]
    question = kit.report(report.id).deliveries[0].question
    assert question is not None
    assert "Nobody is there" in question["text"]
    assert server.creates == 1


def test_work_at_a_video_is_no_failure_and_lets_others_through(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    board.preparing = at_work(clock)
    began = clock.now()
    video = kit.accept(kit.plan("video", ["board"]))
    for number in range(10):
        kit.accept(kit.plan(f"other {number}", ["board"]))
    while not server.posts:
        kit.work(wait=0)
        clock.offset += timedelta(seconds=1)
    # Half a minute in all, and the look that was under way then.
    assert clock.now() - began < timedelta(seconds=30) + LOOK + timedelta(seconds=2)
    assert len(server.posts) == 10, "whoever waited goes out"
    assert [post["text"] for post in server.posts] == [f"other {n}" for n in range(10)]

    while clock.now() - began < timedelta(minutes=40):
        kit.work(wait=0)
        clock.offset += timedelta(seconds=5)
    board.preparing = lambda *_: None
    done = clock.now()
    while states(kit, video) == ["SCHEDULED"]:
        kit.work(wait=0)
        clock.offset += timedelta(seconds=5)
    # An eighth of what it has taken.
    assert clock.now() - done < timedelta(minutes=6)
    assert len(kit.history(kit.report(video).deliveries[0].id or "")) < 100


def test_the_time_that_a_network_at_work_names_is_kept(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    """Six looks: their pauses would come to a minute if each was a failure."""
    looks: list[float] = []

    def preparing(client: Session, part: Any, journal: Any) -> None:
        looks.append(clock.monotonic())
        if 7 <= len(looks) < 10:  # one failure has three tries
            raise Unavailable("Nobody is there.", network="board")
        if len(looks) < 7:
            again = clock.now() + timedelta(seconds=5)
            raise Unavailable("It is still at work on the video.", retry_at=again)

    board.preparing = preparing
    assert publish(kit, wait=60).state == "live"
    pauses = [b - a for a, b in pairwise(looks)]
    assert max(pauses[:6]) < 6.5
    assert max(pauses[6:]) < 2, "the first failure of all"


def test_a_server_in_trouble_is_left_alone_longer_each_time_whatever_it_says(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    looks: list[float] = []

    def preparing(client: Session, part: Any, journal: Any) -> None:
        looks.append(clock.monotonic())
        again = clock.now() + timedelta(seconds=1)
        raise Unavailable("HTTP 503", network="board", status=503, retry_at=again)

    board.preparing = preparing
    publish(kit, wait=120)
    assert len(looks) < 10


@pytest.mark.parametrize("told", ["soon", 5.0, True])
@pytest.mark.parametrize("where", ["preparing", "sending", "finding", "classify"])
def test_a_time_that_is_none_is_no_word(
    kit: Kit, server: Server, board: Board, clock: HandClock, told: Any, where: str
) -> None:
    def broken(*_: Any) -> Any:
        setattr(board, where, real)
        raise Unavailable("Busy.", network="board", retry_at=told)

    real = getattr(board, where)
    if where == "finding":
        server.script = ["lose"]
    if where == "classify":
        server.script = [(429, '{"error": "slow"}', {})]
        broken_at = Throttled("Slow.", network="board", retry_at=told)
        setattr(board, where, lambda failure: broken_at)
    else:
        setattr(board, where, broken)
    assert publish(kit, wait=60).state == "live"

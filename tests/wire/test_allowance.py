"""What a network declares and what it answers bound the calls, in the order of the queue."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from postkit.errors import Unavailable
from postkit.kit import Kit
from postkit.limits.model import ImageLimit, Limits, Rate
from postkit.network import Journal, Outgoing, Receipt, RenderedPart
from postkit.post import Media, Post
from postkit.testing.pictures import picture
from postkit.transport import Session

from .board import SOURCE, Board, HandClock, Server, kit_of, send


class Strict(Board):
    """Takes two posts in ten minutes."""

    limits: ClassVar[Limits] = Board.limits.changed(
        rates=(Rate("posts of an account", 2, 600, SOURCE),)
    )


@pytest.fixture
def board() -> Board:
    return Strict()


def created(kit: Kit, server: Server) -> list[str]:
    return [post["text"] for post in server.posts]


def test_a_declared_limit_is_kept_and_the_order_too(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    texts = [f"post {number}" for number in range(5)]
    start = clock.now()
    for text in texts:
        kit.schedule(text, ["board"], at="in 1s", expires="1d")
    clock.offset += timedelta(seconds=2)
    kit.work(wait=0)
    assert created(kit, server) == texts[:2]
    waiting = kit.queue()
    assert [delivery.state for delivery in waiting] == ["scheduled"] * 3
    assert waiting[0].error is not None
    assert "limit" in waiting[0].error["message"]
    kit.work(wait=7200)
    assert created(kit, server) == texts
    assert clock.now() - start >= timedelta(minutes=20)
    assert server.creates == 5


def test_what_has_provably_not_been_sent_does_not_count(
    kit: Kit, server: Server, board: Board
) -> None:
    left = [2]

    def refused(client: Session, outgoing: Outgoing) -> Receipt:
        if left[0]:
            left[0] -= 1
            raise Unavailable("Nobody is there.", network="board")
        return send(client, outgoing)

    board.sending = refused
    assert kit.publish("one", ["board"], wait=60).ok
    assert kit.publish("two", ["board"], wait=60).ok, "two tries at one were given back"
    assert kit.publish("three", ["board"], wait=0).deliveries[0].state == "scheduled"


def test_an_answer_that_says_none_are_left_is_believed(
    kit: Kit, server: Server, clock: HandClock, board: Board
) -> None:
    board.limits = Board.limits  # type: ignore[misc]
    reset = str(int((datetime.now(UTC) + clock.offset).timestamp()) + 900)
    answer = {"id": "7", "at": datetime.now(UTC).isoformat(), "text": "one"}
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    server.script = [(200, json.dumps(answer), headers)]
    assert kit.publish("one", ["board"], wait=0).ok
    report = kit.publish("two", ["board"], wait=60).deliveries[0]
    assert report.state == "scheduled"
    assert server.creates == 1
    assert kit.finish(report.id or "", wait=1800).ok
    assert server.creates == 2


def test_another_process_counts_the_same_calls(
    kit: Kit, server: Server, clock: HandClock, board: Board
) -> None:
    assert kit.publish("one", ["board"], wait=0).ok
    with kit_of(kit.home.path, server, board, clock) as other:
        assert other.publish("two", ["board"], wait=0).ok
        assert other.publish("three", ["board"], wait=0).deliveries[0].state == "scheduled"
    assert kit.publish("four", ["board"], wait=0).deliveries[0].state == "scheduled"
    assert server.creates == 2


def test_a_call_counts_from_when_it_may_leave(tmp_path: Path, server: Server) -> None:
    """Not from before the wait for a store that another program holds."""
    board = Board()
    board.limits = Board.limits.changed(  # type: ignore[misc]
        rates=(Rate("posts of an account", 1, 2, SOURCE),)
    )
    free: list[threading.Thread] = []

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        if free:
            return
        raw = sqlite3.connect(kit.home.store_path, isolation_level=None, check_same_thread=False)
        raw.execute("BEGIN IMMEDIATE")

        def release() -> None:
            time.sleep(1.5)
            raw.execute("ROLLBACK")
            raw.close()

        free.append(threading.Thread(target=release))
        free[0].start()

    board.preparing = preparing
    with kit_of(tmp_path, server, board) as kit:
        for number in range(2):
            kit.accept(kit.plan(f"post {number}", ["board"]))
        kit.work(wait=6)
    free[0].join()
    first, second = (datetime.fromisoformat(post["at"]) for post in server.posts)
    assert second - first >= timedelta(seconds=1.9)


class Pictured(Board):
    """Takes three uploads in ten minutes."""

    limits: ClassVar[Limits] = Board.limits.changed(
        media_count=4,
        image=ImageLimit(("image/png",), 1_000_000, SOURCE),
        rates=(Rate("uploads of an account", 3, 600, SOURCE),),
    )


def test_an_upload_that_is_made_once_more_counts(
    tmp_path: Path, server: Server, clock: HandClock
) -> None:
    """The network has dropped what was uploaded, again and again."""
    board, uploads = Pictured(), []

    def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
        if "media_0" in journal:
            del journal["media_0"]
        uploads.append(clock.now())
        journal["media_0"] = len(uploads)
        if len(uploads) < 7:
            raise Unavailable("It was cut off.", network="board")

    board.preparing = preparing
    with kit_of(tmp_path / "home", server, board, clock) as kit:
        post = Post("Look", media=[Media(picture(), alt="A square.")])
        report = kit.publish(post, ["board"], wait=7200).deliveries[0]
    assert report.state == "live"
    for first, fourth in zip(uploads, uploads[3:], strict=False):
        assert fourth - first >= timedelta(seconds=540), "a ring of ten slices"

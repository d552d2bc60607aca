"""The worker removes media that no post needs any more, and never what a row names."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import PlanRefused
from postkit.kit import Kit
from postkit.network import Journal, RenderedPart
from postkit.plan import Wishes
from postkit.post import Media, Post
from postkit.store.publications import PublicationRows
from postkit.store.sweep import Sweep
from postkit.transport import Session

from .board import Board, HandClock, Server, publish, sql, states
from .pictures import PictureBoard, picture, stored


@pytest.fixture
def board() -> Board:
    return PictureBoard()


def age(kit: Kit) -> None:
    for path in stored(kit):
        with contextlib.suppress(FileNotFoundError):
            os.utime(path, (0, 0))


def scheduled(kit: Kit, media: Media, text: str = "Hello", expires: str | None = None) -> str:
    post = Post(text, media=[media])
    name = kit.schedule(post, ["board"], at="in 1h", expires=expires).deliveries[0].id
    assert name is not None
    return name


def sweep(kit: Kit, clock: HandClock) -> None:
    """What a worker does in the hour that comes."""
    clock.offset += timedelta(hours=1)
    kit.work(wait=0)


def test_the_picture_of_a_cancelled_post_goes_after_a_day(
    kit: Kit, clock: HandClock, tmp_path: Path
) -> None:
    kit.cancel(scheduled(kit, picture(tmp_path)))
    clock.offset += timedelta(hours=22)
    sweep(kit, clock)
    assert len(stored(kit)) == 1
    sweep(kit, clock)
    sweep(kit, clock)
    assert stored(kit) == []


def test_what_a_refused_publication_has_left_goes(
    kit: Kit, clock: HandClock, tmp_path: Path
) -> None:
    publish(kit)
    again = Wishes(again=True)
    plan = kit.plan(Post("Hello", media=[picture(tmp_path)]), ["board"], wishes=again)
    with pytest.raises(PlanRefused):
        kit.accept(dataclasses.replace(plan, again=False))
    assert len(stored(kit)) == 1
    age(kit)
    sweep(kit, clock)
    assert stored(kit) == []


@pytest.mark.parametrize("state", ["scheduled", "held", "missed", "uncertain"])
def test_what_may_still_be_sent_keeps_its_picture(
    kit: Kit, clock: HandClock, tmp_path: Path, state: str
) -> None:
    name = scheduled(kit, picture(tmp_path), expires="never")
    if state != "scheduled":
        sql(kit, f"UPDATE part SET state = '{state.upper()}', ready_at = NULL, due_at = 1")
        sql(kit, "UPDATE account SET ready_at = NULL")
    else:
        sql(kit, "UPDATE account SET state = 'needs_login'")
    age(kit)
    clock.offset += timedelta(days=400)
    sweep(kit, clock)
    assert states(kit, name) == [state.upper()]
    assert len(stored(kit)) == 1


@pytest.mark.parametrize("answer", ["ok", (400, "{}", {})])
def test_what_was_settled_keeps_its_picture_for_a_month(
    kit: Kit, server: Server, clock: HandClock, tmp_path: Path, answer: object
) -> None:
    server.script = [answer]
    publish(kit, Post("Hello", media=[picture(tmp_path)]))
    age(kit)
    clock.offset += timedelta(days=29)
    kit.work(wait=0)
    clock.offset += timedelta(seconds=5)
    sweep(kit, clock)
    assert len(stored(kit)) == 1
    clock.offset += timedelta(days=1)
    sweep(kit, clock)
    assert stored(kit) == []
    assert kit.publications()[0].deliveries[0].state in ("live", "failed")


def test_once_an_hour_whoever_works(kit: Kit, clock: HandClock, tmp_path: Path) -> None:
    def left_over(number: int) -> None:
        kit.cancel(scheduled(kit, picture(tmp_path, number), str(number)))
        age(kit)

    left_over(1)
    kit.work(wait=0)
    assert stored(kit) == []
    left_over(2)
    clock.offset += timedelta(minutes=59)
    kit.work(wait=0)
    assert len(stored(kit)) == 1
    sweep(kit, clock)
    assert stored(kit) == []
    # A clock that was ahead must not keep it from working for as long.
    left_over(3)
    clock.offset -= timedelta(days=30)
    kit.work(wait=0)
    assert stored(kit) == []


def test_a_post_that_is_accepted_while_media_are_swept_keeps_them(
    kit: Kit,
    board: Board,
    server: Server,
    clock: HandClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its picture lies there from before: old, and named by no row until it is accepted."""
    read: list[int] = []

    def preparing(_: Session, part: RenderedPart, __: Journal) -> None:
        read.extend(len(each.read()) for each in part.media)

    board.preparing = preparing
    accept = PublicationRows.accept

    def late(rows: PublicationRows, *given: Any, **more: Any) -> None:
        time.sleep(0.005)  # the files are there, the rows are not
        accept(rows, *given, **more)

    monkeypatch.setattr(PublicationRows, "accept", late)
    sweep, over, removed = Sweep(kit._database, kit.media, clock), threading.Event(), 0

    def sweeping() -> None:
        nonlocal removed
        while not over.is_set():
            removed += kit.media.sweep(sweep.named, clock.now())

    thread = threading.Thread(target=sweeping)
    thread.start()
    media, name = picture(tmp_path), None
    try:
        for number in range(40):
            if name is not None:
                kit.cancel(name)
                age(kit)
            name = kit.accept(kit.plan(Post(str(number), media=[media]), ["board"]))
            age(kit)
            assert len(stored(kit)) == 1, "it was accepted without its picture"
    finally:
        over.set()
        thread.join(10)
    assert removed > 0, "the sweep never came in between"
    kit.work(wait=0)
    assert len(read) == len(server.posts) == 1

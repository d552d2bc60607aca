"""Observers hear of every change after it is durable, in its order, and are in nobody's way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.hookspecs import hookimpl
from postkit.kit import Kit
from postkit.post import Post

from .board import KEY, TOKEN, Board, HandClock, Plugin, Server, publish

ROOT = Path(__file__).parents[2]
Told = tuple[str, str, str]


class Observer:
    """Keeps what it is told. ``obstacle`` runs first, and may raise or hang."""

    def __init__(self, obstacle: Callable[[str, str], None] = lambda before, after: None) -> None:
        self.told: list[Told] = []
        self.logins: list[tuple[str, str]] = []
        self.obstacle = obstacle

    @hookimpl
    def postkit_changed(self, delivery: str, before: str, after: str) -> None:
        self.obstacle(before, after)
        self.told.append((delivery, before, after))

    @hookimpl
    def postkit_account_needs_login(self, account: str, reason: str) -> None:
        self.obstacle("ok", "needs_login")
        self.logins.append((account, reason))

    def of(self, delivery: str) -> list[tuple[str, str]]:
        return [(before, after) for name, before, after in self.told if name == delivery]


@contextmanager
def observed(
    home: Path, server: Server, board: Board, observers: Iterable[object], clock: HandClock
) -> Iterator[Kit]:
    with Kit(home=home, key=KEY, plugins=[Plugin(board), *observers], clock=clock) as kit:
        if not kit.accounts:
            kit.connect("board", {"token": TOKEN}, endpoint=server.url)
        yield kit


def pending(kit: Kit) -> int:
    with sqlite3.connect(kit.home.store_path) as raw:
        count: int = raw.execute("SELECT count(*) FROM outbox").fetchone()[0]
    raw.close()
    return count


WHOLE = [("scheduled", "sending"), ("sending", "live")]


def test_every_change_is_told_in_its_order(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    one, two = Observer(), Observer()
    with observed(tmp_path, server, board, [one, two], clock) as kit:
        report = publish(kit)
        assert one.of(report.id) == WHOLE
        assert two.told == one.told
        assert pending(kit) == 0
        kit.delete(report.id)
        kit.work(wait=0)
        assert one.of(report.id)[2:] == [("live", "cancelled")]


def test_the_parts_of_a_thread_are_one_story(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    observer = Observer()
    server.script = ["ok", "lose", "ok"]
    with observed(tmp_path, server, board, [observer], clock) as kit:
        report = publish(kit, Post(["one", "two", "three"]))
    story = observer.of(report.id)
    assert all(before != after for before, after in story)
    assert [before for before, _ in story[1:]] == [after for _, after in story[:-1]]
    assert ("sending", "checking") in story
    assert story[-1][1] == "live"


def test_it_is_told_after_it_is_durable(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    """Another connection, which sees nothing but commits, sees at least what is told."""
    seen: list[tuple[str, str]] = []

    def look(before: str, after: str) -> None:
        raw = sqlite3.connect(kit.home.store_path)
        lines = raw.execute(
            "SELECT after FROM history WHERE part_id IS NOT NULL ORDER BY id"
        ).fetchall()
        raw.close()
        seen.append((after, ",".join(row[0] for row in lines)))

    with observed(tmp_path, server, board, [Observer(look)], clock) as kit:
        publish(kit)
    assert [after for after, _ in seen] == ["sending", "live"]
    for after, lines in seen:
        assert {"sending": "CLAIMED", "live": "LIVE"}[after] in lines


def test_a_lost_login_is_told_once(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    observer = Observer()
    server.script = [(401, '{"error": "token"}', {})] * 4
    with observed(tmp_path, server, board, [observer], clock) as kit:
        report = publish(kit)
        kit.finish(report.id)
    assert [account for account, _ in observer.logins] == ["board:board"]
    assert TOKEN not in str(observer.logins)


# One that fails


def test_a_failing_one_is_retried_on_its_own_and_touches_no_delivery(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    failures = [3]

    def fail(before: str, after: str) -> None:
        if failures[0]:
            failures[0] -= 1
            raise RuntimeError(f"no use of {TOKEN}")

    good, bad = Observer(), Observer(fail)
    with observed(tmp_path, server, board, [bad, good], clock) as kit:
        report = publish(kit)
        assert report.state == "live"
        assert good.of(report.id) == WHOLE
        assert bad.told == []
        history = kit.history(report.id)
        for _ in range(6):
            clock.offset += timedelta(seconds=10)
            kit.work(wait=0)
        assert bad.of(report.id) == WHOLE
        assert good.of(report.id) == WHOLE, "it is not told again"
        assert kit.history(report.id) == history
        assert pending(kit) == 0
    assert server.creates == 1


def test_who_has_failed_hears_nothing_later_before_it(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    """A new change comes while an earlier one waits to be told again."""
    broken = [True]

    def fail(before: str, after: str) -> None:
        if broken[0]:
            raise RuntimeError("not now")

    good, bad = Observer(), Observer(fail)
    with observed(tmp_path, server, board, [bad, good], clock) as kit:
        first = publish(kit)
        broken[0] = False
        second = publish(kit, "Another")
        assert good.of(second.id) == WHOLE, "the other one does not wait"
        for _ in range(3):
            clock.offset += timedelta(seconds=10)
            kit.work(wait=0)
        assert bad.of(first.id) == WHOLE
        assert bad.told == good.told


def test_one_that_always_fails_is_given_up_after_a_day_and_not_before(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    tries: list[str] = []

    def fail(before: str, after: str) -> None:
        tries.append(after)
        raise RuntimeError("never")

    with observed(tmp_path, server, board, [Observer(fail)], clock) as kit:
        publish(kit)
        for _ in range(10):
            clock.offset += timedelta(hours=1, seconds=1)
            kit.work(wait=0)
        assert pending(kit) == 2
        for _ in range(30):
            clock.offset += timedelta(hours=1, seconds=1)
            kit.work(wait=0)
        assert pending(kit) == 0
    # Only the first is tried: the second is not to be heard before it.
    assert set(tries) == {"sending"}
    assert len(tries) < 50


# One that hangs


@pytest.fixture
def hanging() -> Iterator[Observer]:
    end = threading.Event()

    def hang(before: str, after: str) -> None:
        end.wait(60)

    yield Observer(hang)
    end.set()


@pytest.mark.timeout(30)
def test_a_hanging_one_does_not_hold_up_publish(
    tmp_path: Path, server: Server, board: Board, clock: HandClock, hanging: Observer
) -> None:
    with observed(tmp_path, server, board, [hanging], clock) as kit:
        began = time.monotonic()
        assert publish(kit).state == "live"
        assert publish(kit, "Another").state == "live"
        assert time.monotonic() - began < 8
        assert hanging.told == []


@pytest.mark.timeout(30)
def test_a_hanging_one_does_not_hold_up_a_worker(
    tmp_path: Path, server: Server, board: Board, clock: HandClock, hanging: Observer
) -> None:
    with observed(tmp_path, server, board, [hanging], clock) as kit:
        names = [kit.accept(kit.plan(text, ["board"])) for text in ("one", "two")]
        worker = threading.Thread(target=kit.work, kwargs={"wait": 0}, daemon=True)
        worker.start()
        worker.join(10)
        assert not worker.is_alive(), "the worker waits for an observer"
        assert [kit.report(name).deliveries[0].state for name in names] == ["live", "live"]


# A process that ends before it has told

PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.wire.board import Board, HandClock, Server
from tests.wire.test_observers import Observer, observed
from postkit.deliver.outbox import Outbox

home, url, when = sys.argv[1:]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if when == "before":
    Outbox.start = die
with observed(Path(home), Server(url), Board(), [Observer(die)], HandClock()) as kit:
    kit.publish("Hello", ["board"])
"""


@pytest.mark.parametrize(("when", "wait"), [("before", 0), ("while", 61)])
def test_what_was_killed_between_commit_and_telling_is_told_later(
    tmp_path: Path, server: Server, board: Board, clock: HandClock, when: str, wait: float
) -> None:
    with observed(tmp_path, server, board, [], clock):
        pass
    program = PROGRAM.format(root=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), server.url, when],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    observer = Observer()
    with observed(tmp_path, server, board, [observer], clock) as kit:
        assert observer.told == []
        clock.offset += timedelta(seconds=wait)
        kit.work(wait=0)
        assert [(b, a) for _, b, a in observer.told] == WHOLE
        assert pending(kit) == 0
        assert kit.publications()[0].deliveries[0].state == "live"
    assert server.creates == 1


def test_what_nobody_observes_is_not_kept(kit: Kit, server: Server) -> None:
    publish(kit)
    assert pending(kit) == 0


def test_two_processes_tell_it_once(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    """Two Kits stand for two processes: each has a lock of its own, and one store."""
    slow = Observer(lambda before, after: time.sleep(0.05))
    with (
        observed(tmp_path, server, board, [slow], clock) as kit,
        observed(tmp_path, server, board, [slow], clock) as other,
    ):
        kit._outbox.start = lambda: None  # type: ignore[method-assign]
        names = [publish(kit, f"text {number}").id for number in range(5)]
        threads = [threading.Thread(target=each._outbox.flush) for each in (kit, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        clock.offset += timedelta(seconds=61)
        kit._outbox.flush()
        assert pending(kit) == 0
    told: list[Any] = [(name, *step) for name in names for step in WHOLE]
    assert slow.told == told

"""A storm of 429: nothing lost, nothing doubled, few calls, and the order of each account.

Two hours of it pass on a clock that leaps; the requests, the store and the processes are real.
"""

from __future__ import annotations

import itertools
import math
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postkit.clock import micros
from tests.wire.board import TOKEN

from .checker import check
from .hand import Hand, opened
from .killing import FULL
from .leaping import LeapingClock
from .weather import OK, Answer, Weather, limited, most_within, seconds_between, weather

ACCOUNTS, POSTS = 20, 25
START = datetime(2027, 1, 4, 8, tzinfo=UTC)
FIRST = timedelta(minutes=10)
STORM = timedelta(hours=2)
WINDOW = 900
"""Seconds that the network asks to wait, and the length of its own windows."""
KILLED = "Its process ended while the request was on its way."
PATIENCE = 120.0
"""Real seconds, after which a run has hung."""
KINDS = ("Retry-After", "without", "x-rate-limit-reset")
PAUSES = [float(2**n) for n in range(9)]
"""Seconds between two calls where the network names no time: then 300 each."""
WITHOUT_WORD = 1 + len(PAUSES) + math.ceil((STORM.total_seconds() - sum(PAUSES)) / 300)


@dataclass
class Scene:
    """A home with accounts and scheduled posts, that each run gets a copy of."""

    folder: Path
    sky: Weather
    accounts: int
    posts: int
    expires: str

    def __post_init__(self) -> None:
        self.names = [f"a{number}" for number in range(self.accounts)]
        self._runs = itertools.count(1)
        self.folder.mkdir()
        clock = LeapingClock(self.folder / "clock", START)
        with opened(self.folder / "template", clock) as kit:
            for number, name in enumerate(self.names):
                kit.connect("board", {"token": TOKEN}, name=name, endpoint=f"{self.sky.url}/{name}")
                for post in range(self.posts):
                    # A minute apart at one account, all at once at the next one.
                    apart = timedelta(minutes=post if number % 2 else 0)
                    kit.schedule(
                        f"{name} {post:02}", [f"board:{name}"], at=START + FIRST + apart,
                        expires=self.expires,
                    )  # fmt: skip
        clock.close()

    def copy(self) -> tuple[Path, LeapingClock]:
        """A home, and its clock at the beginning."""
        home = self.folder / f"run{next(self._runs)}"
        shutil.copytree(self.folder / "template", home)
        clock = LeapingClock(home / "clock", START)
        clock.store = home / "postkit.db"
        assert clock.store.exists()
        self.sky.reset(clock)
        return home, clock

    def storm(self, kind: str, clock: LeapingClock) -> Callable[[str, str], Answer]:
        """From the first post's time on, until two hours later."""
        over = micros(START + FIRST + STORM)

        def answer(account: str, text: str) -> Answer:
            left = over - clock.wall
            if left <= 0:
                return OK
            if kind == "Retry-After":
                return limited(Retry_After=str(WINDOW))
            if kind == "without":
                return limited()
            quarter = clock.wall // 1_000_000 // WINDOW + 1
            return limited(x_rate_limit_remaining="0", x_rate_limit_reset=f"{quarter * WINDOW}")

        return answer


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # In memory where there is such a folder: no power fails here, and the disk is half the time.
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="postkit-storm-", dir=where) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def sky(folder: Path) -> Iterator[Weather]:
    clock = LeapingClock(folder / "clock", START)
    with weather(clock) as sky:
        yield sky
    clock.close()


@pytest.fixture(scope="module")
def scene(folder: Path, sky: Weather) -> Scene:
    return Scene(folder / "storm", sky, ACCOUNTS, POSTS, "1d")


# Who works


def one_worker_and_its_successor(home: Path, clock: LeapingClock, sky: Weather, count: int) -> None:
    """The first one is stopped in the midst of the storm."""
    for until in (count // 4, None):
        with opened(home, clock) as kit:
            worker = kit.worker()
            ended = threading.Event()

            def watch(until: int | None = until, ended: threading.Event = ended) -> None:
                while not ended.wait(0.005):
                    if len(sky.made) >= count or (until is not None and len(sky.calls) >= until):
                        break
                worker.stop()  # noqa: B023 - it ends before the next one begins

            watcher = threading.Thread(target=watch)
            watcher.start()
            worker.run()
            watcher.join()


def three_workers(home: Path, clock: LeapingClock, sky: Weather, count: int) -> None:
    """In one process, each with a store of its own."""
    kits = [opened(home, clock) for _ in range(3)]
    workers = [kit.worker() for kit in kits]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    wait_for(sky, count)
    for worker in workers:
        worker.stop()
    for thread, kit in zip(threads, kits, strict=True):
        thread.join()
        kit.close()


def three_processes(home: Path, clock: LeapingClock, sky: Weather, count: int) -> None:
    """One of them is killed in the midst of the storm, and another one begins."""
    hands = [Hand(home, clock) for _ in range(4)]
    for hand in hands:
        hand.ready()
    for hand in hands[:3]:
        hand.begin()
    wait_until(lambda: len(sky.calls) >= count // 4)
    hands.pop(0).kill()
    hands[-1].begin()
    wait_for(sky, count)
    for hand in hands:
        hand.end()


def wait_for(sky: Weather, count: int) -> None:
    wait_until(lambda: len(sky.made) >= count)


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


Crew = Callable[[Path, LeapingClock, Weather, int], None]
CREWS = (three_processes, three_workers, one_worker_and_its_successor)
CASES = list(itertools.product(KINDS, CREWS)) if FULL else list(zip(KINDS, CREWS, strict=True))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "crew"), CASES, ids=lambda it: getattr(it, "__name__", it))
def test_a_storm(scene: Scene, kind: str, crew: Crew) -> None:
    began = time.monotonic()
    home, clock = scene.copy()
    sky = scene.sky
    sky.answer = scene.storm(kind, clock)
    crew(home, clock, sky, ACCOUNTS * POSTS)
    assert len(sky.made) == ACCOUNTS * POSTS
    facts = sky.facts(home / "postkit.db")
    assert check(facts, may_ask=frozenset()).violations == []
    assert {part.state for part in facts.parts} == {"LIVE"}
    texts = {part.id: part.text for part in facts.parts}
    doubts = [line for line in facts.lines if line.part and line.event == "doubt"]
    doubted = {texts[str(line.part)] for line in doubts}
    reasons = {str(line.raw["reason"]) for line in doubts}
    assert reasons <= ({KILLED} if crew is three_processes else set())
    over = micros(START + FIRST + STORM)
    most = 0
    for name in scene.names:
        wanted = [f"{name} {number:02}" for number in range(POSTS)]
        texts_made = [post.text for post in sky.of(name)]
        # What is in doubt after a kill holds up nobody; all others keep their order.
        kept = [text for text in texts_made if text not in doubted]
        assert kept == [text for text in wanted if text not in doubted]
        assert sorted(texts_made) == wanted
        # Few calls: one more for a request that died with its process.
        calls = sky.calls_of(name)
        lost = len(doubted & set(wanted))
        refused = [call for call in calls if call.status == 429]
        assert [call.status for call in calls] == [429] * len(refused) + [200] * POSTS
        most = max(most, len(refused) - lost)
        gaps = seconds_between(refused)
        if kind == "without":
            least = [*PAUSES, *[300.0] * len(gaps)]
            assert lost or all(gap >= pause for gap, pause in zip(gaps, least, strict=False))
            # The post behind one that is in doubt begins with short pauses of its own.
            assert len(refused) <= WITHOUT_WORD + lost * (len(PAUSES) + 3)
        else:
            assert len(refused) <= math.ceil(STORM.total_seconds() / WINDOW) + 1 + lost
        if kind == "Retry-After":
            assert lost or all(gap >= WINDOW for gap in gaps)
        elif kind == "x-rate-limit-reset":
            quarters = [call.at // 1_000_000 // WINDOW for call in refused]
            assert len(set(quarters)) >= len(quarters) - lost
        # And it is over no later than it must be.
        first = next(call for call in calls if call.status == 200)
        assert first.at - over <= (WINDOW + 1) * 1_000_000
    sys.stdout.write(
        f"{kind}, {crew.__name__}: {len(sky.made)} posts of {ACCOUNTS} accounts, 0 lost, 0 doubled,"
        f" at most {most} calls of an account in the storm, {len(sky.calls)} calls in all, "
        f"{time.monotonic() - began:.1f} s\n"
    )
    clock.close()
    shutil.rmtree(home)


def test_a_storm_that_is_longer_than_the_posts_are_fresh(folder: Path, sky: Weather) -> None:
    """After the default of six hours each is MISSED and shown, and none is sent."""
    scene = Scene(folder / "long", sky, accounts=4, posts=5, expires="6h")
    home, clock = scene.copy()
    over = micros(START + FIRST + timedelta(hours=7))
    sky.answer = lambda account, text: OK if clock.wall >= over else limited(Retry_After="3600")
    with opened(home, clock) as kit:
        told: list[tuple[str, str]] = []
        kit.worker(watch=lambda p: told.append((p.delivery_id, p.state))).run(
            drain=True, wait=timedelta(hours=9).total_seconds()
        )
        assert sky.made == []
        shown = kit.queue()
        assert [each.state for each in shown] == ["missed"] * 20
        assert kit.queue_length() == 20
        assert {name for name, state in told if state == "missed"} == {each.id for each in shown}
        for each in shown:
            assert each.id is not None
            last = kit.history(each.id)[-1]
            assert (last.event, last.after) == ("miss", "MISSED")
    for name in scene.names:
        assert len(sky.calls_of(name)) <= 8
    facts = sky.facts(home / "postkit.db")
    assert check(facts, may_ask=frozenset()).violations == []
    clock.close()


RATES = ((3, 60), (7, 300))
"""Posts, seconds."""


@pytest.mark.timeout(300)
def test_declared_rates_over_two_processes(folder: Path, sky: Weather) -> None:
    scene = Scene(folder / "rates", sky, accounts=2, posts=15, expires="1d")
    home, clock = scene.copy()
    hands = [Hand(home, clock, RATES) for _ in range(2)]
    for hand in hands:
        hand.ready()
    for hand in hands:
        hand.begin()
    wait_for(sky, 30)
    for hand in hands:
        hand.end()
    assert len(sky.calls) == len(sky.made) == 30
    for name in scene.names:
        mine = sky.of(name)
        assert [post.text for post in mine] == [f"{name} {n:02}" for n in range(15)]
        for calls, seconds in RATES:
            assert most_within(mine, seconds) <= calls
        if name == "a0":
            # All due at once: used up to the full, and no slower than a tenth more.
            assert most_within(mine, 300) == 7
            assert (mine[-1].passed - mine[0].passed) / 1e6 <= 2 * 330 + 1
    assert check(sky.facts(home / "postkit.db"), may_ask=frozenset()).violations == []
    clock.close()

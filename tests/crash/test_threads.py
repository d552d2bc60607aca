"""A scheduled thread of five whose part k fails: it goes on at k, and ends as one thread.

Part k is refused, its answer is lost (with and without a post), nobody can be reached, or the
worker's process is killed right before or after SENDING, or after its answer.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postkit.emulator.server import EmulatorServer
from postkit.kit import Kit
from postkit.network import Guarantee, RenderedPart
from postkit.plugins import Plugins
from postkit.post import Post
from postkit.report import DeliveryReport
from tests.wire.board import KEY, TOKEN, Board, HandClock, Plugin

from .checker import check
from .forks import Order
from .hand import KEYED, TimedBoard, opened
from .killing import FULL, NETWORKS, QUIET, TABLE, Run, Scene, faults_of
from .labour import Labour
from .leaping import LeapingClock
from .weather import DROPPED, LOST, OK, Answer, RealTime, Weather, weather

PARTS = 5
ALL = range(1, PARTS + 1)
TEXTS = [f"Part {number} of a story." for number in ALL]
START = datetime(2027, 1, 4, 8, tzinfo=UTC)
REFUSED = Answer(400, accepted=False)
READ_BACK = Guarantee("read_back", quiet=60.0)
BLIND = Guarantee("blind")
KILLS = ("send: before", "send: after", "accepted: before", "accepted: after")
"""Of the k-th such commit: nothing is sent, nobody knows, it is live and nobody knows, all know."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # In memory where there is such a folder: no power fails here, and the disk is half the time.
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="postkit-threads-", dir=where) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def sky() -> Iterator[Weather]:
    with weather(RealTime()) as sky:
        yield sky


@pytest.fixture(scope="module")
def labour() -> Iterator[Labour]:
    with Labour() as labour:
        yield labour


# On the board, where every answer is a test's


def truthful_answer(kit: Kit, sky: Weather, report: DeliveryReport) -> None:
    """A person looks and says what is there."""
    assert report.id is not None
    assert report.question is not None
    asked = TEXTS[int(report.question["part"]) - 1]
    live = [post for post in sky.made if post.text == asked]
    if live:
        kit.resolve(report.id, is_live=f"https://board.example/{live[0].remote_id}", wait=0)
    else:
        kit.resolve(report.id, resend=True, wait=0)


def assert_one_thread(sky: Weather, store: Path, k: int, calls_of_k: int) -> None:
    """Five posts, each with the right parent, and nothing but part k was ever sent again."""
    facts = sky.facts(store)
    findings = check(facts)
    assert findings.violations == []
    assert {part.state for part in facts.parts} == {"LIVE"}
    assert [post.text for post in sky.made] == TEXTS
    ids = [post.remote_id for post in sky.made]
    assert [post.parent for post in sky.made] == ["", *ids[:-1]]
    calls = Counter(call.text for call in sky.calls)
    assert [calls[text] for text in TEXTS] == [calls_of_k if n == k else 1 for n in ALL]


@dataclass(frozen=True, slots=True)
class Failure:
    """What happens to part k; ``calls`` that reach the network for it in the end, ``asks`` whether
    a person has to answer."""

    answer: Answer
    promise: Guarantee
    calls: int
    asks: bool = False


FAILURES = {
    "refused": Failure(REFUSED, KEYED, 2),
    "lost, key": Failure(LOST, KEYED, 1),
    "lost, read back": Failure(LOST, READ_BACK, 1),
    "lost, blind": Failure(LOST, BLIND, 1, asks=True),
    "not made, key": Failure(DROPPED, KEYED, 2),
    "not made, read back": Failure(DROPPED, READ_BACK, 2, asks=True),
    "not made, blind": Failure(DROPPED, BLIND, 2, asks=True),
    "unreachable": Failure(OK, KEYED, 1),
}


@pytest.mark.parametrize("k", ALL)
@pytest.mark.parametrize("name", FAILURES)
def test_part_k_fails(folder: Path, sky: Weather, name: str, k: int) -> None:
    failure = FAILURES[name]
    home = Path(tempfile.mkdtemp(dir=folder))
    clock = LeapingClock(home / "clock", START)
    sky.reset(clock)
    failing = TEXTS[k - 1]

    def answer(account: str, text: str) -> Answer:
        if name == "unreachable":
            if k > 1 and text == TEXTS[k - 2]:
                sky.refuse()
            return OK
        return failure.answer if text == failing and not seen(failing) else OK

    def seen(text: str) -> bool:
        return any(call.text == text for call in sky.calls)

    waits: list[str] = []

    def watch(state: str) -> None:
        if name == "unreachable" and state == "waiting":
            waits.append(state)
            sky.listen()

    sky.answer = answer
    with opened(home, clock, TimedBoard(clock, promise=failure.promise)) as kit:
        kit.connect("board", {"token": TOKEN}, name="a", endpoint=f"{sky.url}/a")
        [report] = kit.schedule(Post(list(TEXTS)), ["board:a"], at="in 1h").deliveries
        assert report.id is not None

        def work() -> DeliveryReport:
            kit.worker(watch=lambda p: watch(p.state)).run(drain=True, wait=7200)
            return kit.report(str(report.id)).deliveries[0]

        if name == "unreachable" and k == 1:
            sky.refuse()
        now = work()
        if name == "refused":
            assert [part.state for part in now.parts] == (
                ["LIVE"] * (k - 1) + ["FAILED"] + ["HELD"] * (PARTS - k)
            )
            assert len(sky.calls) == k
            # A person has mended it.
            kit.finish(report.id, wait=0, retry=True)
            now = work()
        assert (now.state == "uncertain") == failure.asks
        if failure.asks:
            assert len(sky.calls) == k
            truthful_answer(kit, sky, now)
            now = work()
        assert now.state == "live"
        assert bool(waits) == (name == "unreachable")
    assert_one_thread(sky, home / "postkit.db", k, failure.calls)
    clock.close()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def scheduled(folder: Path, sky: Weather) -> Path:
    """A home with a thread that is due."""
    home = folder / "scheduled"
    clock = HandClock()
    clock.offset = timedelta(hours=-1)
    with Kit(home=home, key=KEY, plugins=[Plugin(Board())], clock=clock) as kit:
        kit.connect("board", {"token": TOKEN}, name="a", endpoint=f"{sky.url}/a")
        kit.schedule(Post(list(TEXTS)), ["board:a"], at="in 30m")
    with sqlite3.connect(home / "postkit.db") as raw:
        raw.execute(TABLE)
    raw.close()
    return home


@pytest.mark.parametrize("kill", KILLS)
def test_the_worker_is_killed_at_part_k(
    folder: Path, sky: Weather, labour: Labour, scheduled: Path, kill: str
) -> None:
    began = time.monotonic()
    for k in ALL:
        home = Path(tempfile.mkdtemp(dir=folder)) / "home"
        shutil.copytree(scheduled, home)
        sky.reset(RealTime())
        child = labour.run(Order(str(home), str(home / "trace"), [], at=f"commit {kill} {k}"))
        assert child.was_killed, child.notes
        assert len(sky.made) == (k if kill.startswith("accepted") else k - 1)
        ended = labour.run(Order(str(home), str(home / "trace2"), []))
        assert ended.code == 0, ended.notes
        with Kit(home=home, key=KEY, plugins=[Plugin(Board())]) as kit:
            report = kit.publications()[0].deliveries[0]
            # Whoever was killed after SENDING has left what a person has to answer here.
            assert (report.state == "uncertain") == (kill == "send: after")
            if report.state == "uncertain":
                truthful_answer(kit, sky, report)
        labour.run(Order(str(home), str(home / "trace3"), []))
        assert_one_thread(sky, home / "postkit.db", k, 1)
        shutil.rmtree(home)
    tell(f"board, killed at {kill}: {PARTS} runs, {time.monotonic() - began:.1f} s")


# On the five networks


class ThreadScene(Scene):
    """One network: a home with a thread that is due (one post where there are no threads)."""

    parts = 1

    def _prepare(self, posts: int) -> None:
        self._reset()
        self._template.mkdir(parents=True)
        quiet = f'[networks."{self.network}"]\nquiet = {QUIET}\n'
        (self._template / "postkit.toml").write_text(quiet, "utf-8")
        mine = next(one for one in self.server.accounts() if one.network == self.network)
        target = self.server.emulators[self.network].sample_target
        address = f"{self.network}:emulated" + (f"/{target}" if target else "")
        clock = HandClock()
        clock.offset = timedelta(hours=-1)
        with Kit(home=self._template, key=KEY, clock=clock) as kit:
            account, problem = kit.connect(
                self.network, mine.credentials, name="emulated", endpoint=mine.endpoint
            )
            assert problem is None, problem
            network = kit.plugins.network(self.network)
            limits = network.limits_for(account)
            self.parts = PARTS if limits.threads else 1
            title = "The title of it" if limits.title_required else None
            post = Post(TEXTS[: self.parts], title=title)
            plan = kit.plan(post, [address])
            report = kit.schedule(post, [address], at="in 30m")
            self.names.append(str(report.publication))
            rendition = plan.deliveries[0].rendition
            assert rendition is not None
            assert len(rendition.parts) == self.parts
            delivery = report.deliveries[0].id
            for number, part in enumerate(rendition.parts, 1):
                if self._may_ask(kit, account, part):
                    self.may_ask.add(f"{delivery}.{number}")
            self._store = kit.home.store_path.relative_to(self._template)
        with sqlite3.connect(self._template / self._store) as raw:
            raw.execute(TABLE)
        raw.close()

    def _may_ask(self, kit: Kit, account: object, part: RenderedPart) -> bool:
        from postkit.network import Account

        assert isinstance(account, Account)
        network = kit.plugins.network(self.network)
        return not network.guarantee(part, account).resend_when_absent


Stage = Callable[[str], ThreadScene]


@pytest.fixture(scope="module")
def stage(folder: Path, labour: Labour) -> Iterator[Stage]:
    scenes: dict[str, ThreadScene] = {}
    with EmulatorServer(Plugins().emulators()) as server:

        def stage(name: str) -> ThreadScene:
            if name not in scenes:
                scenes[name] = ThreadScene(server, labour, folder / name.replace(" ", "-"), name)
            return scenes[name]

        yield stage


def settled(run: Run, k: int, parts: int) -> None:
    """One thread, and no request for any part but k was repeated."""
    outcome = run.settled()
    assert not faults_of(outcome), outcome.told()
    live = run.scene.server.posts(run.scene.network)
    assert len(live) == parts
    for before, after in itertools.pairwise(live):
        assert after.parent == before.id
    creates = [e for e in run.scene.server.requests(run.scene.network) if e.create]
    assert len(creates) <= parts + 1, outcome.told()
    sends = Counter(line.part for line in outcome.facts.lines if line.event == "send")
    assert len(sends) == parts
    again = [part for part, count in sends.items() if part and count > 1]
    assert all(part.endswith(f".{k}") for part in again), outcome.told()


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_loses_the_answer_to_part_k(stage: Stage, network: str) -> None:
    scene = stage(network)
    began = time.monotonic()
    runs = asked = 0
    for k in range(1, scene.parts + 1):
        # Each in turn: the network's class decides what comes of it, not the position.
        for accepted in (True, False) if FULL or scene.parts == 1 else (k % 2 == 1,):
            run = scene.begin()
            scene.server.add_fault(
                scene.network, "lose_answer", accepted=accepted, skip=k - 1, times=1
            )
            run.go()
            settled(run, k, scene.parts)
            runs, asked = runs + 1, asked + run.asked
            run.clear()
    tell(f"{network}: {runs} lost answers, {asked} questions, {time.monotonic() - began:.1f} s")


@pytest.mark.parametrize("network", NETWORKS)
def test_a_worker_is_killed_at_part_k_of_a_network(stage: Stage, network: str) -> None:
    scene = stage(network)
    began = time.monotonic()
    runs = asked = 0
    for k in range(1, scene.parts + 1):
        # Each in turn, as above; at one position in the small size where there is one part.
        kills = KILLS if FULL or scene.parts == 1 else (KILLS[k % 4],)
        for kill in kills:
            run = scene.begin()
            child = run.go(f"commit {kill} {k}")
            assert child.was_killed, child.notes
            settled(run, k, scene.parts)
            runs, asked = runs + 1, asked + run.asked
            run.clear()
    tell(f"{network}: {runs} kills, {asked} questions, {time.monotonic() - began:.1f} s")


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")

"""The disk fails at any call: nothing is sent that is not written down, and nothing twice.

The failures are injected below SQLite, at the n-th call that changes a file, for every n.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from postkit.emulator.server import EmulatorServer
from postkit.errors import PlanRefused, StoreBusy, StoreError
from postkit.kit import Kit
from postkit.network import Guarantee
from postkit.plugins import Plugins
from postkit.post import Post
from postkit.report import Report
from postkit.store.database import BUSY_SECONDS
from tests.cli.program import Program
from tests.wire.board import KEY, Board, HandClock, Plugin, Server, kit_of, serving, states

from . import checker
from .facts import read, read_with_board
from .vfs import Kind, Vfs

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("POSTKIT_CRASH") == "full"
TEXTS = ["one", "two"]
pytestmark = pytest.mark.timeout(900 if FULL else 120)
ONE_CHANGE = 60
"""Calls of one transaction at most: after a single failure the next change may still be tried."""


class Noted(list[dict[str, Any]]):
    """The posts that the server takes, by the clock of the program; ``before`` holds each part's
    state in the file of the store, as another program sees it at the moment of the create."""

    def __init__(self, store: Path, clock: HandClock) -> None:
        super().__init__()
        self.store = store
        self.clock = clock
        self.before: list[str] = []

    def append(self, post: dict[str, Any]) -> None:
        self.before.append(stored(self.store).get(post["text"], "no part"))
        post["at"] = self.clock.now().isoformat()
        super().append(post)


def stored(store: Path) -> dict[str, str]:
    """The state of each part by its text, read past the layer that fails."""
    connection = sqlite3.connect(f"file:{store}?vfs=unix", uri=True)
    with contextlib.closing(connection):
        rows = connection.execute("SELECT json_extract(rendition, '$.text'), state FROM part")
        return dict(rows.fetchall())


@dataclass
class Run:
    """One publish with a failing disk, and what came of it."""

    home: Path
    server: Server
    board: Board
    clock: HandClock
    raised: list[StoreError] = field(default_factory=list)
    hits: int = 0
    calls: int = 0
    questions: int = 0
    found: int = 0

    @property
    def store(self) -> Path:
        return self.home / "postkit.db"

    def open(self) -> Kit:
        return Kit(home=self.home, key=KEY, plugins=[Plugin(self.board)], clock=self.clock)

    def publish(self, kind: Kind, first: int, *, lasting: bool, restart: bool) -> list[str]:
        """Publish with the fault, heal, and let a person see to the rest. The final states."""
        with Vfs(self.store) as vfs:
            vfs.syncs = False
            fault = vfs.fail(kind, first, lasting=lasting)
            kit = self.open()
            try:
                kit.publish(Post(TEXTS), ["board"], wait=5)
            except StoreError as error:
                self.raised.append(error)
            if restart:
                kit.close()
            vfs.heal()
            self.hits, self.calls = fault.hits, vfs.calls.total()
            if restart:
                kit = self.open()
            with kit:
                return self.finish(kit)

    def finish(self, kit: Kit) -> list[str]:
        # Who is told of a failure gives the same command again: a repeat of what is kept.
        with contextlib.suppress(PlanRefused):
            kit.publish(Post(TEXTS), ["board"], wait=5)
        [name] = [report.publication or "" for report in kit.publications()]
        report = kit.finish(name, wait=5)
        while report.deliveries[0].question is not None:
            report = self.answer(kit, name, report)
        return states(kit, name)

    def answer(self, kit: Kit, name: str, report: Report) -> Report:
        """What a person says who looks at the board."""
        self.questions += 1
        part = next(part for part in report.deliveries[0].parts if part.state == "UNCERTAIN")
        live = [post for post in self.server.posts if post["text"] == part.text]
        self.found += len(live)
        if not live:
            return kit.resolve(name, resend=True, wait=5)
        return kit.resolve(name, is_live=f"https://board.example/{live[0]['id']}", wait=5)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def template(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the board connected, to be copied."""
    home = tmp_path_factory.mktemp("template")
    kit_of(home, server, Board()).close()
    return home


@dataclass
class Scene:
    """Gives each run a home of its own and an empty board."""

    template: Path
    folder: Path
    server: Server
    broken_spool: bool = False
    runs: list[Run] = field(default_factory=list)

    def run(self, board: Board) -> Run:
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.template, home)
        clock = HandClock()
        self.server.posts = Noted(home / "postkit.db", clock)
        self.server.creates = 0
        if self.broken_spool:
            (home / "receipts.jsonl").mkdir()
        self.runs.append(Run(home, self.server, board, clock))
        return self.runs[-1]


@pytest.fixture
def scene(template: Path, tmp_path: Path, server: Server) -> Scene:
    return Scene(template, tmp_path, server)


def check(run: Run, ended: list[str]) -> list[str]:
    """What is wrong with the end of a run."""
    posts = run.server.posts
    assert isinstance(posts, Noted)
    found = []
    if any(state != "SENDING" for state in posts.before):
        found.append(f"sent from {posts.before}")
    if [post["text"] for post in posts] != TEXTS or run.server.creates != len(TEXTS):
        found.append(f"{run.server.creates} creates made {[post['text'] for post in posts]}")
    elif posts[1]["parent"] != posts[0]["id"]:
        found.append(f"the second answers {posts[1]['parent']!r}")
    if ended != ["LIVE"] * len(TEXTS):
        found.append(f"ended as {ended}")
    found += [f"raised {error!r}" for error in run.raised if not isinstance(error, StoreBusy)]
    judged = checker.check(read_with_board(run.store, posts))
    return found + [str(violation) for violation in judged.violations]


def sweep(scene: Scene, kinds: list[Kind], *, lasting: bool, board: Callable[[], Board]) -> int:
    """Fail at every call in turn until a run has no such call any more. The number of calls."""
    wrong: list[str] = []
    most = 0
    for first in itertools.count(1):
        kind = kinds[first % len(kinds)]
        for restart in (False, True) if FULL else (first // len(kinds) % 2 == 1,):
            run = scene.run(board())
            found = check(run, run.publish(kind, first, lasting=lasting, restart=restart))
            wrong += [f"{kind.name} {first} {lasting=} {restart=}: {what}" for what in found]
            most = max(most, run.calls)
        if not run.hits:
            break
    assert wrong == []
    # A store that fails is asked no more often than one that works: nothing goes round in circles.
    assert most <= run.calls + ONE_CHANGE
    return first - 1


def looks() -> Board:
    return Board(Guarantee("read_back", quiet=0.2))


@pytest.mark.parametrize("kind", Kind)
def test_from_any_call_on(scene: Scene, kind: Kind) -> None:
    assert sweep(scene, [kind], lasting=True, board=looks) > 50


@pytest.mark.parametrize("kinds", [[kind] for kind in Kind] if FULL else [list(Kind)])
def test_at_any_call_once(scene: Scene, kinds: list[Kind]) -> None:
    assert sweep(scene, kinds, lasting=False, board=looks) > 50


def test_a_store_that_was_opened_read_only_is_written_when_it_can_be(scene: Scene) -> None:
    """SQLite opens for reading what it cannot write, and such a connection stays so."""
    run = scene.run(looks())
    ended = run.publish(Kind.READ_ONLY, 1, lasting=False, restart=False)
    assert run.raised
    assert check(run, ended) == []


def test_where_the_answer_can_be_kept_nowhere_a_person_is_asked(scene: Scene) -> None:
    """The network cannot be looked at, and the file beside the store refuses as well."""
    scene.broken_spool = True
    assert sweep(scene, list(Kind), lasting=True, board=lambda: Board(Guarantee("blind"))) > 50
    assert sum(run.found for run in scene.runs) > 0


# The program

PROGRAM = """
import json, resource, sys
from pathlib import Path
store, kind, first, result, root, *arguments = sys.argv[1:]
sys.path.insert(0, root)
from postkit.cli.main import main
from tests.crash.vfs import Kind, Vfs

with Vfs(Path(store)) as vfs:
    fault = vfs.fail(Kind[kind], int(first))
    try:
        main(arguments)
    finally:
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {"calls": vfs.calls.total(), "changing": fault.seen, "hits": fault.hits}
        told["cpu"] = used.ru_utime + used.ru_stime
        Path(result).write_text(json.dumps(told))
"""
NEVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of the real program: ``cpu`` in seconds, ``calls`` to the layer."""

    status: int
    err: str
    calls: int
    changing: int
    hits: int
    cpu: float


@pytest.fixture
def postkit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Program]:
    """The program with one account at an emulator."""
    monkeypatch.setenv("POSTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POSTKIT_KEY", base64.b64encode(KEY).decode())
    monkeypatch.setenv("POSTKIT_BUSY_TIMEOUT", "1")
    monkeypatch.delenv("POSTKIT_STORE", raising=False)
    with EmulatorServer(Plugins().emulators()) as server:
        program = Program(tmp_path / "home", server, capsys, monkeypatch)
        program.connect("mastodon")
        yield program


def publish(postkit: Program, text: str, kind: Kind = Kind.FULL, first: int = NEVER) -> Outcome:
    store, result = postkit.home / "postkit.db", postkit.home.parent / "result.json"
    arguments = [str(store), kind.name, str(first), str(result), str(ROOT)]
    asked = ["publish", "--text", text, "--to", "mastodon"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, *asked],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Outcome(done.returncode, done.stderr, **json.loads(result.read_text()))


def said(outcome: Outcome) -> str:
    """The one sentence of a failure."""
    [line] = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    return line


def calmly(outcome: Outcome, healthy: Outcome, seconds: float) -> None:
    """No busy loop: the calls of a healthy run, and while it waits SQLite's own patience, which
    tries 12 times in the first 0.3 seconds and then ten times a second, with five calls a try
    (checked 2026-11-23)."""
    tries = 12 + 10 * seconds if seconds else 0
    assert outcome.calls <= healthy.calls + ONE_CHANGE + 5 * tries
    assert outcome.cpu <= 2 * healthy.cpu + 0.5


def test_the_program_ends_with_one_sentence_and_75(postkit: Program) -> None:
    healthy = publish(postkit, "Well")
    assert (healthy.status, healthy.hits) == (0, 0)
    if FULL:
        cases = [(kind, first) for first in range(1, healthy.changing + 1) for kind in Kind]
    else:
        steps = range(1, healthy.changing + 1, max(1, healthy.changing // 9))
        cases = list(zip(itertools.cycle(Kind), steps, strict=False))
    stopped = 0
    for kind, first in cases:
        text = f"{kind.name} {first}"
        outcome = publish(postkit, text, kind, first)
        assert outcome.hits > 0
        calmly(outcome, healthy, 0)
        if outcome.status == 0:
            # Only the tidying up when it closes had failed: all is written down.
            assert "error" not in outcome.err
        else:
            stopped += 1
            assert (outcome.status, text) == (75, text), outcome.err
            assert str(postkit.home / "postkit.db") in said(outcome)
        again = postkit("publish", "--text", text, "--to", "mastodon")
        if again.status != 0:
            assert re.search("The same text (went|is to go) there", again.err), again.err
            [newest, *_] = postkit("list", "--json").json["publications"]
            assert postkit("finish", newest["publication"]).status == 0
        assert postkit.texts().count(text) == 1
    assert postkit.creates() == len(cases) + 1
    judged = checker.check(read(postkit.home / "postkit.db", postkit.server))
    assert judged.violations == []
    assert stopped > len(cases) / 2


@pytest.mark.parametrize("seconds", [1.0, 30.0] if FULL else [1.0])
def test_the_program_waits_for_a_lock_and_no_longer(
    postkit: Program, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    healthy = publish(postkit, "Well")
    if seconds == BUSY_SECONDS:
        monkeypatch.delenv("POSTKIT_BUSY_TIMEOUT")
    connection = sqlite3.connect(postkit.home / "postkit.db", isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        outcome = publish(postkit, "Later")
        assert time.monotonic() - start >= seconds
    assert outcome.status == 75
    assert said(outcome).endswith("is locked by another program; try again when it is done.")
    calmly(outcome, healthy, seconds)
    assert postkit.texts() == ["Well"]
    assert publish(postkit, "Later").status == 0
    assert sorted(postkit.texts()) == ["Later", "Well"]

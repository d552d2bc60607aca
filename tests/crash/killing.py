"""The harness: one accepted thread, copied for each run, processes that are struck, a verdict."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from postkit.emulator.server import EmulatorServer
from postkit.kit import Kit
from postkit.network import RenderedPart
from postkit.plugins import Plugins
from postkit.post import Media, Part, Post
from postkit.testing.pictures import picture

from .checker import Findings, check
from .facts import WITNESS, Facts, PartFact, read
from .forks import KEY, Child, Forks, Order
from .points import Strike

FULL = os.environ.get("POSTKIT_CRASH") == "full"
QUICK = os.environ.get("POSTKIT_CRASH") == "quick"
"""As with every change: fewer of what is drawn at random."""
SEED = 20261123
QUIET = 0.2
"""Seconds of the quiet window: the emulator accepts at once, so any window is long enough."""
QUESTIONS = 4
WITH_IMAGE = frozenset({"mastodon", "facebook", "bluesky"})
NETWORKS = ("bluesky", "mastodon", "mastodon compatible", "x", "facebook", "reddit")
"""The compatible server ignores the key: a thread where a person has to be asked."""
SETTINGS: dict[str, dict[str, object]] = {
    "mastodon compatible": {
        "version": "2.7.2 (compatible; Pleroma 2.7.0)",
        "idempotency": False,
    }
}
TABLE = f"""
CREATE TABLE {WITNESS} (line INTEGER PRIMARY KEY, writer TEXT NOT NULL,
  part_fence INTEGER NOT NULL, account_fence INTEGER NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A part that a person was asked about, and what a person would see at the network."""

    publication: str
    part: PartFact
    link: str | None


@dataclass
class Outcome:
    """What a run left. ``story`` is for who reads a failure."""

    findings: Findings
    facts: Facts
    asked: int = 0
    story: list[str] = field(default_factory=list)

    @property
    def states(self) -> list[str]:
        return [part.state for part in self.facts.parts]

    def told(self) -> str:
        lines = [*map(str, self.findings.violations), *self.story, f"states: {self.states}"]
        lines += [
            f"  {line.part}: {line.before} -{line.event}-> {line.after} ({line.writer})"
            for line in self.facts.lines
        ]
        lines += [f"  live: {post.remote_id} {post.text!r}" for post in self.facts.accepted]
        return "\n".join(lines)


class Scene:
    """One network: a home with accepted publications, which each run gets a copy of."""

    def __init__(
        self,
        server: EmulatorServer,
        forks: Forks,
        folder: Path,
        name: str,
        posts: int = 1,
        *,
        by_worker: bool = True,
    ) -> None:
        self.by_worker = by_worker
        self.server = server
        self.forks = forks
        self.name = name
        self.network = name.partition(" ")[0]
        self._folder = folder
        self._template = folder / "template"
        self._numbers = itertools.count(1)
        self.names: list[str] = []
        self.may_ask: set[str] = set()
        self._prepare(posts)

    def _reset(self) -> None:
        self.server.reset()
        for name, value in SETTINGS.get(self.name, {}).items():
            self.server.set(self.network, name, value)

    def _prepare(self, posts: int) -> None:
        self._reset()
        self._template.mkdir(parents=True)
        quiet = f'[networks."{self.network}"]\nquiet = {QUIET}\n'
        (self._template / "postkit.toml").write_text(quiet, "utf-8")
        mine = next(one for one in self.server.accounts() if one.network == self.network)
        target = self.server.emulators[self.network].sample_target
        address = f"{self.network}:emulated" + (f"/{target}" if target else "")
        with Kit(home=self._template, key=KEY) as kit:
            account, problem = kit.connect(
                self.network, mine.credentials, name="emulated", endpoint=mine.endpoint
            )
            assert problem is None, problem
            limits = kit.plugins.network(self.network).limits_for(account)
            for number in range(1, posts + 1):
                title = f"The title of post {number}" if limits.title_required else None
                image = (Media(picture(number), "A line"),) if self.network in WITH_IMAGE else ()
                first = Part(f"The first part of post {number}.", media=image)
                texts: list[str | Part] = [first, f"The second part of post {number}."]
                post = Post(texts if limits.threads else texts[:1], title=title)
                self.names.append(kit.accept(kit.plan(post, [address])))
            network = kit.plugins.network(self.network)
            for row in _rows(kit.home.store_path, "SELECT id, rendition FROM part"):
                part = RenderedPart.from_json(_json(row["rendition"]), kit.media)
                if not network.guarantee(part, account).resend_when_absent:
                    self.may_ask.add(row["id"])
            self._store = kit.home.store_path.relative_to(self._template)
        with sqlite3.connect(self._template / self._store) as raw:
            raw.execute(TABLE)
        raw.close()

    @cached_property
    def points(self) -> list[str]:
        """Every point that an undisturbed run passes, in order."""
        run = self.begin()
        child = run.go()
        assert child.code == 0, child.notes
        assert run.settled().findings.violations == []
        return child.points

    def begin(self) -> Run:
        """A fresh copy, and a network where nothing has been posted."""
        self._reset()
        home = self._folder / f"run{next(self._numbers)}"
        shutil.copytree(self._template, home)
        return Run(self, home, home / self._store)


class Run:
    """One copy of the scene, and the processes that work at it one after the other or at once."""

    def __init__(self, scene: Scene, home: Path, store: Path) -> None:
        self.scene = scene
        self.home = home
        self.store = store
        self.asked = 0
        self.answers: list[str] = []
        self.story: list[str] = []
        self._numbers = itertools.count(1)

    def order(
        self,
        names: Sequence[str] | None = None,
        *,
        at: str | None = None,
        strike: Strike = "kill",
        lease: float | None = None,
        is_live: str | None = None,
        resend: bool = False,
    ) -> Order:
        trace = self.home / f"trace{next(self._numbers)}"
        self.story.append(f"{trace.name}: {strike} at {at}" if at else f"{trace.name}: clean")
        return Order(
            home=str(self.home),
            trace=str(trace),
            names=list(self.scene.names if names is None else names),
            at=at,
            strike=strike,
            lease=lease,
            is_live=is_live,
            resend=resend,
            by_worker=self.scene.by_worker,
        )

    def go(self, at: str | None = None) -> Child:
        """One process from its start to its end, killed at ``at``."""
        child = self.scene.forks.run(self.order(at=at))
        self.story += [note for note in child.notes if note.startswith("error")]
        return child

    def settled(self, lease: float | None = None) -> Outcome:
        """A clean process finishes; where it asks, a person looks and answers; then the verdict."""
        self.scene.forks.run(self.order(lease=lease))
        for _ in range(QUESTIONS):
            question = self.question()
            if question is None:
                break
            self.answer(question, lease)
        return self.outcome()

    def question(self) -> Question | None:
        """The first question that is open, and what a person would find."""
        facts = read(self.store, self.scene.server)
        known = {part.remote_id for part in facts.parts if part.remote_id}
        open_ones = [p for p in facts.parts if p.state == "UNCERTAIN" and p.asked]
        if not open_ones:
            return None
        part = open_ones[0]
        live = [
            post
            for post in self.scene.server.posts(self.scene.network)
            if post.text == part.text and post.id not in known
        ]
        rows = _rows(self.store, "SELECT id, publication_id FROM delivery")
        name = next(row["publication_id"] for row in rows if row["id"] == part.delivery)
        return Question(name, part, live[0].url if live else None)

    def answer(self, question: Question, lease: float | None = None) -> None:
        """Say truthfully what is there."""
        self.asked += 1
        link = question.link
        self.answers.append("is_live" if link else "resend")
        order = self.order([question.publication], is_live=link, resend=link is None, lease=lease)
        child = self.scene.forks.run(order)
        self.story.append(f"{question.part.id} asked, answered {self.answers[-1]}: {child.code}")
        self.story += [note for note in child.notes if note.startswith("error")]

    def outcome(self) -> Outcome:
        facts = read(self.store, self.scene.server)
        findings = check(facts, may_ask=self.scene.may_ask)
        return Outcome(findings, facts, self.asked, self.story)

    def clear(self) -> None:
        """Drop the copy of a run that went well."""
        shutil.rmtree(self.home)


Stage = Callable[[str], Scene]


def faults_of(outcome: Outcome) -> str:
    """Why a run is not as it must be; "" where each part is live, once."""
    if outcome.findings.violations:
        return outcome.told()
    if set(outcome.states) != {"LIVE"}:
        return "Not everything is live.\n" + outcome.told()
    if any(len(verdict.accepted) != 1 for verdict in outcome.findings.verdicts):
        return "Not exactly one post each.\n" + outcome.told()
    return ""


@contextmanager
def staged(posts: int = 1, *, by_worker: bool = True) -> Iterator[Stage]:
    """Scenes by network, over one emulator and one fork server; ``by_worker`` says whether the
    processes are workers, or finish publications by their ids.

    The homes are in memory where the system has such a folder: that a commit reaches the disk
    matters when the power fails, not when a process dies, and costs half of the time.
    """
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    scenes: dict[str, Scene] = {}
    with (
        tempfile.TemporaryDirectory(prefix="postkit-crash-", dir=where) as folder,
        EmulatorServer(Plugins().emulators()) as server,
        Forks() as forks,
    ):

        def stage(name: str) -> Scene:
            if name not in scenes:
                home = Path(folder) / name.replace(" ", "-")
                scenes[name] = Scene(server, forks, home, name, posts, by_worker=by_worker)
            return scenes[name]

        yield stage


def _rows(store: Path, sql: str) -> list[sqlite3.Row]:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def _json(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(text)
    return found

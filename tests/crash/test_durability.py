"""The power fails at any moment: what was promised is still there.

Deliveries run over a layer that writes down every write and sync of the store. From each prefix
of that record the disk is built as a power cut may leave it: what was synced is certain, of what
was written since any part may be there. Each such disk is opened and held against what the
server had got and what the program had been told by then.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from postkit.deliver.steps import Progress
from postkit.ids import part_id
from postkit.kit import Kit
from postkit.network import Guarantee
from postkit.post import Post
from postkit.store.database import Database
from tests.wire.board import KEY, Board, HandClock, Plugin, Server, kit_of

from .checker import check
from .facts import read_with_board
from .powercut import Disk, Files
from .vfs import Delete, Entry, Mark, Recorder, Sync, Vfs

FULL = os.environ.get("POSTKIT_CRASH") == "full"
ROUNDS, DELIVERIES = (25, 8) if FULL else (1, 4)
CHECKPOINTS = (60, 20, 1000)
SEED = 3
STORE = "postkit.db"
ON_ITS_WAY = frozenset({"SENDING", "IN_DOUBT", "UNCERTAIN", "LIVE"})


# What a test notes in the record


@dataclass(frozen=True, slots=True)
class Accepted:
    """The program was told that these parts are kept."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Create:
    """The server got a create under that key, and made ``post`` of it or nothing."""

    key: str
    post: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Live:
    """The program was told that the part is live."""

    part: str


class Answering:
    """The board's server: what it does with a create stands in the text, and is done once."""

    def __init__(self, note: Callable[[Create], None], clock: HandClock) -> None:
        self.posts: list[dict[str, Any]] = []
        self.seen: Counter[str] = Counter()
        self.note = note
        self.clock = clock
        self.lock = threading.Lock()

    def create(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None: no answer."""
        text = body["text"]
        with self.lock:
            self.seen[text] += 1
            is_first = self.seen[text] == 1
            post = {"id": str(len(self.posts) + 1), "at": self.clock.now().isoformat(), **body}
            is_made = not (is_first and "dropped" in text)
            if is_made:
                self.posts.append(post)
            self.note(Create(body["key"], post if is_made else None))
        return post if is_made and not (is_first and "lost" in text) else None


class Handler(BaseHTTPRequestHandler):
    board: ClassVar[Answering]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        post = self.board.create(body)
        if post is None:
            self.close_connection = True
        else:
            self._answer(post)

    def do_GET(self) -> None:
        self._answer(list(self.board.posts))

    def _answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def answering(board: Answering) -> Iterator[str]:
    """The address of a server that answers as ``board`` says; it may be exchanged meanwhile."""
    handler = type("Bound", (Handler,), {"board": board})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


# The record of a run


def reading() -> Board:
    return Board(Guarantee("read_back", quiet=0.2, resend_when_absent=True))


def opened(home: Path, clock: HandClock) -> Kit:
    return Kit(home=home, key=KEY, plugins=[Plugin(reading())], clock=clock)


@dataclass(frozen=True, slots=True)
class Record:
    """What a run did to its files (``base`` before it) and what was noted meanwhile."""

    home: Path
    server: Answering
    base: dict[str, bytes]
    entries: tuple[Entry, ...]


@contextmanager
def recorded(
    home: Path, deliveries: int, *, checkpoint: int = 60, synchronous: str | None = None
) -> Iterator[Record]:
    """Publish threads of two, two at a time; the server lives on until the end of the block.

    ``checkpoint``: pages, few, so that checkpoints and the reuse of the log are in the record.
    ``synchronous`` overrides the store's own.
    """
    recorder = Recorder()
    server = Answering(recorder.mark, HandClock())
    with answering(server) as url:
        home.mkdir(parents=True, exist_ok=True)
        uncapped = '[networks.board]\ncap_per_day = "none"\ncap_burst = "none"\n'
        (home / "postkit.toml").write_text(uncapped, "utf-8")
        kit_of(home, Server(url), reading()).close()
        base = {"": (home / STORE).read_bytes()}
        with Vfs(home / STORE, recorder) as vfs, opened(home, server.clock) as kit:
            connection = kit._database._connection
            connection.execute(f"PRAGMA wal_autocheckpoint={checkpoint}").close()
            if synchronous is not None:
                connection.execute(f"PRAGMA synchronous={synchronous}").close()
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda number: deliver(kit, recorder, number), range(deliveries)))
            vfs.recorder = None
        yield Record(home, server, base, tuple(recorder.entries))


def deliver(kit: Kit, recorder: Recorder, number: int) -> None:
    fate = ("", " lost", " dropped", "")[number % 4]
    post = Post([f"{number} first{fate}", f"{number} second"])
    name = kit.accept(kit.plan(post, ["board"]))
    [delivery] = kit.report(name).deliveries
    recorder.mark(Accepted(tuple(part.id for part in delivery.parts)))

    def watch(progress: Progress) -> None:
        if progress.state == "live":
            recorder.mark(Live(part_id(progress.delivery_id, progress.part)))

    report = kit.finish(name, wait=30, watch=watch)
    for part in report.deliveries[0].parts:
        assert part.state == "LIVE"
        recorder.mark(Live(part.id))


# What must hold


@dataclass
class Promises:
    """What the world knows by a moment."""

    accepted: set[str] = field(default_factory=set)
    live: set[str] = field(default_factory=set)
    creates: Counter[str] = field(default_factory=Counter)
    posts: list[dict[str, Any]] = field(default_factory=list)

    def take(self, what: Accepted | Create | Live) -> None:
        if isinstance(what, Accepted):
            self.accepted.update(what.parts)
        elif isinstance(what, Live):
            self.live.add(what.part)
        else:
            self.creates[what.key] += 1
            self.posts += [what.post] if what.post else []

    def broken(self, store: Path) -> list[str]:
        """What the store does not keep; the first word of each is the kind of promise."""
        with contextlib.closing(Database(store)) as database:
            said = [row[0] for row in database.read("PRAGMA integrity_check")]
            parts = database.read("SELECT id, key, state, attempts FROM part")
            told = database.read(
                "SELECT part_id, after FROM history WHERE id IN (SELECT max(id) FROM history "
                "WHERE part_id IS NOT NULL AND after IS NOT NULL GROUP BY part_id)"
            )
        states = {row["id"]: row["state"] for row in parts}
        attempts = {row["key"]: row["attempts"] for row in parts}
        by_key = {row["key"]: row["state"] for row in parts}
        found = [f"integrity: {line}" for line in said if line != "ok"]
        found += [f"accepted: {name}" for name in self.accepted if name not in states]
        # An attempt is counted in the transaction that writes SENDING, and nowhere else.
        found += [
            f"sending: {attempts.get(key, 0)} of {count} creates"
            for key, count in self.creates.items()
            if attempts.get(key, 0) < count
        ]
        found += [
            f"sending: made, and the part is {by_key.get(post['key'])}"
            for post in self.posts
            if by_key.get(post["key"]) not in ON_ITS_WAY
        ]
        found += [
            f"live: {name} is {states.get(name)}"
            for name in self.live
            if states.get(name) != "LIVE"
        ]
        found += [
            f"history: {row['part_id']} is {states.get(row['part_id'])}, told {row['after']}"
            for row in told
            if states.get(row["part_id"]) != row["after"]
        ]
        return found


@dataclass
class Judge:
    """Builds the disks of a record one after the other and counts what is broken on them."""

    record: Record
    folder: Path
    seed: int
    images: int = 0
    recoveries: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    first: str = ""

    def judge(self, *, whole: bool = True, recover: bool = False) -> None:
        """``whole``: also what was not synced, else only what is certain. ``recover``: a new
        process finishes on what is certain."""
        chance, syncs = random.Random(self.seed), 0
        disk, promises = Disk(dict(self.record.base), dict(self.record.base)), Promises()
        with Vfs(self.folder / STORE, counts_all=False) as vfs:
            vfs.syncs = False
            for number, entry in enumerate(self.record.entries):
                if isinstance(entry, Mark):
                    promises.take(entry.what)
                    continue
                assert not isinstance(entry, Delete)
                # Up to here the same disk was left, and the last moment promised the most.
                if isinstance(entry, Sync):
                    syncs += 1
                    self._look(number, "certain", disk.certain, promises)
                    if recover and (FULL or syncs % 3 == 0):
                        self._recover(number, disk.certain, promises)
                if whole:
                    self._looks(number, disk, promises, chance)
                disk.take(entry)
            end = len(self.record.entries)
            self._look(end, "certain", disk.certain, promises)
            if whole:
                self._looks(end, disk, promises, chance)

    def _looks(self, number: int, disk: Disk, promises: Promises, chance: random.Random) -> None:
        self._look(number, "whole", disk.whole, promises)
        for torn in (False, True, False, True) if FULL else (number % 2 == 1,):
            self._look(number, "some", disk.some(chance, torn=torn), promises)

    def _look(self, number: int, kind: str, files: Files, promises: Promises) -> None:
        self.images += 1
        self._lay(files)
        for line in promises.broken(self.folder / STORE):
            self.broken[line.partition(":")[0]] += 1
            self.first = self.first or f"seed {self.seed}, entry {number}, {kind}: {line}"

    def _lay(self, files: Files) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            (self.folder / (STORE + end)).unlink(missing_ok=True)
        for name, content in files.items():
            (self.folder / (STORE + name)).write_bytes(content)

    def _recover(self, number: int, files: Files, promises: Promises) -> None:
        """After the power is back: everything that was accepted is live once."""
        self.recoveries += 1
        self._lay(files)
        self.record.server.posts = list(promises.posts)
        with opened(self.folder, self.record.server.clock) as kit:
            for report in kit.publications(1000):
                ended = kit.finish(report.publication or "", wait=30)
                if not ended.ok:
                    self.broken["recovery"] += 1
                    self.first = self.first or f"entry {number}: recovered as {ended.to_json()}"
        facts = read_with_board(self.folder / STORE, self.record.server.posts)
        for violation in check(facts).violations:
            self.broken[violation.kind] += 1
            self.first = self.first or f"entry {number}: {violation}"


def judged(
    record: Record, folder: Path, seed: int = SEED, *, whole: bool = True, recover: bool = False
) -> Judge:
    shutil.copytree(record.home, folder)
    judge = Judge(record, folder, seed)
    judge.judge(whole=whole, recover=recover)
    return judge


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_what_was_promised_survives_the_loss_of_power(tmp_path: Path, number: int) -> None:
    checkpoint = CHECKPOINTS[number % len(CHECKPOINTS)]
    with recorded(tmp_path / "home", DELIVERIES, checkpoint=checkpoint) as record:
        judge = judged(record, tmp_path / "disk", SEED + number, recover=True)
    assert not judge.broken, judge.first
    # The record is what it is taken for: each part was sent, after two syncs at least.
    parts = 2 * DELIVERIES
    assert judge.recoveries >= 2 * parts // (1 if FULL else 3)
    assert judge.images > len(record.entries)
    assert len({post["text"] for post in record.server.posts}) == parts


def test_with_less_than_full_syncs_promises_break(tmp_path: Path) -> None:
    """So the test above can fail, and what it holds is owed to ``synchronous=FULL``."""
    with recorded(tmp_path / "home", DELIVERIES, synchronous="NORMAL") as record:
        judge = judged(record, tmp_path / "disk", whole=False)
    assert {"sending", "live", "accepted"} <= judge.broken.keys()
    # What is left is an older store, and no damaged one.
    assert {"integrity", "history"}.isdisjoint(judge.broken)


def test_a_disk_that_only_says_that_it_synced_is_found_out(tmp_path: Path) -> None:
    """Every sync of the log of writes is left out, those of the database itself are kept."""
    with recorded(tmp_path / "home", DELIVERIES) as record:
        kept = [entry for entry in record.entries if entry != Sync("-wal")]
        judge = judged(replace(record, entries=tuple(kept)), tmp_path / "disk", whole=False)
    assert {"sending", "live"} <= judge.broken.keys()

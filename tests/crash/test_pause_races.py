"""`pause` against workers in other processes, at a random moment: once it is written down, no
request of what is paused is let go any more, and what is on its way is listed.

The moment is exact. Ids of history are given out in the order of the commits, and a trigger keeps
the highest one in the very transaction of the pause: any SENDING behind it is a fault. The server
notes when it made each post, by the clock of the machine, which all these processes share.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from postkit.kit import Kit
from tests.wire.board import KEY, TOKEN, Board, Plugin, Server, serving

from .checker import check
from .facts import read_with_board

FULL = os.environ.get("POSTKIT_CRASH") == "full"
QUICK = os.environ.get("POSTKIT_CRASH") == "quick"
RACES = 1000 if FULL else 60 if QUICK else 200
SHARES = 4
SEED = "pause 1"
ROOT = Path(__file__).parents[2]
ACCOUNTS = ("a", "b", "c")
POSTS = 2
"""Posts for each account in one race."""
SPREAD = 0.12
"""Seconds within which the pause comes; as long as it takes to send all posts of a race."""
SLOWEST = 0.006
"""Seconds that the server takes for an answer, at most."""
WITNESS = """
CREATE TABLE race (pause TEXT, last_line INTEGER);
CREATE TRIGGER race AFTER INSERT ON pause BEGIN
  INSERT INTO race SELECT new.address, max(id) FROM history;
END;
"""


@dataclass
class Track:
    """A home with three accounts, its server, and the processes that race on it."""

    kit: Kit
    server: Server
    dice: random.Random
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, role: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.racing", role, self.kit.home.path, SEED],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.processes.append(process)
        hear(process)
        return process

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.kit.home.store_path)) as raw:
            return raw.execute(statement, values).fetchall()

    def lines(self) -> int:
        found: int = self.read("SELECT max(id) FROM history")[0][0]
        return found

    def settle(self, names: Sequence[str], paused: set[str]) -> list[Part]:
        """The parts, when those of ``paused`` accounts are live or held, and all others live."""
        marks = ", ".join("?" for _ in names)
        end = time.monotonic() + 20
        while True:
            rows = self.read(
                "SELECT part.id, part.delivery_id, part.account_id, part.state, "
                "json_extract(part.rendition, '$.text'), part.key FROM part "
                "JOIN delivery ON delivery.id = part.delivery_id "
                f"WHERE delivery.publication_id IN ({marks})",
                *names,
            )
            parts = [Part(*row) for row in rows]
            if all(
                part.state == "LIVE" or (part.state == "HELD" and part.account in paused)
                for part in parts
            ):
                return parts
            assert time.monotonic() < end, parts
            time.sleep(0.004)


@dataclass(frozen=True)
class Part:
    """A part as the store has it."""

    id: str
    delivery: str
    account: str
    state: str
    text: str
    key: str | None


def hear(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "a process of the race has ended"
    message: dict[str, Any] = json.loads(line)
    return message


def tell(process: subprocess.Popen[str], **order: Any) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    return hear(process)


@contextmanager
def track(home: Path, seed: str) -> Iterator[Track]:
    home.mkdir(parents=True, exist_ok=True)
    uncapped = '[networks.board]\ncap_per_day = "none"\ncap_burst = "none"\n'
    (home / "postkit.toml").write_text(uncapped, "utf-8")
    with serving() as server, Kit(home, key=KEY, plugins=[Plugin(Board())]) as kit:
        for name in ACCOUNTS:
            kit.connect("board", {"token": TOKEN}, name=name, endpoint=server.url)
        with closing(sqlite3.connect(kit.home.store_path)) as raw:
            raw.executescript(WITNESS)
        run = Track(kit, server, random.Random(seed))
        server.script = Slow(run.dice)
        try:
            yield run
        finally:
            for process in run.processes:
                if process.stdin is not None:
                    process.stdin.close()
            for process in run.processes:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                if process.stdout is not None:
                    process.stdout.close()


class Slow(list[Any]):
    """A script of the server without an end: each answer takes a while."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice

    def __bool__(self) -> bool:
        return True

    def pop(self, *_: Any) -> Any:
        seconds = self._dice.uniform(0, SLOWEST)
        return lambda: time.sleep(seconds)


@dataclass
class Race:
    """One race, and what it left."""

    faults: list[str] = field(default_factory=list)
    listed: int = 0
    held: int = 0
    live: int = 0


SCOPES: Sequence[Sequence[str]] = ((), ("board",), ("board:a",), ("board:b", "board:c"))


def race(run: Track, number: int, pauser: subprocess.Popen[str]) -> Race:
    kit, dice = run.kit, run.dice
    addresses = dice.choice(SCOPES)
    accounts = {account.name: account.id for account in kit.accounts}
    named = [name.partition(":")[2] for name in addresses if ":" in name]
    scope = {accounts[name] for name in named or ACCOUNTS}
    assert pauser.stdin is not None
    order = {"at": time.monotonic() + dice.uniform(0, SPREAD), "addresses": addresses}
    pauser.stdin.write(json.dumps(order) + "\n")
    pauser.stdin.flush()
    names = []
    first = len(run.server.posts)
    for post in range(POSTS):
        plan = kit.plan(f"race {number} post {post}", [f"board:{name}" for name in ACCOUNTS])
        names.append(kit.accept(plan))
    # A program that publishes in the foreground, beside the workers.
    foreground = threading.Thread(target=kit.finish, args=(names[-1],), kwargs={"wait": 0})
    foreground.start()
    said = hear(pauser)
    foreground.join()
    parts = run.settle(names, scope)
    result = judge(run, parts, scope, said)
    if dice.random() < 0.5:
        held = tell(pauser, send=True)["held"]
    else:
        held = tell(pauser, send=False)["held"]
        before = run.lines()
        time.sleep(0.02)
        if run.lines() != before:
            result.faults.append("something moved after unpause without --send")
        for name in held:
            kit.release(name)
    if set(held) != {part.delivery for part in parts if part.state == "HELD"}:
        result.faults.append(f"unpause listed {held}")
    run.settle(names, set())
    # Those of earlier races stay: the server makes its ids by counting.
    made = sorted(post["text"] for post in run.server.posts[first:])
    wanted = sorted(f"race {number} post {post}" for post in range(POSTS) for _ in ACCOUNTS)
    if made != wanted:
        result.faults.append(f"at the network in the end: {made}")
    return result


def judge(run: Track, parts: Sequence[Part], scope: set[str], said: dict[str, Any]) -> Race:
    result = Race()
    last = run.read("SELECT last_line FROM race ORDER BY rowid DESC LIMIT 1")[0][0] or 0
    listed = set(said["listed"])
    returned = datetime.fromtimestamp(said["returned"], UTC)
    late = {
        (post["text"], post["key"])
        for post in run.server.posts
        if datetime.fromisoformat(post["at"]) > returned
    }
    for part in parts:
        if part.account not in scope:
            if part.state != "LIVE":
                result.faults.append(f"{part.id} is {part.state} and was not paused")
            continue
        lines = run.read("SELECT id, event, after FROM history WHERE part_id = ?", part.id)
        sends = [line for line, event, _ in lines if event == "send"]
        if any(line > last for line in sends):
            result.faults.append(f"{part.id}: SENDING in line {sends}, paused at line {last}")
        then = [after for line, _, after in lines if line <= last]
        if (part.delivery in listed) != (bool(then) and then[-1] in ("SENDING", "IN_DOUBT")):
            result.faults.append(f"{part.id}: listed {part.delivery in listed}, was {then[-1:]}")
        if (part.text, part.key) in late and part.delivery not in listed:
            result.faults.append(f"{part.id}: its request came after the pause, unlisted")
        if part.state != ("LIVE" if sends else "HELD"):
            result.faults.append(f"{part.id} is {part.state} after {len(sends)} sends")
        result.listed += part.delivery in listed
        result.held += part.state == "HELD"
        result.live += part.state == "LIVE"
    return result


@pytest.mark.timeout(900 if FULL else 120)
@pytest.mark.parametrize("share", range(SHARES))
def test_nothing_is_let_go_after_a_pause(tmp_path: Path, share: int) -> None:
    began = time.monotonic()
    whole = Race()
    with track(tmp_path, f"{SEED} {share}") as run:
        run.start("sender")
        run.start("sender")
        pauser = run.start("pauser")
        for number in range(share, RACES, SHARES):
            result = race(run, number, pauser)
            assert not result.faults, f"race {number}: {result.faults}"
            whole.listed += result.listed
            whole.held += result.held
            whole.live += result.live
        judged = check(read_with_board(run.kit.home.store_path, run.server.posts))
        assert judged.violations == []
    # The pause came in the middle: some were held, some were live, some were on their way.
    assert min(whole.listed, whole.held, whole.live) > 0
    sys.stdout.write(
        f"{RACES // SHARES} races: {whole.listed} listed, {whole.held} held, {whole.live} live, "
        f"{time.monotonic() - began:.1f} s\n"
    )


@pytest.mark.timeout(60)
def test_the_races_find_a_gate_that_does_not_look_again(tmp_path: Path) -> None:
    """With workers that look at a pause only when they claim."""
    with track(tmp_path, SEED) as run:
        run.start("careless")
        pauser = run.start("pauser")
        faults: list[str] = []
        for number in range(40):
            faults += race(run, number, pauser).faults
            if faults:
                break
    assert any("SENDING in line" in fault for fault in faults)

"""What a crash left behind, as plain facts: the store's rows and what the network accepted."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postkit.clock import micros

if TYPE_CHECKING:
    from postkit.emulator.server import EmulatorServer

WITNESS = "witness"
"""A table of the tests: which process wrote a line of history, and the fences at that moment."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One post that the network made. ``account`` is the store's id of it; ``at`` in microseconds
    since 1970; ``key`` is the idempotency key that it came with, where that is known."""

    network: str
    account: str
    text: str
    parent: str | None
    remote_id: str
    at: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """One request that could have made a post, answered or not."""

    account: str
    at: int


@dataclass(frozen=True, slots=True)
class PartFact:
    """A part as the store has it. ``waits_until``: nobody is late before (microseconds)."""

    id: str
    delivery: str
    account: str
    position: int
    state: str
    text: str
    key: str | None = None
    remote_id: str | None = None
    asked: bool = False
    held_reason: str | None = None
    waits_until: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of history. ``raw`` is the row; ``writer`` and ``fences`` come from the witness."""

    raw: Mapping[str, Any]
    writer: str | None = None
    fences: tuple[int, ...] = ()

    @property
    def id(self) -> int:
        return int(self.raw["id"])

    @property
    def account(self) -> str:
        return str(self.raw["account_id"])

    @property
    def part(self) -> str | None:
        return None if self.raw["part_id"] is None else str(self.raw["part_id"])

    @property
    def at(self) -> int:
        return int(self.raw["at"])

    @property
    def event(self) -> str:
        return str(self.raw["event"])

    @property
    def before(self) -> str | None:
        return None if self.raw["before"] is None else str(self.raw["before"])

    @property
    def after(self) -> str | None:
        return None if self.raw["after"] is None else str(self.raw["after"])

    @property
    def is_true(self) -> bool:
        """Whether its hash is that of all its columns but the hash."""
        rest = {name: value for name, value in self.raw.items() if name != "hash"}
        return bool(self.raw["hash"] == hash_of(rest))


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is judged. Parts in the order of delivery and position, lines by their number."""

    parts: Sequence[PartFact]
    lines: Sequence[Line]
    accepted: Sequence[Accepted] = ()
    creates: Sequence[Create] = ()
    sound: str = "ok"
    """What ``PRAGMA integrity_check`` says."""
    accounts: Mapping[str, str] = field(default_factory=dict)
    """Account id -> network."""


def hash_of(line: Mapping[str, Any]) -> str:
    text = json.dumps(dict(line), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(store: Path, server: EmulatorServer | None = None) -> Facts:
    """The facts of a store, and of the emulator that its accounts talk to (one account for each
    network). The file is opened for reading alone."""
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        sound = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        accounts = {
            row["id"]: row["network"]
            for row in connection.execute("SELECT id, network FROM account")
        }
        parts = [
            _part(dict(row))
            for row in connection.execute("SELECT * FROM part ORDER BY delivery_id, position")
        ]
        witness = _witness(connection)
        lines = [
            Line(dict(row), *witness.get(row["id"], (None, ())))
            for row in connection.execute("SELECT * FROM history ORDER BY id")
        ]
    finally:
        connection.close()
    accepted, creates = ([], []) if server is None else of_emulator(server, accounts)
    return Facts(parts, lines, accepted, creates, sound, accounts)


def read_with_board(store: Path, posts: Iterable[Mapping[str, Any]]) -> Facts:
    """The facts of a store, and of the posts of a notice board (``tests/wire/board.py``). Its
    accounts may share it: the key tells whose a post is."""
    facts = read(store)
    owners = {part.key: part.account for part in facts.parts}
    accepted = [
        Accepted(
            "board",
            owners.get(post["key"], "nobody"),
            post["text"],
            post["parent"] or None,
            post["id"],
            micros(datetime.fromisoformat(post["at"])),
            post["key"],
        )
        for post in posts
    ]
    return replace(facts, accepted=accepted)


def _part(row: Mapping[str, Any]) -> PartFact:
    waits = [row["due_at"], row["not_before"]]
    return PartFact(
        id=row["id"],
        delivery=row["delivery_id"],
        account=row["account_id"],
        position=row["position"],
        state=row["state"],
        text=json.loads(row["rendition"])["text"],
        key=row["key"],
        remote_id=row["remote_id"],
        asked=row["question"] is not None,
        held_reason=row["held_reason"],
        waits_until=max(int(wait) for wait in waits),
    )


def _witness(connection: sqlite3.Connection) -> dict[int, tuple[str, tuple[int, ...]]]:
    there = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name", {"name": WITNESS}
    ).fetchone()
    if there is None:
        return {}
    rows = connection.execute(f"SELECT line, writer, part_fence, account_fence FROM {WITNESS}")
    return {row[0]: (str(row[1]), (row[2], row[3])) for row in rows}


def of_emulator(
    server: EmulatorServer, accounts: Mapping[str, str]
) -> tuple[list[Accepted], list[Create]]:
    """The posts and the creates since its reset. ``accounts``: id -> network."""
    by_network = {network: account for account, network in accounts.items()}
    accepted = [
        Accepted(
            post.network,
            by_network[post.network],
            post.text,
            post.parent,
            post.id,
            micros(post.live_at),
        )
        for post in server.posts()
        if post.network in by_network
    ]
    creates = [
        Create(by_network[entry.network], micros(entry.at))
        for entry in server.requests()
        if entry.create and entry.network in by_network
    ]
    return accepted, creates

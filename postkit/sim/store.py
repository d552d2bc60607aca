"""The store of a simulated machine: SQLite in memory, and the real Database on top of it.

Only the opening differs from the product's: nothing is synced, since nothing outlives this
interpreter. All processes of the machine share one connection, of which one is used at a time;
who is interrupted in the middle of a transaction keeps the lock, and his transaction is repeated
statement by statement when he goes on, so that others read what was there before, as they would.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..store.database import BUSY_SECONDS, Database, _migrations, statements
from .faults import PointName

if TYPE_CHECKING:
    from .timeline import Time

COMMIT_TIME = 1000
"""Microseconds of simulated time that a commit takes."""
NEXT = (
    "SELECT min(max(ready_at, resume_at)) FROM account "
    "WHERE state <> 'needs_login' AND ready_at IS NOT NULL"
)
TABLES = (
    "outbox", "budget", "worker", "fact", "pause", "history", "part", "delivery", "publication",
    "media", "account",
)  # fmt: skip


class User(Protocol):
    """Who uses the store: a process, or a person's program that nothing interrupts."""

    dead: bool

    def check(self) -> None:
        """Raises where it is dead."""

    def point(self, name: PointName) -> float:
        """It has come to this point. Returns the seconds for which it is to be held up there;
        negative: the store refuses."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def stop(self, seconds: float) -> None:
        """Be stopped, without a sign of life."""

    def committed(self, changes: list[tuple[str, str, int]]) -> None:
        """(state, part, fence) of what was just committed."""


class Store:
    """One connection, emptied for each schedule, so that its statements stay prepared."""

    def __init__(self) -> None:
        self.raw = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512
        )
        weakref.finalize(self, self.raw.close)
        self.raw.row_factory = sqlite3.Row
        for script in _migrations():
            for statement in statements(script):
                self.raw.execute(statement)
        # Emptied for each schedule, which nobody but this may do.
        self.raw.execute("DROP TRIGGER history_undeleted")
        self.raw.execute("PRAGMA foreign_keys=ON")
        # Where a statement needs a table of its own, SQLite would open a file for it.
        self.raw.execute("PRAGMA temp_store=MEMORY")
        tables = {
            row["name"]
            for row in self.raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        }
        self._tables = [*TABLES, *sorted(tables.difference(TABLES))]
        self.holder: User | None = None
        self._next: int | None = None
        self.changed = True

    def reset(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")
        self.raw.execute("BEGIN")
        for table in self._tables:
            self.raw.execute(f"DELETE FROM {table}")  # noqa: S608 - names out of the schema
        self.raw.execute("DELETE FROM sqlite_sequence")
        self.raw.execute("COMMIT")
        self.holder = None
        self.changed = True

    def next_at(self) -> int | None:
        """When an account is ready, as the wall clock shows it."""
        if self.changed:
            self._next = self.raw.execute(NEXT).fetchone()[0]
            self.changed = False
        return self._next


class Gate:
    """What one process sees of the connection: all goes through, as long as it lives."""

    def __init__(self, store: Store, user: User, time: Time) -> None:
        self._store = store
        self._raw = store.raw
        self._user = user
        self._time = time
        self._open = False
        self._log: list[tuple[str, Any]] = []
        self._changes: list[tuple[str, str, int]] = []

    @property
    def in_transaction(self) -> bool:
        return self._open and not self._user.dead

    def close(self) -> None:
        pass

    def execute(self, sql: str, values: Mapping[str, Any] | tuple[()] = ()) -> sqlite3.Cursor:
        if self._user.dead:
            self._user.check()
        if self._open:
            if sql == "COMMIT":
                return self._commit()
            if sql == "ROLLBACK":
                self._open = False
                return self._raw.execute(sql)
            self._log.append((sql, values))
            self._note(values)
        elif sql == "BEGIN IMMEDIATE":
            return self._begin()
        return self._raw.execute(sql, values)

    def _note(self, values: Any) -> None:
        if "old_fence" in values:
            self._changes.append((values["after"], values["id"], values["fence"]))
        elif "state" in values and values["state"] == "needs_login":
            self._changes.append(("needs_login", values["id"], 0))

    def _begin(self) -> sqlite3.Cursor:
        if self._user.point("before BEGIN") < 0:
            raise sqlite3.OperationalError("database is locked")
        waited = 0.0
        while self._store.holder is not None:
            if waited >= BUSY_SECONDS:
                raise sqlite3.OperationalError("database is locked")
            self._user.sleep(1.0)
            waited += 1.0
        cursor = self._raw.execute("BEGIN IMMEDIATE")
        self._open = True
        self._log = []
        self._changes = []
        return cursor

    def _commit(self) -> sqlite3.Cursor:
        held = self._user.point("before COMMIT")
        if held < 0:
            raise sqlite3.OperationalError("disk I/O error")
        if held > 0:
            self._hold(held)
        cursor = self._raw.execute("COMMIT")
        self._open = False
        self._store.changed = True
        self._time.now += COMMIT_TIME
        self._user.committed(self._changes)
        if self._user.point("after COMMIT") < 0:
            raise sqlite3.OperationalError("disk I/O error")
        return cursor

    def _hold(self, seconds: float) -> None:
        self._raw.execute("ROLLBACK")
        self._store.holder = self._user
        try:
            self._user.stop(seconds)
        finally:
            self._store.holder = None
        self._raw.execute("BEGIN IMMEDIATE")
        for sql, values in self._log:
            self._raw.execute(sql, values).fetchall()

    def abandon(self) -> None:
        """The process has died: its transaction is gone."""
        if self._open and self._raw.in_transaction:
            self._raw.execute("ROLLBACK")
        self._open = False


class SimDatabase(Database):
    """The real reads, writes and commits, over a connection that somebody may cut off."""

    def __init__(self, gate: Gate) -> None:
        self.path = Path("simulated.db")
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue = []
        self._busy = BUSY_SECONDS
        self._reopen = False
        self._connection: Any = gate

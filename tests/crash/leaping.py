"""A clock that several processes share, where only sleeping takes time and idleness is leapt over.

What one test calls two hours takes the real time of the work that is done in them.
"""

from __future__ import annotations

import contextlib
import mmap
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from postkit.clock import micros, moment
from postkit.deliver.owner import is_dead
from postkit.engine.worker import POLL

SECOND = 1_000_000
STRIDE = 600.0
"""Seconds of one leap at most: a worker's chores come by."""
STANDING = 5.0
"""Real seconds for which the clock stands while somebody is busy; then it goes on, slowly."""
NEXT = """
SELECT min(max(ready_at, resume_at)) FROM account
WHERE ready_at IS NOT NULL AND state <> 'needs_login' AND removed_at IS NULL
"""
BUSY = "SELECT DISTINCT owner FROM part WHERE state IN ('CLAIMED', 'SENDING')"


class LeapingClock:
    """The wall shows ``start`` at first, and can be set; the monotonic time cannot.

    The clock stands while a living process has claimed a part of the store, so that no request
    takes any time. A worker that has nothing to do is taken to just before the next thing to do.
    """

    def __init__(self, file: Path, start: datetime | None = None, stride: float = STRIDE) -> None:
        if start is not None:
            file.write_bytes(struct.pack("=qq", 0, micros(start)))
        self.file = file
        self.store: Path | None = None
        self.stride = stride
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 16)
        self._guard = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._standing_since: float | None = None
        self._alarms: list[tuple[int, Callable[[], object]]] = []

    def close(self) -> None:
        """Let go of the store. The time can still be read: a server may have a last answer."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def now(self) -> datetime:
        return moment(self.wall)

    def monotonic(self) -> float:
        return self.passed / SECOND

    @property
    def passed(self) -> int:
        """Microseconds since its start."""
        return int(struct.unpack_from("=q", self._shared, 0)[0])

    @property
    def wall(self) -> int:
        passed, start = struct.unpack_from("=qq", self._shared, 0)
        return int(passed + start)

    def set(self, by: timedelta) -> None:
        """Somebody sets the wall clock forward, or back."""
        with self._guard:
            (start,) = struct.unpack_from("=q", self._shared, 8)
            struct.pack_into("=q", self._shared, 8, start + by // timedelta(microseconds=1))

    def leap(self, seconds: float) -> None:
        """Let the time pass."""
        with self._guard:
            struct.pack_into("=q", self._shared, 0, self.passed + int(seconds * SECOND))

    def alarm(self, seconds: float, act: Callable[[], object]) -> None:
        """Call it when the monotonic clock has come so far from now, by whoever sleeps then in
        this process. Nothing leaps past it."""
        with self._guard:
            self._alarms.append((self.passed + int(seconds * SECOND), act))

    def sleep(self, seconds: float) -> None:
        until = self.passed + int(seconds * SECOND)
        with self._guard, self._quiet() as store:
            left = until - self.passed
            if store is not None and self._is_busy(store) and not self._stands_for_long():
                left = 0
            elif left > 0:
                if store is not None and seconds >= POLL:
                    left = max(left, self._idle(store))
                left = min(left, *(max(at - self.passed, 0) for at, _ in self._alarms), left)
                struct.pack_into("=q", self._shared, 0, self.passed + left)
            rung = [act for at, act in self._alarms if at <= self.passed]
            self._alarms = [(at, act) for at, act in self._alarms if at > self.passed]
        for act in rung:
            act()
        if left <= 0:
            time.sleep(0.002)

    # Inside

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[sqlite3.Connection | None]:
        """While it is open nobody writes into the store, so nobody begins anything."""
        if self._connection is None and self.store is not None and self.store.exists():
            self._connection = sqlite3.connect(
                self.store, timeout=30, isolation_level=None, check_same_thread=False
            )
        if self._connection is None:
            yield None
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        finally:
            self._connection.execute("ROLLBACK")

    def _is_busy(self, store: sqlite3.Connection) -> bool:
        owners = [str(row[0]) for row in store.execute(BUSY)]
        if any(not is_dead(owner) for owner in owners):
            return True
        self._standing_since = None
        return False

    def _stands_for_long(self) -> bool:
        if self._standing_since is None:
            self._standing_since = time.monotonic()
        return time.monotonic() - self._standing_since > STANDING

    def _idle(self, store: sqlite3.Connection) -> int:
        """Microseconds until half a look before there is something to do."""
        at = store.execute(NEXT).fetchone()[0]
        if at is None:
            return int(self.stride * SECOND)
        return min(int(self.stride * SECOND), int(at) - self.wall - int(POLL * SECOND / 2))

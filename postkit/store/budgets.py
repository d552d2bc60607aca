"""How many calls are left: one durable count for each account and app, exact over processes.

The promise is that no window of ``seconds``, wherever it begins, holds more than ``calls``.
A leaky bucket (GCRA) that allows ``calls`` at once lets nearly twice as many into one window;
one that keeps the promise has to halve burst or flow. So a window is counted in ten slices. A
call counts from its own slice until ten more have passed: all ``calls`` may be spent at once,
and each comes back between one window and one window and a tenth later. The flow that can be
kept up is at least 10/11 of what is declared.

Times are integer microseconds since 1970. A budget's time never runs backwards: a clock that
was set back by less than a window is waited for, and after a larger step everything counted is
as young as now. Neither frees a call, and neither blocks for longer than two windows and a slice.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Holder = Literal["account", "app", "address"]
"""Whose calls are counted together: an account's, an app's (a client's), an IP address's."""

SLICES = 10
RING = SLICES + 1
LONGEST_BLOCK = 86_400 * 1_000_000
"""Microseconds. No network's limit is longer, and a wrong clock must not block for ever."""

EVERYTHING = ""
"""The bucket whose block holds for all calls of its scope."""

_COLUMNS = [f"n{number}" for number in range(RING)]
_KEY = "tenant = :tenant AND scope = :scope AND bucket = :bucket"
# Column i holds the count of one slice whose number is i modulo the ring. In the ring that ends
# now it is slice :m<i>: a row that ends before that holds an older one there, which counts no more.
_KEPT = [f"CASE WHEN budget.slice >= :m{i} THEN budget.n{i} ELSE 0 END" for i in range(RING)]
_ADDED = [
    f"CASE WHEN budget.slice <= :slice THEN excluded.n{i} "
    f"WHEN budget.slice % {RING} = {i} THEN :count ELSE 0 END"
    for i in range(RING)
]
_TAKE = f"""
INSERT INTO budget (tenant, scope, bucket, calls, seconds, slice, {", ".join(_COLUMNS)}, updated_at)
VALUES (:tenant, :scope, :bucket, :calls, :seconds, :slice,
        {", ".join(f":{name}" for name in _COLUMNS)}, :now)
ON CONFLICT (tenant, scope, bucket) DO UPDATE SET
  {", ".join(f"n{i} = {_KEPT[i]} + {_ADDED[i]}" for i in range(RING))},
  calls = :calls, updated_at = :now,
  slice = CASE WHEN budget.slice > :slice THEN budget.slice ELSE :slice END
WHERE budget.seconds = :seconds AND budget.slice <= :latest AND budget.blocked_until <= :now
  AND :count + {" + ".join(_KEPT)} <= :calls
RETURNING slice
"""  # noqa: S608 - made of the column names above
_READ = f"SELECT seconds, slice, blocked_until, {', '.join(_COLUMNS)} FROM budget WHERE {_KEY}"  # noqa: S608
_WRITE = f"""
UPDATE budget SET seconds = :seconds, slice = :slice, blocked_until = :blocked_until,
  updated_at = :now, {", ".join(f"{name} = :{name}" for name in _COLUMNS)} WHERE {_KEY}
"""  # noqa: S608
_BLOCK = """
INSERT INTO budget (tenant, scope, bucket, calls, seconds, slice, blocked_until, updated_at)
VALUES (:tenant, :scope, :bucket, 0, 0, 0, :until, :now)
ON CONFLICT (tenant, scope, bucket) DO UPDATE SET blocked_until = :until, updated_at = :now
WHERE budget.blocked_until < :until
"""


@dataclass(frozen=True, slots=True)
class Need:
    """``count`` calls out of a budget of at most ``calls`` in ``seconds`` seconds."""

    holder: Holder
    bucket: str
    calls: int
    seconds: int
    count: int = 1

    def __post_init__(self) -> None:
        if self.seconds < 1 or not 1 <= self.count <= self.calls:
            raise ValueError(
                f"{self.bucket}: {self.count} of {self.calls} calls in {self.seconds} seconds can "
                "never be allowed; all three must be above 0, and no more asked for than allowed."
            )


@dataclass(slots=True)
class _Row:
    seconds: int
    slice: int
    blocked_until: int
    counts: list[int]

    def alive(self, oldest: int) -> Iterator[tuple[int, int]]:
        """The slices that still count, oldest first: number, calls."""
        for number in range(max(oldest, self.slice - SLICES), self.slice + 1):
            if self.counts[number % RING]:
                yield number, self.counts[number % RING]


class Budgets:
    """The table ``budget`` of one tenant. Every method works in the caller's transaction.

    ``common`` are scopes that all tenants share: a network counts the calls of an app, or of an
    address, whoever they were made for.

    Read the clock inside that transaction: a time from before the wait for the lock counts
    calls as older than they are. Commit after a refusal too, or ``mend`` in a later one.
    """

    def __init__(self, tenant: str = "", common: Collection[str] = ()) -> None:
        self._tenant = tenant
        self._common = common

    def take(
        self,
        connection: sqlite3.Connection,
        scope: str,
        bucket: str,
        calls: int,
        seconds: int,
        now: int,
        count: int = 1,
    ) -> int | None:
        """Count ``count`` calls and return None, or return when they will be allowed.

        Raises ValueError where they never would be.
        """
        return self._take(connection, scope, Need("account", bucket, calls, seconds, count), now)

    def take_all(
        self,
        connection: sqlite3.Connection,
        scopes: Mapping[Holder, str],
        needs: Sequence[Need],
        now: int,
    ) -> int | None:
        """Count all of ``needs`` and return None, or count none and return when to ask again.

        A block of ``EVERYTHING`` in any of ``scopes`` is obeyed even where nothing is needed.
        Raises ValueError where two needs name one budget, since either could hide the other.
        """
        if len({(need.holder, need.bucket) for need in needs}) < len(needs):
            raise ValueError("Two needs name one budget; add their counts.")
        blocked = max((self.blocked(connection, s, now) or 0 for s in scopes.values()), default=0)
        if blocked:
            self.mend(connection, scopes, needs, now)
            return blocked
        if not needs:
            return None
        with _undone(connection) as undo:
            waits = [self._take(connection, scopes[need.holder], need, now) for need in needs]
            latest = max((wait for wait in waits if wait is not None), default=None)
            if latest is not None:
                undo()
        if latest is not None:
            self.mend(connection, scopes, needs, now)
        return latest

    def mend(
        self,
        connection: sqlite3.Connection,
        scopes: Mapping[Holder, str],
        needs: Sequence[Need],
        now: int,
    ) -> None:
        """Put right what a large step of the clock, or another window, has left behind.

        Taking does it too, so this is for who rolls a refusal back: without it calls that were
        counted by a later clock would look young at each attempt, until the clock is there.
        """
        for scope in scopes.values():
            self.blocked(connection, scope, now)
        for need in needs:
            self._mended(connection, scopes[need.holder], need, now)

    def block(
        self, connection: sqlite3.Connection, scope: str, bucket: str, until: int, now: int
    ) -> None:
        """Allow no call before ``until``, a day from now at most. Never moves a block earlier."""
        until = min(until, now + LONGEST_BLOCK)
        if until > now:
            values = {"scope": scope, "bucket": bucket, "until": until, "now": now}
            connection.execute(_BLOCK, {"tenant": self._whose(scope), **values})

    def blocked(
        self, connection: sqlite3.Connection, scope: str, now: int, bucket: str = EVERYTHING
    ) -> int | None:
        """When the block of this bucket ends; None where there is none."""
        row = self._read(connection, scope, bucket)
        if row is None or row.blocked_until <= now:
            return None
        if row.blocked_until > now + LONGEST_BLOCK:
            row.blocked_until = now + LONGEST_BLOCK
            self._write(connection, scope, bucket, row, now)
        return row.blocked_until

    def refund(
        self,
        connection: sqlite3.Connection,
        scope: str,
        bucket: str,
        taken_at: int,
        now: int,
        count: int = 1,
    ) -> None:
        """Give back calls that were counted at ``taken_at`` and provably not sent; once.

        What has left its window is not given back: it holds no place any more.
        """
        row = self._read(connection, scope, bucket)
        if row is None or row.seconds == 0:
            return
        first = min(_slice(taken_at, row.seconds), row.slice)
        if first < row.slice - SLICES:
            return
        # It was counted in this slice or, where the clock went back, in a later one. Of those
        # the oldest gives way: what stays can only leave later than it should, never earlier.
        for number, used in list(row.alive(first)):
            given = min(used, count)
            row.counts[number % RING] -= given
            count -= given
        self._write(connection, scope, bucket, row, now)

    def refund_all(
        self,
        connection: sqlite3.Connection,
        scopes: Mapping[Holder, str],
        needs: Sequence[Need],
        taken_at: int,
        now: int,
    ) -> None:
        """Undo one ``take_all``."""
        for need in needs:
            scope = scopes[need.holder]
            self.refund(connection, scope, need.bucket, taken_at, now, need.count)

    def _whose(self, scope: str) -> str:
        return "" if scope in self._common else self._tenant

    def _take(self, connection: sqlite3.Connection, scope: str, need: Need, now: int) -> int | None:
        if self._counted(connection, scope, need, now):
            return None
        mended = self._mended(connection, scope, need, now)
        if mended and self._counted(connection, scope, need, now):
            return None
        row = self._read(connection, scope, need.bucket)
        assert row is not None  # noqa: S101 - it refused
        free, oldest = now, _slice(now, need.seconds) - SLICES
        left = sum(used for _, used in row.alive(oldest))
        for number, used in row.alive(oldest):
            if left + need.count <= need.calls:
                break
            left -= used
            free = (number + RING) * _length(need.seconds)
        return max(free, row.blocked_until)

    def _counted(self, connection: sqlite3.Connection, scope: str, need: Need, now: int) -> bool:
        current = _slice(now, need.seconds)
        values: dict[str, Any] = {
            "tenant": self._whose(scope),
            "scope": scope,
            "bucket": need.bucket,
            "calls": need.calls,
            "seconds": need.seconds,
            "count": need.count,
            "slice": current,
            "latest": current + SLICES,
            "now": now,
        }
        for number in range(current - SLICES, current + 1):
            values[f"m{number % RING}"] = number
            values[f"n{number % RING}"] = 0
        values[f"n{current % RING}"] = need.count
        return bool(connection.execute(_TAKE, values).fetchall())

    def _mended(self, connection: sqlite3.Connection, scope: str, need: Need, now: int) -> bool:
        row = self._read(connection, scope, need.bucket)
        if row is None:
            return False
        current = _slice(now, need.seconds)
        astray = row.seconds != need.seconds or row.slice > current + SLICES
        if not astray and row.blocked_until <= now + LONGEST_BLOCK:
            return False
        row.blocked_until = min(row.blocked_until, now + LONGEST_BLOCK)
        if astray:
            oldest = _slice(now, row.seconds) - SLICES if row.seconds else 0
            used = sum(used for _, used in row.alive(oldest))
            row = _Row(need.seconds, current, row.blocked_until, [0] * RING)
            row.counts[current % RING] = used
        self._write(connection, scope, need.bucket, row, now)
        return True

    def _read(self, connection: sqlite3.Connection, scope: str, bucket: str) -> _Row | None:
        values = {"tenant": self._whose(scope), "scope": scope, "bucket": bucket}
        found = connection.execute(_READ, values).fetchone()
        if found is None:
            return None
        seconds, number, blocked_until, *counts = cast("tuple[int, ...]", tuple(found))
        return _Row(seconds, number, blocked_until, counts)

    def _write(
        self, connection: sqlite3.Connection, scope: str, bucket: str, row: _Row, now: int
    ) -> None:
        values: dict[str, Any] = {
            "tenant": self._whose(scope),
            "scope": scope,
            "bucket": bucket,
            "seconds": row.seconds,
            "slice": row.slice,
            "blocked_until": row.blocked_until,
            "now": now,
            **dict(zip(_COLUMNS, row.counts, strict=True)),
        }
        connection.execute(_WRITE, values)


def _length(seconds: int) -> int:
    return seconds * 1_000_000 // SLICES


def _slice(at: int, seconds: int) -> int:
    return at // _length(seconds)


@contextlib.contextmanager
def _undone(connection: sqlite3.Connection) -> Iterator[Callable[[], None]]:
    """A savepoint that the function it gives, or an exception, goes back to."""
    connection.execute("SAVEPOINT budgets")

    def undo() -> None:
        connection.execute("ROLLBACK TO budgets")

    try:
        yield undo
    except BaseException:
        # A full disk ends the whole transaction, and the savepoint with it.
        with contextlib.suppress(sqlite3.Error):
            undo()
            connection.execute("RELEASE budgets")
        raise
    connection.execute("RELEASE budgets")

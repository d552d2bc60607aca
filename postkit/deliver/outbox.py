"""Tells observers what has changed, after it is durable, and never in the way of a delivery."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from ..accounts.secret import Redactor
from ..clock import Clock, micros
from ..errors import StoreError
from ..logs import logger
from ..store.database import Database

log = logger("observers")

LEASE = timedelta(seconds=60)
"""While one process tells, no other one does."""
BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(hours=1)
ATTEMPTS = 24
"""About a day; then the message is dropped, with a line in the log."""
FAR = 2 * LONGEST_BACKOFF
"""No message waits for so long, but for one that a wrong clock has written down."""
BATCH = 200

Observer = tuple[str, Callable[..., object]]


class Outbox:
    """``observers`` gives the name and the function of each that wants to hear of an event."""

    def __init__(
        self, database: Database, clock: Clock, observers: Callable[[str], list[Observer]]
    ) -> None:
        self._database = database
        self._clock = clock
        self._observers = observers
        self._running = threading.Lock()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._hanging: threading.Thread | None = None

    def start(self) -> threading.Thread | None:
        """Tell in a thread: a new one, or the one that does already; None where nothing is due."""
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                if not self._is_due():
                    return None
                self._thread = threading.Thread(
                    target=self.flush, name="postkit-observers", daemon=True
                )
                self._thread.start()
            return self._thread

    def tell(self, seconds: float) -> None:
        """Tell what is due, and wait so long for observers, but only once for one that hangs."""
        before = self._thread
        thread = self.start()
        self._wait(thread, seconds)
        if thread is before:
            # What it had read may be older than what is due now.
            self._wait(self.start(), seconds)

    def _wait(self, thread: threading.Thread | None, seconds: float) -> None:
        if thread not in (None, self._hanging, threading.current_thread()):
            thread.join(seconds)
            if thread.is_alive():
                self._hanging = thread

    def flush(self) -> int:
        """Tell everything that is due; how many messages are done."""
        if not self._running.acquire(blocking=False):
            return 0
        try:
            return self._flush()
        except StoreError as error:
            log.warning("observers were not told: %s", error.message)
            return 0
        finally:
            self._running.release()

    def _flush(self) -> int:
        done = 0
        # Everybody hears all in its order: who has failed, or waits to be told an earlier message
        # again (by us or by another process), hears nothing later before that.
        failing: set[str] = set()
        waiting: set[str] = set()
        now = self._clock.now()
        for row in self._pending():
            told = set(json.loads(row["told"]))
            missing = [each for each in self._observers(row["event"]) if each[0] not in told]
            names = {name for name, _ in missing}
            if micros(now) < row["next_at"] <= micros(now + FAR):
                waiting |= names
                continue
            if names and names <= waiting:
                continue
            if not self._lease(row):
                waiting |= names
                continue
            failed = False
            payload = {**json.loads(row["payload"]), "tenant": row["tenant"]}
            for name, function in missing:
                if name in waiting:
                    continue
                if name in failing or not _tell(name, function, row["event"], payload):
                    failing.add(name)
                    failed = True
                else:
                    told.add(name)
            done += self._settle(row, told, is_told=names <= told, failed=failed)
        return done

    def _is_due(self) -> bool:
        return bool(
            self._database.read(
                "SELECT 1 FROM outbox WHERE next_at <= :now OR next_at > :far LIMIT 1",
                {"now": micros(self._clock.now()), "far": micros(self._clock.now() + FAR)},
            )
        )

    def _pending(self) -> Iterator[sqlite3.Row]:
        """Everything that somebody has not been told, in its order."""
        after = 0
        while True:
            found = self._database.read(
                "SELECT * FROM outbox WHERE id > :after ORDER BY id LIMIT :count",
                {"after": after, "count": BATCH},
            )
            yield from found
            if len(found) < BATCH:
                return
            after = found[-1]["id"]

    def _lease(self, row: sqlite3.Row) -> bool:
        values = {
            "id": row["id"],
            "next": row["next_at"],
            "until": micros(self._clock.now() + LEASE),
        }
        return self._database.write(
            lambda connection: bool(
                connection.execute(
                    "UPDATE outbox SET next_at = :until WHERE id = :id AND next_at = :next "
                    "RETURNING id",
                    values,
                ).fetchall()
            )
        )

    def _settle(self, row: sqlite3.Row, told: set[str], *, is_told: bool, failed: bool) -> bool:
        attempts = row["attempts"] + failed
        is_over = is_told or attempts >= ATTEMPTS
        if is_over and not is_told:
            log.error("%s %s: given up after %d tries", row["event"], row["payload"], attempts)
        pause = min(BACKOFF * 2 ** min(max(attempts - 1, 0), 12), LONGEST_BACKOFF)
        values = {
            "id": row["id"],
            "told": json.dumps(sorted(told)),
            "attempts": attempts,
            "next": micros(self._clock.now() + pause) if failed else row["next_at"],
        }

        def work(connection: sqlite3.Connection) -> None:
            if is_over:
                connection.execute("DELETE FROM outbox WHERE id = :id", values)
            else:
                connection.execute(
                    "UPDATE outbox SET told = :told, attempts = :attempts, next_at = :next "
                    "WHERE id = :id",
                    values,
                )

        self._database.write(work)
        return is_over


def _tell(name: str, function: Callable[..., object], event: str, payload: dict[str, Any]) -> bool:
    try:
        function(**payload)
    except Exception as error:  # noqa: BLE001 - an observer's failure is the observer's
        what = Redactor.redact(f"{type(error).__name__}: {error}")
        log.warning("the observer %s failed at %s: %s", name, event, what)
        return False
    return True

"""Tells observers what has changed, after it is durable, and never in the way of a delivery."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ..accounts.secret import Redactor
from ..clock import Clock, micros
from ..errors import StoreError
from ..store.database import Database

log = logging.getLogger("postkit.observers")

LEASE = timedelta(seconds=60)
"""While one process tells, no other one does."""
BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(hours=1)
ATTEMPTS = 24
"""About a day; then the message is dropped, with a line in the log."""
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

    def start(self) -> threading.Thread | None:
        """Tell in a thread of its own; None where one does already or nothing is due."""
        if self._running.locked() or not self._due(1):
            return None
        thread = threading.Thread(target=self.flush, name="postkit-observers", daemon=True)
        thread.start()
        return thread

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
        # Who has failed hears the rest later, so that everybody hears all in its order.
        failing: set[str] = set()
        for row in self._due(BATCH):
            if not self._lease(row):
                continue
            told = set(json.loads(row["told"]))
            payload = json.loads(row["payload"])
            missing = False
            for name, function in self._observers(row["event"]):
                if name in told:
                    continue
                if name in failing or not _tell(name, function, row["event"], payload):
                    failing.add(name)
                    missing = True
                else:
                    told.add(name)
            done += self._settle(row, told, missing=missing)
        return done

    def _due(self, count: int) -> list[sqlite3.Row]:
        return self._database.read(
            "SELECT * FROM outbox WHERE next_at <= :now ORDER BY id LIMIT :count",
            {"now": micros(self._clock.now()), "count": count},
        )

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

    def _settle(self, row: sqlite3.Row, told: set[str], *, missing: bool) -> bool:
        attempts = row["attempts"] + 1
        is_over = not missing or attempts >= ATTEMPTS
        if missing and is_over:
            log.error("%s %s: given up after %d tries", row["event"], row["payload"], attempts)
        pause = min(BACKOFF * 2 ** min(attempts - 1, 12), LONGEST_BACKOFF)
        values = {
            "id": row["id"],
            "told": json.dumps(sorted(told)),
            "attempts": attempts,
            "next": micros(self._clock.now() + pause),
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

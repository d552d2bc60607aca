"""Finds the media that no post needs any more, once an hour, and has them removed."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from ..clock import Clock, micros
from ..logs import logger
from .database import Database
from .media import MediaFiles

log = logger("worker")

EVERY = timedelta(hours=1)
SETTLED_FOR = timedelta(days=30)
"""For so long the media of a part that is live or was refused stay: late looks compare them, and
`finish --retry` sends them."""
FACT = "media swept"
PAGE = 2_000
"""Parts that are read at a time: nobody else can use the store meanwhile."""
PAGE_END = "SELECT max(rowid) FROM (SELECT rowid FROM part WHERE rowid > :after LIMIT :count)"
NAMED = """
WITH needed AS (
  SELECT rendition, outgoing FROM part
  WHERE rowid > :after AND rowid <= :end AND instr(rendition || coalesce(outgoing, ''), :word)
    AND state <> 'CANCELLED' AND (state NOT IN ('LIVE', 'FAILED') OR audit_at IS NOT NULL
      OR max(due_at, not_before, coalesce(sending_at, 0), coalesce(live_at, 0)) > :since)
)
SELECT json_extract(value, '$.sha256') AS sha256
FROM needed, json_each(needed.rendition, '$.media')
UNION
SELECT json_extract(value, '$.sha256')
FROM needed, json_each(needed.outgoing, '$.part.media') WHERE needed.outgoing IS NOT NULL
"""
"""What parts are made of that may still be sent, or were not long ago."""


class Sweep:
    """Of one store and its media; whoever calls ``run`` often does it once an hour."""

    def __init__(self, database: Database, media: MediaFiles, clock: Clock) -> None:
        self._database = database
        self._media = media
        self._clock = clock
        self._next = clock.monotonic()

    def run(self) -> int:
        """Sweep where no process has within the hour; how many files were removed."""
        if self._clock.monotonic() < self._next:
            return 0
        self._next = self._clock.monotonic() + EVERY.total_seconds()
        if not self._is_our_turn():
            return 0
        try:
            removed = self._media.sweep(self.named, self._clock.now())
        except OSError as error:
            log.warning("Media that nothing needs could not be removed (%s).", error.strerror)
            return 0
        if removed:
            log.info("Removed %d media that nothing needs any more.", removed)
        return removed

    def named(self) -> set[str]:
        """The hashes of all media that a part of any tenant may still need."""
        found: set[str] = set()
        since = micros(self._clock.now() - SETTLED_FOR)
        after = 0
        while True:
            page = self._database.read(PAGE_END, {"after": after, "count": PAGE})
            end = page[0][0]
            if end is None:
                return found
            values = {"after": after, "end": end, "since": since, "word": '"sha256"'}
            found.update(row["sha256"] for row in self._database.read(NAMED, values))
            after = end

    def _is_our_turn(self) -> bool:
        now = micros(self._clock.now())
        values = {
            "name": FACT,
            "now": now,
            "before": now - EVERY // timedelta(microseconds=1),
        }
        # A time to come is a clock's that was wrong.
        sql = (
            "INSERT INTO fact (name, value) VALUES (:name, :now) ON CONFLICT (name) DO UPDATE "
            "SET value = :now WHERE CAST(value AS INTEGER) <= :before "
            "OR CAST(value AS INTEGER) > :now RETURNING name"
        )

        def work(connection: sqlite3.Connection) -> bool:
            return bool(connection.execute(sql, values).fetchall())

        return self._database.write(work)

"""What a clock that was far ahead has put to sleep, and what wakes it once the clock is right."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta

from ..clock import Clock, micros
from ..store.database import Database
from .moves import ACCOUNT_READY

FAR = timedelta(hours=25)
"""Nothing is put off for so long: no limit is longer than a day, and no late look is later."""
UNSENT = """
SELECT part.*, delivery.created_at FROM part JOIN delivery ON delivery.id = part.delivery_id
WHERE part.state IN ('SCHEDULED', 'HELD') AND part.not_before > :far
  AND (part.not_before > part.due_at OR part.due_at <= delivery.created_at)
"""
"""Put off, or accepted to be sent at once. What a person has scheduled for later is neither."""
LIVE = """
SELECT part.* FROM part WHERE part.state = 'LIVE' AND part.ready_at > :far
"""


def wake(database: Database, clock: Clock, delivery_ids: Sequence[str] | None = None) -> int:
    """Make what sleeps ready now, but nothing before the time that a person gave it; how many
    parts. ``delivery_ids`` None: of all deliveries. Raises StoreError."""
    now = clock.now()
    which, names = among(delivery_ids)
    values = {"now": micros(now), "far": micros(now + FAR), **names}
    # Without the store's lock: nearly always nothing sleeps.
    if not any(database.read(f"{sql} {which} LIMIT 1", values) for sql in (UNSENT, LIVE)):
        return 0

    def work(connection: sqlite3.Connection) -> int:
        unsent = connection.execute(f"{UNSENT} {which}", values).fetchall()
        for row in unsent:
            _bring_forward(connection, row, values)
        live = connection.execute(f"{LIVE} {which}", values).fetchall()
        for row in live:
            connection.execute(
                "UPDATE part SET audit_at = :now, ready_at = :now, live_at = min(live_at, :now) "
                "WHERE id = :id",
                {**values, "id": row["id"]},
            )
        for account in {row["account_id"] for row in (*unsent, *live)}:
            connection.execute(ACCOUNT_READY, {"account": account})
        return len(unsent) + len(live)

    return database.write(work)


def among(delivery_ids: Sequence[str] | None) -> tuple[str, dict[str, str]]:
    """The condition that a part is of these deliveries, and its values; None: of any."""
    if delivery_ids is None:
        return "", {}
    names = {f"id{number}": name for number, name in enumerate(delivery_ids)}
    return f"AND part.delivery_id IN ({', '.join(f':{name}' for name in names)})", names


def _bring_forward(
    connection: sqlite3.Connection, row: sqlite3.Row, values: Mapping[str, object]
) -> None:
    at_once = row["due_at"] <= row["created_at"] and row["due_at"] > values["far"]
    due = values["now"] if at_once else row["due_at"]
    connection.execute(
        "UPDATE part SET due_at = :due, not_before = max(:due, :now), "
        # It stays fresh for as long as before.
        "expires_at = expires_at - due_at + :due, "
        "ready_at = CASE WHEN ready_at IS NOT NULL THEN max(:due, :now) END WHERE id = :id",
        {**values, "due": due, "id": row["id"]},
    )

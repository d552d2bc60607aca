"""What a clock that was far ahead has put to sleep, and what wakes it once the clock is right."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ..clock import Clock, micros
from ..store import rows
from ..store.database import Database
from ..tenant import of_tenant
from .history import record
from .moves import ACCOUNT_READY
from .states import TRANSITIONS

FAR = timedelta(hours=25)
"""Nothing is put off for so long: no limit is longer than a day, and no late look is later."""
UNSENT = """
SELECT part.*, delivery.at_once FROM part JOIN delivery ON delivery.id = part.delivery_id
WHERE part.state IN ('SCHEDULED', 'HELD') AND part.not_before > :far
  AND (part.not_before > part.due_at OR delivery.at_once)
"""
"""Put off, or accepted to be sent at once. What a person has scheduled for later is neither."""
LIVE = """
SELECT part.* FROM part WHERE part.state = 'LIVE' AND part.ready_at > :far
"""
ON_ITS_WAY = """
SELECT part.* FROM part
WHERE part.state IN ('CLAIMED', 'SENDING', 'IN_DOUBT') AND part.ready_at > :far
"""
BRING_FORWARD = """
UPDATE part SET due_at = :due, not_before = max(:due, :now),
  expires_at = expires_at - due_at + :due,
  ready_at = CASE WHEN ready_at IS NOT NULL THEN max(:due, :now) END
WHERE id = :id RETURNING *
"""
"""It stays fresh for as long as before."""
LOOK_NOW = """
UPDATE part SET audit_at = :now, ready_at = :now, live_at = min(live_at, :now),
  sending_at = CASE WHEN sending_at > :now THEN :earliest ELSE sending_at END
WHERE id = :id RETURNING *
"""
"""When its request has left is known no more: within the day before, as far as anybody looks."""
FREE = """
UPDATE part SET ready_at = :now, not_before = min(not_before, :now),
  lease_until = min(lease_until, :now), doubt_at = min(doubt_at, :now)
WHERE id = :id RETURNING *
"""


def wake(
    database: Database,
    clock: Clock,
    delivery_ids: Sequence[str] | None = None,
    tenant: str | None = None,
) -> int:
    """Make what sleeps ready now, but nothing before the time that a person gave it; how many
    parts. ``delivery_ids`` None: of all deliveries, of ``tenant`` or of all tenants. Raises
    StoreError."""
    now = clock.now()
    which, names = among(delivery_ids, tenant)
    values = {"now": micros(now), "far": micros(now + FAR), "earliest": micros(now - FAR), **names}
    # Without the store's lock: nearly always nothing sleeps.
    if not any(database.read(f"{sql} {which} LIMIT 1", values) for sql in (UNSENT, LIVE)):
        return 0

    def work(connection: sqlite3.Connection) -> int:
        unsent = connection.execute(f"{UNSENT} {which}", values).fetchall()
        for row in unsent:
            at_once = row["at_once"] and row["due_at"] > values["far"]
            due = values["now"] if at_once else row["due_at"]
            _move(connection, BRING_FORWARD, row, {**values, "due": due})
        live = connection.execute(f"{LIVE} {which}", values).fetchall()
        for row in live:
            _move(connection, LOOK_NOW, row, values)
        _refresh(connection, [*unsent, *live])
        return len(unsent) + len(live)

    return database.write(work)


def mend(
    database: Database,
    clock: Clock,
    delivery_ids: Sequence[str] | None = None,
    tenant: str | None = None,
) -> None:
    """Bring back what is put further off than anything can be: limits of accounts, and what is on
    its way (of these deliveries, or of all; of ``tenant``, or of all). Raises StoreError."""
    now = clock.now()
    which, names = among(delivery_ids, tenant)
    asleep = f"resume_at > :far{of_tenant(tenant)}"
    values = {"now": micros(now), "far": micros(now + FAR), **names}
    # Without the store's lock: nearly always there is nothing.
    if not database.read(f"SELECT 1 FROM account WHERE {asleep} LIMIT 1", values) and (  # noqa: S608
        not database.read(f"{ON_ITS_WAY} {which} LIMIT 1", values)
    ):
        return

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(f"UPDATE account SET resume_at = :now WHERE {asleep}", values)  # noqa: S608
        found = connection.execute(f"{ON_ITS_WAY} {which}", values).fetchall()
        for row in found:
            _move(connection, FREE, row, values)
        _refresh(connection, found)

    database.write(work)


def among(
    delivery_ids: Sequence[str] | None, tenant: str | None = None
) -> tuple[str, dict[str, str | None]]:
    """The condition that a part is of these deliveries and of this tenant, and its values; None:
    of any."""
    own, values = of_tenant(tenant, "part.tenant"), {"tenant": tenant}
    if delivery_ids is None:
        return own, {**values}
    names = {f"id{number}": name for number, name in enumerate(delivery_ids)}
    which = f"AND part.delivery_id IN ({', '.join(f':{name}' for name in names)})"
    return f"{which}{own}", {**values, **names}


def _move(
    connection: sqlite3.Connection, sql: str, row: sqlite3.Row, values: dict[str, Any]
) -> None:
    before = rows.part(row)
    found = connection.execute(sql, {**values, "id": before.id}).fetchall()
    slept = before.ready_at or before.not_before
    reason = f"A clock that was far ahead had put it off until {slept:%Y-%m-%d %H:%M:%S} UTC."
    after = TRANSITIONS[before.state, "wake"]
    at = int(values["now"])
    record(connection, rows.part(found[0]), at, "wake", before.state, after, reason)


def _refresh(connection: sqlite3.Connection, moved: Sequence[sqlite3.Row]) -> None:
    for account in {row["account_id"] for row in moved}:
        connection.execute(ACCOUNT_READY, {"account": account})

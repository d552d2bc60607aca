"""One change of a part: a compare-and-set on (state, fence) in one durable transaction.

The part, the account's history, when to look next, and what observers will be told change
together or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..accounts.secret import Redactor
from ..clock import Clock, micros
from ..errors import PostkitError
from ..network import Account
from ..store import rows
from ..store.database import Database
from ..store.rows import PartRow
from .history import record
from .states import TRANSITIONS, DeliveryState, Event, PartState, delivery_state

READY = """
UPDATE part SET ready_at = CASE state
    WHEN 'SCHEDULED' THEN CASE WHEN NOT EXISTS (
      SELECT 1 FROM part AS before WHERE before.delivery_id = part.delivery_id
      AND before.position < part.position AND before.state <> 'LIVE') THEN not_before END
    WHEN 'CLAIMED' THEN lease_until
    WHEN 'SENDING' THEN lease_until
    WHEN 'IN_DOUBT' THEN coalesce(lease_until, not_before)
    WHEN 'LIVE' THEN audit_at
  END
WHERE delivery_id = :delivery AND (position = :position OR position = :position + 1
  OR state = 'SCHEDULED')
"""
"""When somebody should look at a part next; who waits for an earlier part has no such time."""
ACCOUNT_READY = """
UPDATE account SET ready_at = (SELECT min(ready_at) FROM part
  WHERE account_id = :account AND ready_at IS NOT NULL) WHERE id = :account
"""
Gate = Callable[[sqlite3.Connection, int], None]


class Fenced(PostkitError):
    """Another process has taken this part over; nothing was changed."""


class Moves:
    """Changes parts. ``owner`` names this process in every claim; ``observed`` says whether
    anybody wants to be told.

    Ids are looked up for ``tenant`` alone (None: a worker of all tenants); what is named by a row
    that was found so is of the same tenant, since the store takes no row of one that names
    another's.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        tenant: str | None = "",
        *,
        observed: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._tenant = tenant
        self._observed = observed

    @property
    def owner(self) -> str:
        return self._owner

    def _now(self) -> int:
        return micros(self._clock.now())

    def _move(
        self,
        part: PartRow,
        event: Event,
        reason: str,
        *,
        bump: bool = False,
        rest: Literal["hold", "free"] | None = None,
        gate: Gate | None = None,
        also: Gate | None = None,
        detail: Mapping[str, Any] | None = None,
        line: bool = True,
        **columns: Any,
    ) -> PartRow:
        """``gate`` raises where the change is not allowed; ``also`` changes more, with it. Without
        ``line`` the history is not told: only where the state stays."""
        after = transition(part, event)
        fence = part.fence + 1 if bump else part.fence
        sets = ["state = :after", "fence = :fence", *(f"{name} = :{name}" for name in columns)]
        values = {
            **columns,
            "id": part.id,
            "state": part.state,
            "old_fence": part.fence,
            "after": after,
            "fence": fence,
        }
        sql = (
            f"UPDATE part SET {', '.join(sets)} "  # noqa: S608 - names come from this module
            "WHERE id = :id AND state = :state AND fence = :old_fence RETURNING *"
        )

        def work(connection: sqlite3.Connection) -> PartRow:
            # In here: to get the store's lock can take a while.
            at = self._now()
            before = self._shown(connection, part.delivery_id)
            if gate is not None:
                gate(connection, at)
            # All rows are fetched: RETURNING must run to its end before the savepoint is released.
            found = connection.execute(sql, values).fetchall()
            if not found:
                raise Fenced(f"{part.id} was taken over by another process.")
            moved = rows.part(found[0])
            if line:
                record(connection, moved, at, event, part.state, after, reason, detail)
            if rest is not None:
                _move_rest(connection, moved, rest, at)
            if also is not None:
                also(connection, at)
            refresh(connection, moved)
            self._announce(connection, moved, before, at)
            return moved

        return self._database.write(work)

    def account_needs_login(
        self, account: Account, reason: str, connection: sqlite3.Connection
    ) -> None:
        """Leave word of it, in the transaction that writes it down."""
        if self._observed:
            payload = {"account": account.label, "reason": Redactor.redact(reason)}
            announce(connection, account.tenant, "account_needs_login", payload, self._now())

    def _shown(self, connection: sqlite3.Connection, delivery_id: str) -> DeliveryState | None:
        if not self._observed:
            return None
        found = connection.execute(
            "SELECT state FROM part WHERE delivery_id = :id", {"id": delivery_id}
        ).fetchall()
        return delivery_state([row["state"] for row in found])

    def _announce(
        self, connection: sqlite3.Connection, part: PartRow, before: DeliveryState | None, at: int
    ) -> None:
        after = self._shown(connection, part.delivery_id)
        if before != after:
            announce(
                connection,
                part.tenant,
                "changed",
                {"delivery": part.delivery_id, "before": before, "after": after},
                at,
            )


def transition(part: PartRow, event: Event) -> PartState:
    """The state after ``event``. Raises Fenced where the table has none."""
    try:
        return TRANSITIONS[part.state, event]
    except KeyError:
        raise Fenced(
            f"{part.id} is {part.state}, so it cannot be changed by {event!r} now."
        ) from None


def refresh(connection: sqlite3.Connection, part: PartRow) -> None:
    """When to look at the delivery's parts next, and at the account."""
    connection.execute(READY, {"delivery": part.delivery_id, "position": part.position})
    connection.execute(ACCOUNT_READY, {"account": part.account_id})


def announce(
    connection: sqlite3.Connection, tenant: str, event: str, payload: Mapping[str, Any], at: int
) -> None:
    """Leave word for the observers."""
    connection.execute(
        "INSERT INTO outbox (tenant, event, payload, next_at, created_at) "
        "VALUES (:tenant, :event, :payload, :at, :at)",
        {"tenant": tenant, "event": event, "payload": json.dumps(dict(payload)), "at": at},
    )


def _move_rest(
    connection: sqlite3.Connection, part: PartRow, event: Literal["hold", "free"], at: int
) -> None:
    """Hold or free what follows in the thread, in the transaction of the part itself: a crash in
    between would leave parts that nothing frees."""
    before: PartState = "SCHEDULED" if event == "hold" else "HELD"
    after = TRANSITIONS[before, event]
    # The plus: SQLite would hold the value of :before against its partial indexes, and for that
    # prepare the statement anew each time (10 times its cost).
    found = connection.execute(
        "UPDATE part SET state = :after, held_reason = :reason WHERE delivery_id = :delivery "
        "AND position > :position AND +state = :before AND coalesce(held_reason, :earlier) = "
        ":earlier RETURNING *",
        {
            "after": after,
            "reason": "earlier_part" if event == "hold" else None,
            "earlier": "earlier_part",
            "delivery": part.delivery_id,
            "position": part.position,
            "before": before,
        },
    ).fetchall()
    reason = "The part before it is not live." if event == "hold" else "It may go on."
    for row in sorted(found, key=lambda row: int(row["position"])):
        record(connection, rows.part(row), at, event, before, after, reason)

"""What a person changes of a delivery that is not sent yet: when, what, whether."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..clock import micros
from ..errors import InputError
from ..ids import part_id
from ..network import RenderedPart
from ..store import rows
from ..store.publications import NewDelivery, insert_media
from ..store.rows import DeliveryRow, PartRow
from .history import record
from .moves import Moves, refresh, transition
from .states import Event

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, int], T]
UNSENT = ("SCHEDULED", "HELD", "MISSED")


class Changes(Moves):
    """Every change is refused, whole, once anything of the delivery is on its way."""

    def cancel(self, delivery: DeliveryRow, reason: str) -> int:
        """Cancel what is not sent; how many parts. What is live stays."""

        def work(connection: sqlite3.Connection, at: int) -> int:
            # What was ever in doubt may still come: it is followed to its end, or given up.
            parts = [
                part
                for part in self._parts(connection, delivery)
                if part.state in (*UNSENT, "CLAIMED") and part.doubt_at is None
            ]
            for part in parts:
                sets = "held_reason = NULL, owner = NULL, lease_until = NULL"
                self._change(connection, part, "cancel", reason, at, sets, {})
            return len(parts)

        return self._whole(delivery, work)

    def reschedule(
        self,
        delivery: DeliveryRow,
        due_at: datetime,
        expires_at: datetime | None,
        local: str | None,
        zone: str | None,
        spoken: str,
    ) -> None:
        """Another time. What was missed or held is scheduled again."""

        def work(connection: sqlite3.Connection, at: int) -> None:
            parts = self._untouched(connection, delivery, "be rescheduled")
            connection.execute(
                "UPDATE delivery SET local = :local, zone = :zone, at_once = 0 WHERE id = :id",
                {"local": local, "zone": zone, "id": delivery.id},
            )
            for part in parts:
                expires = expires_at if part.position == 1 else None
                values = {
                    "due": micros(due_at),
                    "expires": micros(expires) if expires is not None else None,
                }
                sets = (
                    "due_at = :due, not_before = :due, expires_at = :expires, held_reason = NULL, "
                    "outgoing = NULL, error = NULL, failures = 0, failing_since = NULL"
                )
                reason = f"A person moved it to {spoken}."
                self._change(connection, part, "reschedule", reason, at, sets, values)

        self._whole(delivery, work)

    def edit(self, delivery: DeliveryRow, new: NewDelivery) -> None:
        """Other content, same time and place."""

        def work(connection: sqlite3.Connection, at: int) -> None:
            parts = self._untouched(connection, delivery, "be edited")
            connection.execute(
                "UPDATE delivery SET text_hash = :hash, changes = :changes, losses = :losses, "
                "fields = :fields, cost = :cost WHERE id = :id",
                {
                    "hash": new.text_hash,
                    "changes": json.dumps([change.to_json() for change in new.changes]),
                    "losses": json.dumps([loss.to_json() for loss in new.losses]),
                    "fields": json.dumps([field.to_json() for field in new.fields]),
                    "cost": json.dumps(dict(new.cost)) if new.cost else None,
                    "id": delivery.id,
                },
            )
            self._rewrite(connection, parts, new.parts, at)

        self._whole(delivery, work)

    def _rewrite(
        self,
        connection: sqlite3.Connection,
        parts: Sequence[PartRow],
        wanted: Sequence[RenderedPart],
        at: int,
    ) -> None:
        for part, rendered in zip(parts, wanted, strict=False):
            # The request of an attempt that was not accepted goes too: it has the old text.
            sets = (
                "rendition = :rendition, prepared = '{}', key = NULL, outgoing = NULL, "
                "failures = 0, failing_since = NULL"
            )
            values = {"rendition": json.dumps(rendered.to_json())}
            self._change(connection, part, "edit", "A person edited it.", at, sets, values)
        for part in parts[len(wanted) :]:
            connection.execute("DELETE FROM part WHERE id = :id", {"id": part.id})
            record(connection, part, at, "edit", part.state, None, "The edited thread is shorter.")
        for number, rendered in enumerate(wanted[len(parts) :], len(parts) + 1):
            first = parts[0]
            found = connection.execute(
                "INSERT INTO part (id, tenant, delivery_id, account_id, position, state, "
                "rendition, due_at, not_before, held_reason) VALUES (:id, :tenant, :delivery, "
                ":account, :position, :state, :rendition, :due, :due, :held) RETURNING *",
                {
                    "id": part_id(first.delivery_id, number),
                    "tenant": first.tenant,
                    "delivery": first.delivery_id,
                    "account": first.account_id,
                    "position": number,
                    "state": "SCHEDULED" if first.state == "SCHEDULED" else "HELD",
                    "rendition": json.dumps(rendered.to_json()),
                    "due": micros(first.due_at),
                    "held": None if first.state == "SCHEDULED" else "earlier_part",
                },
            ).fetchall()
            new = rows.part(found[0])
            record(connection, new, at, "edit", None, new.state, "The edited thread is longer.")
        for rendered in wanted:
            for attachment in rendered.media:
                insert_media(connection, attachment, at)

    # Inside

    def _whole(self, delivery: DeliveryRow, work: Work[T]) -> T:
        def everything(connection: sqlite3.Connection) -> T:
            at = self._now()
            before = self._shown(connection, delivery.id)
            result = work(connection, at)
            part = self._parts(connection, delivery)[0]
            for row in self._parts(connection, delivery):
                refresh(connection, row)
            self._announce(connection, part, before, at)
            return result

        return self._database.write(everything)

    def _parts(self, connection: sqlite3.Connection, delivery: DeliveryRow) -> list[PartRow]:
        found = connection.execute(
            "SELECT * FROM part WHERE delivery_id = :id ORDER BY position", {"id": delivery.id}
        ).fetchall()
        return [rows.part(row) for row in found]

    def _untouched(
        self, connection: sqlite3.Connection, delivery: DeliveryRow, what: str
    ) -> list[PartRow]:
        parts = self._parts(connection, delivery)
        sent = next((p for p in parts if p.state not in UNSENT or p.doubt_at is not None), None)
        if sent is not None:
            raise InputError(
                f"{delivery.id} cannot {what}: part {sent.position} is {sent.state}. "
                f"`postkit show {delivery.id}` tells more."
            )
        return parts

    def _change(
        self,
        connection: sqlite3.Connection,
        part: PartRow,
        event: Event,
        reason: str,
        at: int,
        sets: str,
        values: Mapping[str, Any],
    ) -> None:
        after = transition(part, event)
        # A new fence: who read the part before this change can claim nothing of it any more.
        found = connection.execute(
            f"UPDATE part SET state = :after, fence = fence + 1, {sets} WHERE id = :id "  # noqa: S608
            "AND state = :state AND fence = :fence RETURNING *",
            {**values, "after": after, "id": part.id, "state": part.state, "fence": part.fence},
        ).fetchall()
        record(connection, rows.part(found[0]), at, event, part.state, after, reason)

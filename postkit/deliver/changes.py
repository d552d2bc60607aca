"""What a person changes of a delivery that is not sent yet: when, what, whether."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..clock import micros
from ..errors import InputError, PlanRefused
from ..ids import part_id
from ..network import RenderedPart
from ..store import rows
from ..store.publications import Due, NewDelivery, insert_media
from ..store.rows import DeliveryRow, PartRow
from .gates import not_removed
from .history import record
from .moves import Moves, refresh, transition
from .states import Event

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, int], T]
Repeated = Callable[[DeliveryRow, str, datetime, sqlite3.Connection], str | None]
"""Why a text (its hash) at this time would be a repeat there; None where it is none."""
UNSENT = ("SCHEDULED", "HELD", "MISSED")


class Changes(Moves):
    """Every change is whole: refused for all deliveries once anything of one is on its way."""

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

        return self._whole([delivery], work)

    def reschedule(
        self,
        deliveries: Sequence[DeliveryRow],
        due: Due,
        *,
        as_late: bool = False,
        repeated: Repeated | None = None,
    ) -> None:
        """Another time for all of them. What was missed or held is scheduled again; ``as_late``:
        it may be late by as much as before.

        Raises PlanRefused where ``repeated`` says so of one, InputError where one is on its way
        or its account was removed.
        """

        def work(connection: sqlite3.Connection, at: int) -> None:
            found = self._all_untouched(connection, deliveries, "be rescheduled")
            for delivery in deliveries:
                not_removed(connection, delivery.id)
            texts = {row.id: _text_hash(connection, row) for row in deliveries}
            if repeated is not None:
                _refuse(connection, repeated, [(row, texts[row.id], due.at) for row in deliveries])
            for delivery, parts in zip(deliveries, found, strict=True):
                self._move_to(connection, delivery, parts, due, at, as_late=as_late)

        self._whole(deliveries, work)

    def _move_to(
        self,
        connection: sqlite3.Connection,
        delivery: DeliveryRow,
        parts: Sequence[PartRow],
        due: Due,
        at: int,
        *,
        as_late: bool,
    ) -> None:
        connection.execute(
            "UPDATE delivery SET local = :local, zone = :zone, at_once = 0 WHERE id = :id",
            {"local": due.local, "zone": due.zone or delivery.zone, "id": delivery.id},
        )
        first = parts[0]
        late = due.expires_at
        if as_late:
            before = first.expires_at
            late = None if before is None else due.at + (before - first.due_at)
        spoken = f"{due.local} {due.zone}" if due.local else f"{due.at:%Y-%m-%d %H:%M:%S} UTC"
        for part in parts:
            expires = late if part.position == 1 else None
            values = {
                "due": micros(due.at),
                "expires": micros(expires) if expires is not None else None,
            }
            sets = (
                "due_at = :due, not_before = :due, expires_at = :expires, held_reason = NULL, "
                "outgoing = NULL, error = NULL, failures = 0, failing_since = NULL, uncapped = 0"
            )
            reason = f"A person moved it to {spoken}."
            self._change(connection, part, "reschedule", reason, at, sets, values)

    def edit(
        self,
        wanted: Sequence[tuple[DeliveryRow, NewDelivery]],
        *,
        repeated: Repeated | None = None,
    ) -> None:
        """Other content for all of them, same time and place. Raises as ``reschedule`` does."""
        deliveries = [delivery for delivery, _ in wanted]

        def work(connection: sqlite3.Connection, at: int) -> None:
            found = self._all_untouched(connection, deliveries, "be edited")
            if repeated is not None:
                texts = [
                    (delivery, new.text_hash, parts[0].due_at)
                    for (delivery, new), parts in zip(wanted, found, strict=True)
                ]
                _refuse(connection, repeated, texts)
            for (_, new), parts in zip(wanted, found, strict=True):
                self._write_over(connection, parts, new, at)

        self._whole(deliveries, work)

    def _write_over(
        self,
        connection: sqlite3.Connection,
        parts: Sequence[PartRow],
        new: NewDelivery,
        at: int,
    ) -> None:
        connection.execute(
            "UPDATE delivery SET text_hash = :hash, changes = :changes, losses = :losses, "
            "fields = :fields, cost = :cost WHERE id = :id",
            {
                "hash": new.text_hash,
                "changes": json.dumps([change.to_json() for change in new.changes]),
                "losses": json.dumps([loss.to_json() for loss in new.losses]),
                "fields": json.dumps([field.to_json() for field in new.fields]),
                "cost": json.dumps(dict(new.cost)) if new.cost else None,
                "id": new.id,
            },
        )
        self._rewrite(connection, parts, new.parts, at)

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
                "failures = 0, failing_since = NULL, uncapped = 0"
            )
            values = {"rendition": json.dumps(rendered.to_json())}
            self._change(connection, part, "edit", "A person edited it.", at, sets, values)
        for part in parts[len(wanted) :]:
            connection.execute("DELETE FROM part WHERE id = :id", {"id": part.id})
            shorter = "The edited thread is shorter."
            record(connection, self._actor, part, at, "edit", part.state, None, shorter)
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
            longer = "The edited thread is longer."
            record(connection, self._actor, new, at, "edit", None, new.state, longer)
        for rendered in wanted:
            for attachment in rendered.media:
                insert_media(connection, attachment, at)

    # Inside

    def _whole(self, deliveries: Sequence[DeliveryRow], work: Work[T]) -> T:
        """All of it in one transaction: where one is refused, none is changed."""

        def everything(connection: sqlite3.Connection) -> T:
            at = self._now()
            before = {row.id: self._shown(connection, row.id) for row in deliveries}
            result = work(connection, at)
            for delivery in deliveries:
                parts = self._parts(connection, delivery)
                for row in parts:
                    refresh(connection, row)
                self._announce(connection, parts[0], before[delivery.id], at)
            return result

        return self._database.write(everything)

    def _parts(self, connection: sqlite3.Connection, delivery: DeliveryRow) -> list[PartRow]:
        found = connection.execute(
            "SELECT * FROM part WHERE delivery_id = :id ORDER BY position", {"id": delivery.id}
        ).fetchall()
        return [rows.part(row) for row in found]

    def _all_untouched(
        self, connection: sqlite3.Connection, deliveries: Sequence[DeliveryRow], what: str
    ) -> list[list[PartRow]]:
        found = []
        for delivery in deliveries:
            parts = self._parts(connection, delivery)
            sent = next((p for p in parts if p.state not in UNSENT or p.doubt_at is not None), None)
            if sent is not None:
                raise InputError(
                    f"{delivery.id} cannot {what}: part {sent.position} is {sent.state}. "
                    f"`postkit show {delivery.id}` tells more."
                )
            found.append(parts)
        return found

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
        moved = rows.part(found[0])
        record(connection, self._actor, moved, at, event, part.state, after, reason)


def _text_hash(connection: sqlite3.Connection, delivery: DeliveryRow) -> str:
    found = connection.execute("SELECT text_hash FROM delivery WHERE id = :id", {"id": delivery.id})
    return str(found.fetchone()["text_hash"])


def _refuse(
    connection: sqlite3.Connection,
    repeated: Repeated,
    wanted: Sequence[tuple[DeliveryRow, str, datetime]],
) -> None:
    """Raises PlanRefused with every address that would get the same once more."""
    reasons = [(row, repeated(row, text, at, connection)) for row, text, at in wanted]
    problems = [f"{row.address}: {why}" for row, why in reasons if why is not None]
    if problems:
        raise PlanRefused(problems)

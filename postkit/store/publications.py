"""Rows of publications and deliveries, and the history of what happened to them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..clock import Clock, micros, moment
from ..deliver.actor import Actor
from ..deliver.history import append, content_hash
from ..errors import InputError, PlanRefused, StoreError, UnknownName
from ..freshness import FRESHNESS
from ..network import Attachment, Change, RenderedPart
from ..outcomes import FieldOutcome
from ..tenant import of_tenant
from . import rows
from .database import Database
from .rows import DeliveryRow, HistoryRow, PublicationRow

SAME_TEXT = timedelta(days=1)
SAME_FILE = timedelta(days=7)
"""For how long the same text, or the same file, to the same place is a mistake."""
NEWS = timedelta(days=7)
"""For how long a second post of something that is live is told without being asked for."""
RECENT = (
    "SELECT d.id FROM delivery d JOIN publication p ON p.id = d.publication_id "
    "WHERE d.tenant = :tenant AND d.id IS NOT :but AND "
)
MAY_BE_LIVE = (
    " AND EXISTS (SELECT 1 FROM part WHERE part.delivery_id = d.id AND part.position = 1 "
    "AND max(part.due_at, coalesce(part.live_at, 0)) > :after "
    "AND max(part.due_at, coalesce(part.live_at, 0)) < :before) "
    "AND EXISTS (SELECT 1 FROM part WHERE part.delivery_id = d.id "
    "AND part.state NOT IN ('FAILED', 'CANCELLED', 'MISSED') "
    "AND coalesce(part.held_reason, '') <> 'earlier_part') "
    "ORDER BY d.created_at DESC LIMIT 1"
)

WAITING = """
SELECT {what} FROM part CROSS JOIN delivery ON delivery.id = part.delivery_id
WHERE part.state NOT IN ('LIVE', 'FAILED', 'CANCELLED') AND part.tenant = :tenant
  AND (part.position = 1 OR NOT EXISTS (
    SELECT 1 FROM part AS before WHERE before.delivery_id = part.delivery_id
    AND before.position < part.position AND before.state <> 'LIVE'))
"""
"""The part that each open delivery has come to."""
LATE = timedelta(seconds=60)
"""What should have been looked at longer ago is overdue: a worker that runs takes less."""
FOR_A_PERSON = " AND part.state IN ('HELD', 'MISSED', 'UNCERTAIN')"
DUE_NOW = " AND part.state NOT IN ('HELD', 'MISSED', 'UNCERTAIN') AND part.due_at <= :now"
TO_COME = " AND part.state NOT IN ('HELD', 'MISSED', 'UNCERTAIN') AND part.due_at > :now"


@dataclass(frozen=True, slots=True)
class Standing:
    """How many deliveries that are not sent yet stand how. ``overdue``: nobody has looked at them
    for a minute although it was time."""

    overdue: int = 0
    to_come: int = 0
    uncertain: int = 0
    held: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One delivery as it is accepted."""

    id: str
    account_id: str
    address: str
    network: str
    target: str | None
    text_hash: str
    parts: Sequence[RenderedPart]
    changes: Sequence[Change]
    losses: Sequence[Change]
    cost: Mapping[str, Any] | None
    when: Due | None = None
    fields: Sequence[FieldOutcome] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """When a delivery is due, and until when it makes sense (both UTC). ``local`` and ``zone``
    are the wall time that the author meant; None where an instant was meant."""

    at: datetime
    expires_at: datetime | None
    local: str | None = None
    zone: str | None = None


class PublicationRows:
    """The publications of one tenant. ``tenant`` None is for a worker of all tenants, which reads
    deliveries by their ids and nothing else. ``actor`` is who accepts them (None: this process's
    user)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        tenant: str | None = "",
        *,
        actor: Actor | None = None,
    ) -> None:
        self._actor = actor or Actor.here()
        self._database = database
        self._clock = clock
        self._tenant = tenant

    def accept(
        self,
        publication_id: str,
        deliveries: Sequence[NewDelivery],
        *,
        content: str,
        once: str | None = None,
        source: str | None = None,
        warnings: Sequence[str] = (),
        again: bool = False,
    ) -> None:
        """Write a publication down, whole, in one transaction. Media files are stored before.

        Raises InputError where ``once`` was taken by another process meanwhile, UnknownName for
        an account that is not the tenant's or was removed, and PlanRefused where the same text
        went there meanwhile, unless ``again`` allows it.
        """
        at = micros(self._clock.now())

        def work(connection: sqlite3.Connection) -> None:
            for account_id in {new.account_id for new in deliveries}:
                _owned(connection, self._tenant, account_id)
            connection.execute(
                "INSERT INTO publication (id, tenant, once, content, source, warnings, created_at) "
                "VALUES (:id, :tenant, :once, :content, :source, :warnings, :at)",
                {
                    "id": publication_id,
                    "tenant": self._tenant,
                    "once": once,
                    "content": content,
                    "source": source,
                    "warnings": json.dumps(list(warnings)),
                    "at": at,
                },
            )
            # Once more in here: between plan and now another program may have sent the same.
            repeats = (
                []
                if again
                else [
                    f"{new.address}: {reason}"
                    for new in deliveries
                    if (
                        reason := self.repeated(
                            new.account_id,
                            new.target,
                            new.text_hash,
                            source,
                            new.when.at if new.when else None,
                            connection,
                        )
                    )
                ]
            )
            if repeats:
                raise PlanRefused(repeats)
            for position, delivery in enumerate(deliveries, 1):
                _insert_delivery(connection, self._tenant, publication_id, position, delivery, at)
                append(
                    connection, self._actor, self._tenant or "", delivery.account_id, at, "publish",
                    f"To be sent to {delivery.address}.", delivery_id=delivery.id,
                    content=content_hash([part.to_json() for part in delivery.parts]),
                )  # fmt: skip

        try:
            self._database.write(work)
        except StoreError as error:
            if "publication.tenant, publication.once" in error.message:
                raise InputError(
                    f"Another process is publishing under --once {once} right now; "
                    "run it again to get its report."
                ) from error
            raise

    def publication(self, publication_id: str) -> PublicationRow:
        """Raises UnknownName, for another tenant's as for none."""
        found = self._database.read(
            "SELECT * FROM publication WHERE id = :id AND tenant = :tenant",
            {"id": publication_id, "tenant": self._tenant},
        )
        if not found:
            raise UnknownName(
                f"There is no publication or delivery {publication_id}; `postkit list` shows them."
            )
        return rows.publication(found[0])

    def by_once(self, once: str) -> PublicationRow | None:
        found = self._database.read(
            "SELECT * FROM publication WHERE once = :once AND tenant = :tenant",
            {"once": once, "tenant": self._tenant},
        )
        return rows.publication(found[0]) if found else None

    def newest(self, count: int) -> list[PublicationRow]:
        found = self._database.read(
            "SELECT * FROM publication WHERE tenant = :tenant "
            "ORDER BY created_at DESC, id DESC LIMIT :count",
            {"tenant": self._tenant, "count": count},
        )
        return [rows.publication(row) for row in found]

    def deliveries(self, publication_id: str) -> list[DeliveryRow]:
        found = self._database.read(
            "SELECT * FROM delivery WHERE publication_id = :id AND tenant = :tenant "
            "ORDER BY position",
            {"id": publication_id, "tenant": self._tenant},
        )
        return [rows.delivery(row) for row in found]

    def delivery(self, delivery_id: str) -> DeliveryRow:
        """Raises UnknownName, for another tenant's as for none."""
        found = self._database.read(
            f"SELECT * FROM delivery WHERE id = :id{of_tenant(self._tenant)}",  # noqa: S608
            {"id": delivery_id, "tenant": self._tenant},
        )
        if not found:
            raise UnknownName(
                f"There is no publication or delivery {delivery_id}; `postkit list` shows them."
            )
        return rows.delivery(found[0])

    def repeated(
        self,
        account_id: str,
        target: str | None,
        text_hash: str,
        source: str | None,
        at: datetime | None = None,
        connection: sqlite3.Connection | None = None,
        but: str | None = None,
    ) -> str | None:
        """Why this would be a repeat, as a sentence; None where it is none. ``at`` is when it is
        due (None: now). With ``connection`` inside its transaction."""
        place = {"account": account_id, "target": target, "but": but}
        where = "d.account_id = :account AND d.target IS :target AND "
        found = self._recent(
            where + "d.text_hash = :hash", {**place, "hash": text_hash}, SAME_TEXT, at, connection
        )
        what, when = "The same text", "within a day"
        if found is None and source is not None:
            found = self._recent(
                where + "p.source = :source", {**place, "source": source}, SAME_FILE, at, connection
            )
            what, when = "The same file", "within a week"
        if found is None:
            return None
        if self._is_to_come(found, connection):
            return (
                f"{what} is to go there {when} ({found}). See `postkit show {found}`, take it back "
                f"with `postkit cancel {found}`, or send it once more with --again."
            )
        return (
            f"{what} went there {when} ({found}). See `postkit show {found}`, remove it with "
            f"`postkit delete {found}`, or send it once more with --again."
        )

    def _is_to_come(self, delivery_id: str, connection: sqlite3.Connection | None) -> bool:
        """Whether nothing of it has been sent yet."""
        sql = (
            "SELECT 1 FROM part WHERE delivery_id = :id AND (state NOT IN ('SCHEDULED', 'HELD') "
            "OR doubt_at IS NOT NULL) LIMIT 1"
        )
        values = {"id": delivery_id}
        if connection is None:
            return not self._database.read(sql, values)
        return not connection.execute(sql, values).fetchall()

    def waiting(self, count: int) -> list[DeliveryRow]:
        """Deliveries that are not sent yet: what is due, then what waits for a person, then what
        is to come; each in the order of their time."""
        found: list[sqlite3.Row] = []
        now = micros(self._clock.now())
        for which in (DUE_NOW, FOR_A_PERSON, TO_COME):
            left = count - len(found)
            if left > 0:
                sql = WAITING.format(what="delivery.*") + which
                found += self._database.read(
                    sql + " ORDER BY part.due_at, part.delivery_id LIMIT :count",
                    {"tenant": self._tenant, "count": left, "now": now},
                )
        return [rows.delivery(row) for row in found]

    def next_due(self) -> Due | None:
        """When the next delivery is due; None where none is scheduled."""
        found = self._database.read(
            WAITING.format(what="part.due_at, delivery.local, delivery.zone").replace(
                " AND part.tenant = :tenant", of_tenant(self._tenant, "part.tenant")
            )
            + " AND part.state = 'SCHEDULED' ORDER BY part.due_at LIMIT 1",
            {"tenant": self._tenant},
        )
        if not found:
            return None
        return Due(moment(found[0]["due_at"]), None, found[0]["local"], found[0]["zone"])

    def copied(self) -> list[str]:
        """Deliveries that may be there twice, the newest first: for a week, since nobody tells
        when a person has deleted the other one."""
        found = self._database.read(
            "SELECT DISTINCT delivery_id FROM part WHERE state = 'LIVE' AND copies <> '[]' "
            "AND live_at > :since AND tenant = :tenant ORDER BY live_at DESC",
            {"tenant": self._tenant, "since": micros(self._clock.now() - NEWS)},
        )
        return [row["delivery_id"] for row in found]

    def standing(self) -> Standing:
        """How many deliveries that are not sent yet stand how."""
        late = micros(self._clock.now() - LATE)
        found = self._database.read(
            WAITING.format(
                what="CASE WHEN part.state IN ('HELD', 'MISSED', 'UNCERTAIN') THEN part.state "
                "WHEN part.ready_at <= :late THEN 'OVERDUE' ELSE 'TO_COME' END AS how, "
                "count(*) AS deliveries"
            ).replace(" AND part.tenant = :tenant", of_tenant(self._tenant, "part.tenant"))
            + " GROUP BY how",
            {"tenant": self._tenant, "late": late},
        )
        counts = {row["how"].lower(): row["deliveries"] for row in found}
        return Standing(**counts)

    def last_due(self) -> dict[str, datetime]:
        """When the last post that is scheduled to an account is due, by the account's id."""
        found = self._database.read(
            "SELECT account_id, max(due_at) AS at FROM part WHERE state = 'SCHEDULED'"  # noqa: S608
            f"{of_tenant(self._tenant)} GROUP BY account_id",
            {"tenant": self._tenant},
        )
        return {row["account_id"]: moment(row["at"]) for row in found}

    def count_waiting(self) -> int:
        found = self._database.read(WAITING.format(what="count(*)"), {"tenant": self._tenant})
        return int(found[0][0])

    def history(self, delivery_id: str) -> list[HistoryRow]:
        found = self._database.read(
            "SELECT * FROM history WHERE delivery_id = :id AND tenant = :tenant ORDER BY id",
            {"id": delivery_id, "tenant": self._tenant},
        )
        return [rows.history(row) for row in found]

    def _recent(
        self,
        where: str,
        values: Mapping[str, Any],
        within: timedelta,
        at: datetime | None,
        connection: sqlite3.Connection | None,
    ) -> str | None:
        """The newest delivery that is live or may become so, due so near to ``at``."""
        sql = RECENT + where + MAY_BE_LIVE
        due = at or self._clock.now()
        everything = {
            **values,
            "tenant": self._tenant,
            "after": micros(due - within),
            "before": micros(due + within),
        }
        if connection is None:
            found = self._database.read(sql, everything)
        else:
            found = connection.execute(sql, everything).fetchall()
        return str(found[0]["id"]) if found else None


def _owned(connection: sqlite3.Connection, tenant: str | None, account_id: str) -> None:
    """Raises UnknownName: a plan may have been made by another tenant's Kit, or before the account
    was removed."""
    found = connection.execute(
        "SELECT network || ':' || name AS label, removed_at FROM account "
        "WHERE id = :id AND tenant = :tenant",
        {"id": account_id, "tenant": tenant},
    ).fetchone()
    if found is None:
        raise UnknownName(f"There is no account {account_id}.")
    if found["removed_at"] is not None:
        raise UnknownName(f"{found['label']} was removed; connect it again, and plan anew.")


def _insert_delivery(
    connection: sqlite3.Connection,
    tenant: str | None,
    publication_id: str,
    position: int,
    new: NewDelivery,
    at: int,
) -> None:
    from ..ids import part_id

    when = new.when or Due(moment(at), moment(at) + FRESHNESS)
    connection.execute(
        "INSERT INTO delivery (id, tenant, publication_id, account_id, address, network, target, "
        "position, text_hash, changes, losses, fields, cost, created_at, local, zone, at_once) "
        "VALUES (:id, "
        ":tenant, :publication, :account, :address, :network, :target, :position, :text_hash, "
        ":changes, :losses, :fields, :cost, :at, :local, :zone, :at_once)",
        {
            "id": new.id,
            "tenant": tenant,
            "publication": publication_id,
            "account": new.account_id,
            "address": new.address,
            "network": new.network,
            "target": new.target,
            "position": position,
            "text_hash": new.text_hash,
            "changes": json.dumps([change.to_json() for change in new.changes]),
            "losses": json.dumps([loss.to_json() for loss in new.losses]),
            "fields": json.dumps([field.to_json() for field in new.fields]),
            "cost": json.dumps(dict(new.cost)) if new.cost else None,
            "at": at,
            "local": when.local,
            "zone": when.zone,
            "at_once": when.local is None and micros(when.at) <= at,
        },
    )
    due = micros(when.at)
    for number, part in enumerate(new.parts, 1):
        first = number == 1
        connection.execute(
            "INSERT INTO part (id, tenant, delivery_id, account_id, position, state, rendition, "
            "due_at, not_before, ready_at, expires_at) VALUES (:id, :tenant, :delivery, :account, "
            ":position, 'SCHEDULED', :rendition, :due, :due, :ready, :expires)",
            {
                "id": part_id(new.id, number),
                "tenant": tenant,
                "delivery": new.id,
                "account": new.account_id,
                "position": number,
                "rendition": json.dumps(part.to_json()),
                "due": due,
                # What follows in a thread waits for its first part, and is never too late.
                "ready": due if first else None,
                "expires": micros(when.expires_at) if first and when.expires_at else None,
            },
        )
        for attachment in part.media:
            insert_media(connection, attachment, at)
    connection.execute(
        "UPDATE account SET ready_at = :due WHERE id = :account "
        "AND (ready_at IS NULL OR ready_at > :due)",
        {"due": due, "account": new.account_id},
    )


def insert_media(connection: sqlite3.Connection, attachment: Attachment, at: int) -> None:
    connection.execute(
        "INSERT INTO media (sha256, mime, size, created_at) VALUES (:sha256, :mime, :size, :at) "
        "ON CONFLICT (sha256) DO NOTHING",
        {
            "sha256": attachment.sha256,
            "mime": attachment.mime,
            "size": attachment.size,
            "at": at,
        },
    )

"""Rows of publications and deliveries, and the history of what happened to them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..clock import Clock, micros
from ..errors import InputError, PlanRefused, StoreError, UnknownName
from ..network import Attachment, Change, RenderedPart
from . import rows
from .database import Database
from .rows import DeliveryRow, HistoryRow, PublicationRow

SAME_TEXT = timedelta(days=1)
SAME_FILE = timedelta(days=7)
"""For how long the same text, or the same file, to the same place is a mistake."""
RECENT = (
    "SELECT d.id FROM delivery d JOIN publication p ON p.id = d.publication_id "
    "WHERE d.tenant = :tenant AND d.created_at > :after AND "
)
MAY_BE_LIVE = (
    " AND EXISTS (SELECT 1 FROM part WHERE part.delivery_id = d.id "
    "AND part.state NOT IN ('FAILED', 'CANCELLED', 'MISSED', 'HELD')) "
    "ORDER BY d.created_at DESC LIMIT 1"
)


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


class PublicationRows:
    """The publications of one tenant."""

    def __init__(self, database: Database, clock: Clock, tenant: str = "") -> None:
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

        Raises InputError where ``once`` was taken by another process meanwhile, and PlanRefused
        where the same text went there meanwhile, unless ``again`` allows it.
        """
        at = micros(self._clock.now())

        def work(connection: sqlite3.Connection) -> None:
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
                            new.account_id, new.target, new.text_hash, source, connection
                        )
                    )
                ]
            )
            if repeats:
                raise PlanRefused(repeats)
            for position, delivery in enumerate(deliveries, 1):
                _insert_delivery(connection, self._tenant, publication_id, position, delivery, at)

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
        """Raises UnknownName."""
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
        found = self._database.read(
            "SELECT * FROM delivery WHERE id = :id AND tenant = :tenant",
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
        connection: sqlite3.Connection | None = None,
    ) -> str | None:
        """Why this would be a repeat, as a sentence; None where it is none. With ``connection``
        inside its transaction."""
        place = {"account": account_id, "target": target}
        where = "d.account_id = :account AND d.target IS :target AND "
        found = self._recent(
            where + "d.text_hash = :hash", {**place, "hash": text_hash}, SAME_TEXT, connection
        )
        what = "The same text went there within a day"
        if found is None and source is not None:
            found = self._recent(
                where + "p.source = :source", {**place, "source": source}, SAME_FILE, connection
            )
            what = "The same file went there within a week"
        if found is None:
            return None
        return (
            f"{what} ({found}). See `postkit show {found}`, remove it with `postkit delete "
            f"{found}`, or send it once more with --again."
        )

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
        since: timedelta,
        connection: sqlite3.Connection | None,
    ) -> str | None:
        """The newest delivery that is live or may become so."""
        sql = RECENT + where + MAY_BE_LIVE
        after = micros(self._clock.now() - since)
        everything = {**values, "tenant": self._tenant, "after": after}
        if connection is None:
            found = self._database.read(sql, everything)
        else:
            found = connection.execute(sql, everything).fetchall()
        return str(found[0]["id"]) if found else None


def _insert_delivery(
    connection: sqlite3.Connection,
    tenant: str,
    publication_id: str,
    position: int,
    new: NewDelivery,
    at: int,
) -> None:
    from ..ids import part_id

    connection.execute(
        "INSERT INTO delivery (id, tenant, publication_id, account_id, address, network, target, "
        "position, text_hash, changes, losses, cost, created_at) VALUES (:id, :tenant, "
        ":publication, :account, :address, :network, :target, :position, :text_hash, :changes, "
        ":losses, :cost, :at)",
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
            "cost": json.dumps(dict(new.cost)) if new.cost else None,
            "at": at,
        },
    )
    for number, part in enumerate(new.parts, 1):
        connection.execute(
            "INSERT INTO part (id, tenant, delivery_id, account_id, position, state, rendition, "
            "due_at, not_before) VALUES (:id, :tenant, :delivery, :account, :position, "
            "'SCHEDULED', :rendition, :at, :at)",
            {
                "id": part_id(new.id, number),
                "tenant": tenant,
                "delivery": new.id,
                "account": new.account_id,
                "position": number,
                "rendition": json.dumps(part.to_json()),
                "at": at,
            },
        )
        for attachment in part.media:
            _insert_media(connection, attachment, at)


def _insert_media(connection: sqlite3.Connection, attachment: Attachment, at: int) -> None:
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

"""Rows as typed values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..clock import moment
from ..deliver.states import PartState
from ..network import Account, Identity

_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class PartRow:
    id: str
    tenant: str
    delivery_id: str
    account_id: str
    position: int
    state: PartState
    rendition: Mapping[str, Any]
    due_at: datetime
    not_before: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    fence: int
    attempts: int
    owner: str | None
    lease_until: datetime | None
    key: str | None
    prepared: Mapping[str, Any]
    outgoing: Mapping[str, Any] | None
    sending_at: datetime | None
    doubt_at: datetime | None
    looks: int
    failures: int
    receipt: Mapping[str, Any] | None
    remote_id: str | None
    url: str | None
    live_at: datetime | None
    held_reason: str | None
    question: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    audit_at: datetime | None
    audits: int
    copies: list[str]
    failing_since: datetime | None
    uncapped: bool


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: str
    tenant: str
    publication_id: str
    account_id: str
    address: str
    network: str
    target: str | None
    position: int
    changes: list[Mapping[str, Any]]
    losses: list[Mapping[str, Any]]
    fields: list[Mapping[str, Any]]
    cost: Mapping[str, Any] | None
    created_at: datetime
    local: str | None
    zone: str | None
    text_hash: str


@dataclass(frozen=True, slots=True)
class PublicationRow:
    id: str
    tenant: str
    once: str | None
    content: str
    source: str | None
    warnings: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryRow:
    delivery_id: str | None
    part_id: str | None
    at: datetime
    event: str
    before: str | None
    after: str | None
    attempt: int | None
    reason: str
    detail: Mapping[str, Any] | None
    actor: str | None = None
    via: str | None = None
    content: str | None = None


def part(row: sqlite3.Row) -> PartRow:
    """``row`` has all columns of a part, in the table's order, and may have others after them."""
    # By position: each look-up of a name goes through the names of all columns before it.
    (
        id_, tenant, delivery_id, account_id, position, state, rendition, due_at, not_before,
        fence, attempts, owner, lease_until, key, prepared, outgoing, sending_at, doubt_at, looks,
        receipt, remote_id, url, live_at, held_reason, question, error,
        ready_at, expires_at, failures, audit_at, audits, copies, failing_since, uncapped,
        *_,
    ) = row  # fmt: skip
    return PartRow(
        id=id_,
        tenant=tenant,
        delivery_id=delivery_id,
        account_id=account_id,
        position=position,
        state=state,
        rendition=_json(rendition),
        due_at=moment(due_at),
        not_before=moment(not_before),
        ready_at=_moment(ready_at),
        expires_at=_moment(expires_at),
        fence=fence,
        attempts=attempts,
        owner=owner,
        lease_until=_moment(lease_until),
        key=key,
        prepared=_json(prepared),
        outgoing=_json(outgoing),
        sending_at=_moment(sending_at),
        doubt_at=_moment(doubt_at),
        looks=looks,
        failures=failures,
        receipt=_json(receipt),
        remote_id=remote_id,
        url=url,
        live_at=_moment(live_at),
        held_reason=held_reason,
        question=_json(question),
        error=_json(error),
        audit_at=_moment(audit_at),
        audits=audits,
        copies=_json(copies),
        failing_since=_moment(failing_since),
        uncapped=bool(uncapped),
    )


def delivery(row: sqlite3.Row) -> DeliveryRow:
    return DeliveryRow(
        id=row["id"],
        tenant=row["tenant"],
        publication_id=row["publication_id"],
        account_id=row["account_id"],
        address=row["address"],
        network=row["network"],
        target=row["target"],
        position=row["position"],
        changes=_json(row["changes"]),
        losses=_json(row["losses"]),
        fields=_json(row["fields"]),
        cost=_json(row["cost"]),
        created_at=moment(row["created_at"]),
        local=row["local"],
        zone=row["zone"],
        text_hash=row["text_hash"],
    )


def publication(row: sqlite3.Row) -> PublicationRow:
    return PublicationRow(
        id=row["id"],
        tenant=row["tenant"],
        once=row["once"],
        content=row["content"],
        source=row["source"],
        warnings=_json(row["warnings"]),
        created_at=moment(row["created_at"]),
    )


def history(row: sqlite3.Row) -> HistoryRow:
    return HistoryRow(
        delivery_id=row["delivery_id"],
        part_id=row["part_id"],
        at=moment(row["at"]),
        event=row["event"],
        before=row["before"],
        after=row["after"],
        attempt=row["attempt"],
        reason=row["reason"],
        detail=_json(row["detail"]),
        actor=row["actor"],
        via=row["via"],
        content=row["content"],
    )


def account(row: sqlite3.Row) -> Account:
    identity = _json(row["identity"])
    return Account(
        id=row["id"],
        network=row["network"],
        name=row["name"],
        endpoint=row["endpoint"],
        ca_bundle=row["ca_bundle"],
        identity=Identity(**identity) if identity else None,
        settings=_json(row["settings"]),
        tenant=row["tenant"],
        state=row["state"],
        protected=bool(row["protected"]),
        is_default=bool(row["is_default"]),
    )


def _json(text: str | None) -> Any:
    # Written by this program, so without the spaces that ``loads`` looks for around the value.
    return None if text is None else _decode(text)[0]


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)

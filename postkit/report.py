"""What became of a publication: typed for programs, JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .accounts.secret import Redactor
from .deliver.states import EXIT_STATUS, DeliveryState, delivery_state, worst_exit
from .store.rows import DeliveryRow, PartRow

SCHEMA = "postkit.report.v1"
GIVEN_UP = "given_up"
"""The code of an error that is a person's decision: nothing is to be mended, and what may be there
is not known."""


@dataclass(frozen=True, slots=True)
class PartReport:
    """One message. ``url`` is None where the network tells none.

    A planned part has no ``id`` yet. Its JSON shows what would be sent: ``text`` and ``media``
    (name, kind, mime, width and height in pixels, size in bytes, seconds, alt), and the link's
    ``card`` (url, title, description, image) where there is one.
    """

    id: str
    state: str
    remote_id: str | None
    url: str | None
    text: str
    media: tuple[Mapping[str, Any], ...] = ()
    card: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": self.id or None,
            "state": self.state,
            "remote_id": self.remote_id,
            "url": self.url,
        }
        if self.state == "PLANNED":
            body["text"] = self.text
            body["media"] = [dict(each) for each in self.media]
            if self.card is not None:
                body["card"] = dict(self.card)
        return body


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of one address. ``id`` is None for a plan or where nothing was accepted."""

    id: str | None
    address: str
    network: str
    account: str
    state: DeliveryState
    parts: tuple[PartReport, ...] = ()
    changes: tuple[Mapping[str, Any], ...] = ()
    losses: tuple[Mapping[str, Any], ...] = ()
    fields: tuple[Mapping[str, Any], ...] = ()
    """Each field of the post: ``field``, ``item``, ``outcome`` (delivered, adapted, lost,
    refused), ``how``. What it says is so once the state is live; all is refused where it is
    failed."""
    cost: Mapping[str, Any] | None = None
    guarantee: str | None = None
    held_reason: str | None = None
    at: datetime | None = None
    zone: str | None = None
    """The IANA zone in which the author meant ``at``; None where it is an instant."""
    expires_at: datetime | None = None
    """Until when it is fresh: after that it is not sent any more. None: for ever."""
    retry_at: datetime | None = None
    question: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    overdue: bool = False
    """Whether a part is due that nobody is sending: ``finish`` goes on with it."""
    copies: tuple[str, ...] = ()
    """Links of other posts at the network that look like a live part: it may be there twice."""
    paused: str | None = None
    """The address of the pause that something unsent falls under; None where there is none."""
    quota: str | None = None
    """Of a planned delivery: how much the network takes in a time, in words."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The links of the live parts, in order."""
        return tuple(part.url for part in self.parts if part.url and part.state == "LIVE")

    @property
    def exit_status(self) -> int:
        if self.state == "scheduled" and (self.overdue or self.error is not None):
            return 75
        return EXIT_STATUS[self.state]

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": self.id,
            "address": self.address,
            "network": self.network,
            "account": self.account,
            "state": self.state,
            "held_reason": self.held_reason,
            "at": _iso(self.at),
            "zone": self.zone,
            "expires_at": _iso(self.expires_at),
            "retry_at": _iso(self.retry_at),
            "parts": [part.to_json() for part in self.parts],
            "changes": [dict(change) for change in self.changes],
            "losses": [dict(loss) for loss in self.losses],
            "fields": [dict(field) for field in self.fields],
            "cost": dict(self.cost) if self.cost else None,
            "guarantee": self.guarantee,
            "question": dict(self.question) if self.question else None,
            "error": dict(self.error) if self.error else None,
        }
        if self.copies:
            body["copies"] = list(self.copies)
        if self.state == "planned":
            body["quota"] = self.quota
        return body


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a publication, or what a plan would do (``publication`` is None)."""

    publication: str | None
    deliveries: tuple[DeliveryReport, ...]
    warnings: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None

    @property
    def exit_status(self) -> int:
        statuses = [delivery.exit_status for delivery in self.deliveries]
        if self.error is not None:
            statuses.append(int(self.error.get("exit_status", 1)))
        return worst_exit(statuses)

    @property
    def ok(self) -> bool:
        return self.exit_status == 0

    def to_json(self) -> dict[str, Any]:
        error = None
        if self.error is not None:
            error = {k: v for k, v in self.error.items() if k != "exit_status"}
        return {
            "schema": SCHEMA,
            "publication": self.publication,
            "deliveries": [delivery.to_json() for delivery in self.deliveries],
            "warnings": list(self.warnings),
            "error": error,
        }


def report_of(
    row: DeliveryRow, parts: Sequence[PartRow], label: str, kind: str, now: datetime
) -> DeliveryReport:
    """The report of a stored delivery. ``label`` is the account's, ``kind`` the guarantee's."""
    state = delivery_state([part.state for part in parts])
    fields: list[Mapping[str, Any]] = list(row.fields)
    stopped = next((part for part in parts if part.state != "LIVE"), None)
    open_part = stopped if stopped is not None and stopped.state == "SCHEDULED" else None
    error = stopped.error if stopped is not None else None
    if state == "failed" and error is not None and error.get("code") != GIVEN_UP:
        # The network said no: nothing of what was planned is there.
        why = error.get("message") or ""
        fields = [{**field, "outcome": "refused", "how": why} for field in fields]
    waiting = open_part is not None and open_part.error is not None
    return DeliveryReport(
        id=row.id,
        address=row.address,
        network=row.network,
        account=label,
        state=state,
        parts=tuple(
            PartReport(p.id, p.state, p.remote_id, p.url, str(p.rendition.get("text", "")))
            for p in parts
        ),
        changes=tuple(row.changes),
        losses=tuple(row.losses),
        fields=tuple(fields),
        cost=row.cost,
        guarantee=kind,
        held_reason=stopped.held_reason if stopped else None,
        at=parts[0].due_at if parts else row.created_at,
        zone=row.zone,
        expires_at=parts[0].expires_at if parts else None,
        retry_at=open_part.not_before if waiting and open_part else None,
        question=stopped.question if stopped else None,
        error=error,
        copies=tuple(link for part in parts for link in part.copies),
        overdue=open_part is not None and open_part.not_before <= now,
    )


def error_of(error: Exception) -> dict[str, Any]:
    """Any error as the report shows it; ``exit_status`` is for the command line alone."""
    message = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
    return {
        "kind": getattr(error, "kind", "internal"),
        "message": Redactor.redact(message),
        "code": getattr(error, "code", None),
        "exit_status": getattr(error, "exit_status", 70),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

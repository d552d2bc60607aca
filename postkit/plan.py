"""What would be sent, for every address, before anything is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .address import Place
from .network import Network, Rendition
from .outcomes import FieldOutcome
from .post import Post
from .report import DeliveryReport, PartReport, Report


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants a post adapted. ``card``: build link cards, which fetches the page.
    ``options`` are by network name."""

    split: bool = True
    numbering: bool = False
    trim: bool = False
    strict: bool = False
    again: bool = False
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    card: bool = True


@dataclass(frozen=True, slots=True)
class Planned:
    """One address: its rendition, or the reasons why there is none."""

    place: Place
    network: Network[Any]
    rendition: Rendition | None
    reasons: tuple[str, ...] = ()
    outcomes: tuple[FieldOutcome, ...] = ()
    """What becomes of each field of the post."""
    cost: Mapping[str, Any] | None = None
    guarantee: str = ""
    quota: str | None = None

    @property
    def address(self) -> str:
        return self.place.label

    @property
    def is_connected(self) -> bool:
        """Whether there is an account to send it by."""
        return bool(self.place.account.id)

    @property
    def text_hash(self) -> str:
        """What "the same text" means: the words (title and link among them), or the pictures
        where there are no words."""
        parts = self.rendition.parts if self.rendition else ()
        texts = [[part.text, part.fields.get("title"), part.fields.get("link")] for part in parts]
        media = [attachment.sha256 for part in parts for attachment in part.media]
        extra = [] if any(any(words) for words in texts) else media
        return hashlib.sha256(repr((texts, extra)).encode("utf-8", "surrogatepass")).hexdigest()

    def report(self) -> DeliveryReport:
        rendition = self.rendition
        return DeliveryReport(
            id=None,
            address=self.address,
            network=self.network.name,
            account=self.place.account.label,
            state="planned" if rendition else "failed",
            parts=tuple(
                PartReport("", "PLANNED", None, None, part.text) for part in rendition.parts
            )
            if rendition
            else (),
            changes=tuple(c.to_json() for c in rendition.changes) if rendition else (),
            losses=tuple(c.to_json() for c in rendition.losses) if rendition else (),
            fields=tuple(outcome.to_json() for outcome in self.outcomes),
            cost=self.cost,
            guarantee=self.guarantee or None,
            error=None
            if rendition
            else {"kind": "plan_refused", "message": " ".join(self.reasons), "code": None},
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Every address of one post. ``report`` shows it in the shape of a publication's."""

    post: Post
    deliveries: tuple[Planned, ...]
    warnings: tuple[str, ...] = ()
    again: bool = False
    """Whether the same text may go to the same place once more."""

    @property
    def refused(self) -> tuple[Planned, ...]:
        return tuple(planned for planned in self.deliveries if planned.rendition is None)

    @property
    def problems(self) -> list[str]:
        addresses: dict[str, list[str]] = {}
        for planned in self.refused:
            for reason in planned.reasons:
                addresses.setdefault(reason, []).append(planned.address)
        return [f"{', '.join(where)}: {reason}" for reason, where in addresses.items()]

    @property
    def report(self) -> Report:
        return Report(None, tuple(planned.report() for planned in self.deliveries), self.warnings)

"""A plan in words: every part as it would be sent, what is changed, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from ..network import RenderedPart
from ..outcomes import FieldOutcome
from ..plan import Plan, Planned
from ..rendition import Attachment
from ..report import Report
from ..store.publications import Due
from ..terms import IN_DOUBT, money, options_of, quota
from .output import counted, labelled, say, shown, shown_lines, where, wrapped


def planned_report(plan: Plan, due: Due | None = None) -> Report:
    """The plan's report, with the pictures, the quota and the time of what would be sent."""
    report = plan.report
    deliveries = []
    for planned, delivery in zip(plan.deliveries, report.deliveries, strict=True):
        sources = planned.rendition.parts if planned.rendition else ()
        parts = (
            replace(
                part, media=tuple(_medium(media) for media in source.pictures), card=_card(source)
            )
            for part, source in zip(delivery.parts, sources, strict=True)
        )
        delivery = replace(delivery, parts=tuple(parts), quota=quota(planned))
        if due is not None:
            delivery = replace(delivery, at=due.at, zone=due.zone, expires_at=due.expires_at)
        deliveries.append(delivery)
    return replace(report, deliveries=tuple(deliveries))


def _medium(media: Attachment) -> dict[str, Any]:
    names = ("name", "kind", "mime", "width", "height", "size", "seconds", "alt")
    return {name: getattr(media, name) for name in names}


def _card(part: RenderedPart) -> dict[str, Any] | None:
    card = part.fields.get("card")
    return card and {**card, "image": _medium(part.media[0]) if part.media else None}


def print_plan(plan: Plan) -> None:
    """Every part as it would be sent, then options, what stays as it is, changes, losses, cost,
    quota and guarantee."""
    for planned in plan.deliveries:
        click.echo(click.style(shown(planned.address), bold=True))
        if planned.rendition is None:
            for reason in planned.reasons:
                labelled("refused", reason)
            continue
        for number, part in enumerate(planned.rendition.parts, 1):
            _print_part(planned, part, number)
        for name, value in options_of(planned.rendition.parts).items():
            labelled("option", f"{name} {value}")
        if same := as_given(planned.outcomes):
            labelled("as given", same)
        for change in planned.rendition.changes:
            labelled("changed", where(change.to_json()))
        for loss in planned.rendition.losses:
            labelled("lost", where(loss.to_json()))
        if planned.cost:
            labelled("cost", money(planned.cost))
        words = quota(planned)
        if words:
            labelled("quota", words)
        labelled("in doubt", IN_DOUBT.get(planned.guarantee, planned.guarantee))


COUNTED = {"text": "text", "media": "file", "alt": "alt text", "tags": "tag"}
"""The fields that a post may have several of."""
MEDIA = {"image": "picture", "animation": "animation", "video": "video"}


def as_given(outcomes: Sequence[FieldOutcome]) -> str:
    """What arrives as its author gave it, in words: ``2 texts, 1 file, title``."""
    fields = Counter(row.field for row in outcomes if row.outcome == "delivered")
    return ", ".join(
        counted(number, COUNTED[name]) if name in COUNTED else name.replace("_", " ")
        for name, number in fields.items()
    )


def _print_part(planned: Planned, part: RenderedPart, number: int) -> None:
    parts = planned.rendition.parts if planned.rendition else ()
    counts = ", ".join(
        f"{limit.counter.count(part.text):,} of {limit.maximum:,} {limit.counter.unit}"
        for limit in planned.network.limits_for(planned.place.account).text
    )
    say(f"    part {number} of {len(parts)} ({counts})")
    for line in wrapped(shown_lines(part.text), "      | ", "      | "):
        click.echo(line)
    for media in part.pictures:
        alt = f'"{media.alt}"' if media.alt else "no alt text"
        size = f"{media.width}x{media.height}, {media.size:,} bytes"
        if media.seconds is not None:
            size = f"{media.seconds:.1f} s, {size}"
        labelled(MEDIA[media.kind], f"{media.name} ({size}): {alt}", indent=6)
    card = _card(part)
    if card is not None:
        size = f" (picture of {part.media[0].size:,} bytes)" if part.media else ""
        words = ": ".join(filter(None, (card["title"], card["description"])))
        labelled("card", f"{words}{size}", indent=6)
    for field in ("title", "link", "content_warning", "lang", "visibility", "replies"):
        if part.fields.get(field):
            labelled(field.replace("_", " "), str(part.fields[field]), indent=6)
    if part.fields.get("tags"):
        labelled("tags", ", ".join(part.fields["tags"]), indent=6)
    poll = part.fields.get("poll")
    if poll:
        labelled("poll", f"{' / '.join(poll['options'])} ({poll['minutes']} minutes)", indent=6)

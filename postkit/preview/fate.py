"""What becomes of each field of the post: an icon, a word, and how or why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..outcomes import FieldOutcome, Outcome
from ..pages.markup import Markup, escape
from ..plan import Planned
from ..rendition import Change

_WORST_FIRST: tuple[Outcome, ...] = ("refused", "lost", "adapted", "delivered")
_PATHS: dict[Outcome, str] = {
    "delivered": "M4.5 8.5l2.4 2.4 4.8-5.2",
    "adapted": "M4 6.4c1.4-1.3 2.7-1.3 4 0s2.6 1.3 4 0M4 10c1.4-1.3 2.7-1.3 4 0s2.6 1.3 4 0",
    "lost": "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6",
    "refused": "M4.5 8h7",
}
_NAMES = {"media": "medium", "alt": "alt text", "lang": "language", "tags": "tag"}


def icon(outcome: Outcome) -> Markup:
    return Markup(
        f'<svg class="icon {outcome}" viewBox="0 0 16 16" aria-hidden="true">'
        f'<circle cx="8" cy="8" r="8"/><path d="{_PATHS[outcome]}"/></svg>'
    )


def rows_of(planned: Planned) -> list[FieldOutcome]:
    """Every field, and what was changed or lost beside the author's fields; the worst first."""
    rows = [*planned.outcomes, *_beside(planned)]
    return sorted(rows, key=lambda row: _WORST_FIRST.index(row.outcome))


def named(row: FieldOutcome, planned: Planned) -> str:
    """``alt text 2``; without the number where there is one alone."""
    several = Counter(outcome.field for outcome in planned.outcomes)[row.field] > 1
    name = _NAMES.get(row.field, row.field.replace("_", " "))
    return f"{name} {row.item}" if row.item is not None and several else name


def fate(planned: Planned) -> Markup:
    """The list for one address; fields that share outcome and reason share a row."""
    rows: dict[tuple[Outcome, str], list[str]] = {}
    for row in rows_of(planned):
        rows.setdefault((row.outcome, row.how), []).append(named(row, planned))
    items = "".join(_item(outcome, how, names) for (outcome, how), names in rows.items())
    return Markup(f'<section class="fate"><h3>What becomes of it</h3><ul>{items}</ul></section>')


def _item(outcome: Outcome, how: str, names: list[str]) -> str:
    why = f'<p dir="auto">{escape(how)}</p>' if how else ""
    return (
        f'<li class="{outcome}">{icon(outcome)}<div><b>{escape(", ".join(names))}</b> '
        f'<span class="word">{outcome}</span>{why}</div></li>'
    )


def _beside(planned: Planned) -> Iterator[FieldOutcome]:
    """Changes and losses of what the author did not give, such as a numbering."""
    rendition = planned.rendition
    if rendition is None:
        return
    told = {outcome.field for outcome in planned.outcomes}
    if "text" in told:
        told.add("thread")
    kinds: tuple[tuple[tuple[Change, ...], Outcome], ...] = (
        (rendition.losses, "lost"),
        (rendition.changes, "adapted"),
    )
    for changes, outcome in kinds:
        for change in changes:
            if change.field not in told:
                part = f" (part {change.part})" if change.part is not None else ""
                yield FieldOutcome(change.field, outcome, None, change.text + part)

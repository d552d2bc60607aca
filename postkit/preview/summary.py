"""The whole plan at a glance: how many addresses, what is lost where, what it costs, when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..pages.markup import Markup, escape, isolated
from ..plan import Plan, Planned
from .fate import icon, named, rows_of
from .thread import address_of


def summary(plan: Plan, due: str | None) -> Markup:
    """``due`` is the time in words; None means now."""
    tiles = "".join(
        f'<div class="tile {kind}"><dt>{label}</dt><dd>{escape(value)}</dd></div>'
        for label, value, kind in _tiles(plan)
    )
    when = f'<p class="due">Due {isolated(due)}</p>' if due is not None else ""
    return Markup(
        f'<section class="summary" aria-label="Summary"><dl class="tiles">{tiles}</dl>{when}'
        f"{_bad_news(plan)}{_warnings(plan.warnings)}</section>"
    )


def total(deliveries: Sequence[Planned]) -> str:
    """The cost of all, for each currency."""
    sums: dict[str, float] = defaultdict(float)
    for planned in deliveries:
        if planned.cost is not None:
            sums[str(planned.cost["currency"])] += float(planned.cost["amount"])
    return " + ".join(f"{amount:.3f} {name}" for name, amount in sorted(sums.items())) or "none"


def _tiles(plan: Plan) -> Iterator[tuple[str, str, str]]:
    rows = [row.outcome for planned in plan.deliveries for row in rows_of(planned)]
    parts = sum(len(planned.rendition.parts) for planned in plan.deliveries if planned.rendition)
    yield "addresses", str(len(plan.deliveries)), ""
    yield "posts", str(parts), ""
    yield "adapted", str(rows.count("adapted")), "adapted" if "adapted" in rows else ""
    yield "lost", str(rows.count("lost")), "lost" if "lost" in rows else ""
    refused = len(plan.refused)
    yield "refusals", str(refused), "refused" if refused else ""
    yield "cost", total(plan.deliveries), ""


def _bad_news(plan: Plan) -> str:
    rows = []
    for number, planned in enumerate(plan.deliveries, 1):
        where = f'<a href="#a{number}">{isolated(address_of(planned))}</a>'
        if planned.rendition is None:
            why = escape(" ".join(planned.reasons))
            rows.append(f"<li>{icon('refused')}<span>{where} refuses: <bdi>{why}</bdi></span></li>")
            continue
        lost = [named(row, planned) for row in rows_of(planned) if row.outcome == "lost"]
        if lost:
            what = escape(", ".join(lost))
            rows.append(f"<li>{icon('lost')}<span>{where} loses: {what}</span></li>")
    if not rows:
        return f'<ul class="news"><li>{icon("delivered")}<span>Nothing is lost.</span></li></ul>'
    return f'<ul class="news">{"".join(rows)}</ul>'


def _warnings(warnings: Sequence[str]) -> str:
    rows = "".join(f'<li dir="auto">{escape(warning)}</li>' for warning in warnings)
    return f'<ul class="warnings" aria-label="Warnings">{rows}</ul>' if rows else ""

"""How much of each limit a rendition uses."""

from __future__ import annotations

from collections.abc import Iterator

from ..limits.model import Limits, TextLimit
from ..pages.markup import Markup, escape
from ..plan import Planned

NEAR = 0.9
"""The share of a limit from which a text is near it."""


def lengths(planned: Planned) -> Markup:
    """A counter for each part and each limit of its network, and one for the title."""
    limits = planned.network.limits_for(planned.place.account)
    rows = "".join(_rows(planned, limits))
    return Markup(f'<section class="lengths"><h3>Length</h3><ul>{rows}</ul></section>')


def _rows(planned: Planned, limits: Limits) -> Iterator[str]:
    parts = planned.rendition.parts if planned.rendition is not None else ()
    for number, part in enumerate(parts, 1):
        if limits.title is not None and part.fields.get("title"):
            yield _row("title", str(part.fields["title"]), limits.title)
        for limit in limits.text:
            yield _row(f"part {number}" if len(parts) > 1 else "text", part.text, limit)


def _row(name: str, text: str, limit: TextLimit) -> str:
    used = limit.counter.count(text)
    near = used >= limit.maximum * NEAR
    words = f"{used:,} of {limit.maximum:,} {escape(limit.counter.unit)}"
    share = min(100.0, 100 * used / limit.maximum)
    # The colour alone would tell nothing to some readers.
    warning = " <em>near the limit</em>" if near else ""
    return (
        f'<li class="{"near" if near else "far"}"><span><b>{name}</b> {words}{warning}</span>'
        f'<span class="bar" aria-hidden="true"><span style="width:{share:.1f}%"></span></span></li>'
    )

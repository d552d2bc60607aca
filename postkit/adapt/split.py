"""Split a text that is too long: into few and even parts, at good places.

Never inside a grapheme, URL, mention, hashtag, cashtag or a number with its unit; inside of quotes,
brackets and words in the other direction only where these are longer than a part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..limits.entities import EntityRules
from ..limits.model import TextLimit
from ..network import CannotRender

MAX_PARTS = 50
"""Posts of one thread; a longer one is an article, and more likely a mistake."""

_TRIES = 20
"""Ways to cut that are tried, each with a little more room, until every part fits."""

_SPACE = re.compile(r"\s+")


def excess(text: str, limits: Sequence[TextLimit]) -> tuple[tuple[TextLimit, int], ...]:
    """The limits that ``text`` breaks, each with what it counts."""
    counted = ((limit, limit.counter.count(text)) for limit in limits)
    return tuple((limit, count) for limit, count in counted if count > limit.maximum)


def split(
    text: str,
    limits: Sequence[TextLimit],
    rules: EntityRules,
    *,
    numbering: bool,
    max_parts: int = MAX_PARTS,
) -> list[str]:
    """``text`` as parts that each keep all ``limits``; ``[text]`` where it fits as it is.

    ``numbering`` ends each of several parts with " (1/3)", counted within the limits. White
    space at a cut is all that is lost. Raises CannotRender where an unbreakable link or name is
    longer than a part, or where more than ``max_parts`` would be needed.
    """
    if not excess(text, limits):
        return [text]
    if not numbering:
        return cut(text, limits, rules, max_parts=max_parts)
    for digits in range(1, len(str(max_parts)) + 1):
        parts = cut(text, limits, rules, reserve=number(digits), max_parts=max_parts)
        if len(str(len(parts))) <= digits:
            break
    return [f"{part} ({n}/{len(parts)})" for n, part in enumerate(parts, 1)]


def number(digits: int) -> str:
    """The longest number of a part where there are up to ``digits`` digits of parts."""
    return f" ({'9' * digits}/{'9' * digits})"


def cut(
    text: str,
    limits: Sequence[TextLimit],
    rules: EntityRules,
    *,
    reserve: str = "",
    max_parts: int = MAX_PARTS,
    distinct: bool = False,
) -> list[str]:
    """``text`` in parts that keep ``limits`` with ``reserve`` behind each; ``distinct``: no two
    say the same, where a way to cut it so is found. Raises CannotRender."""
    broken = excess(text, limits)
    if any(_least(text, count, max_parts) > max_parts * limit.maximum for limit, count in broken):
        raise CannotRender(_too_many(broken, max_parts))
    from .balance import choose
    from .breaks import find_breaks
    from .places import Unbreakable, find_places

    breaks = find_breaks(text, rules)
    most = 1.0
    alike: list[str] = []
    for _ in range(_TRIES):
        try:
            row = find_places(breaks, limits, reserve, most)
        except Unbreakable as error:
            if alike:
                return alike
            raise CannotRender(_unbreakable(error.token, limits, reserve)) from None
        apart = breaks.between if alike else None
        ends = [row.places[index].position for index in choose(row, most, apart)]
        if len(ends) > max_parts:
            if alike:
                return alike
            raise CannotRender(_too_many(broken, max_parts))
        parts = list(map(breaks.between, [row.places[0].position, *ends[:-1]], ends))
        # Lengths are not quite additive: what is cut off may have been part of a longer symbol.
        fullest = max((_share(part + reserve, limits) for part in parts), default=0.0)
        if fullest > 1.0:
            most = min(most / fullest, most * 0.99)
        elif distinct and not reserve and len({*parts}) < len(parts):
            # First other ends for as many parts; more parts have more ways to differ.
            most *= 0.95 if alike else 1.0
            alike = alike or parts
        else:
            break
    else:
        parts = alike or parts
    # No-break spaces alone are not a post.
    return [part for part in parts if part.strip()] or [text]


def _least(text: str, count: int, max_parts: int) -> int:
    """What is left of ``count`` at least where all the white space at cuts is dropped."""
    runs = sorted((len(run) for run in _SPACE.findall(text)), reverse=True)
    return count - 2 * sum(runs[: max_parts + 1])


def _share(text: str, limits: Sequence[TextLimit]) -> float:
    return max((lim.counter.count(text) / lim.maximum for lim in limits), default=0.0)


def _too_many(broken: Sequence[tuple[TextLimit, int]], max_parts: int) -> str:
    return (
        f"text: {counts(broken)} needs more than {max_parts} posts, the most that a"
        " thread has; shorten it, or publish it as several posts."
    )


def _unbreakable(token: str, limits: Sequence[TextLimit], reserve: str) -> str:
    shown = token if len(token) <= 60 else token[:57] + "..."
    return (
        f"text: {shown!r} is {counts(excess(token + reserve, limits))} and cannot be split;"
        " shorten it."
    )


def counts(broken: Sequence[tuple[TextLimit, int]]) -> str:
    """In words: "612 of 280 weighted characters"."""
    return ", ".join(f"{count:,} of {lim.maximum:,} {lim.counter.unit}" for lim, count in broken)

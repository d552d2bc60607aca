"""Split a text that is too long: at a paragraph, else a sentence, else a word.

Never inside a grapheme, URL, mention, hashtag or cashtag.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..limits.entities import EntityRules
from ..limits.model import TextLimit
from ..network import CannotRender

if TYPE_CHECKING:
    from .breaks import Breaks

MAX_PARTS = 50
"""Posts of one thread; a longer one is an article, and more likely a mistake."""

_ENOUGH = 4
"""A paragraph or sentence end is taken where it fills a post to at least one part in _ENOUGH."""


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
) -> list[str]:
    """``text`` in parts that keep ``limits`` with ``reserve`` behind each. Raises CannotRender."""
    from .breaks import find_breaks

    breaks = find_breaks(text, rules)
    parts: list[str] = []
    start, stop = breaks.after_space(0), breaks.before_space(len(text))
    guess = min(limit.maximum for limit in limits) if limits else stop
    while start < stop:
        if len(parts) == max_parts:
            raise CannotRender(_too_many(text, limits, max_parts))
        end = _next_cut(breaks, start, stop, guess, limits, reserve)
        # No-break spaces alone are not a post.
        if text[start:end].strip():
            parts.append(text[start:end])
        guess = max(1, end - start)
        start = breaks.after_space(end)
    return parts or [text]


def _next_cut(
    breaks: Breaks,
    start: int,
    stop: int,
    guess: int,
    limits: Sequence[TextLimit],
    reserve: str,
) -> int:
    """Where the part that begins at ``start`` ends."""

    def load(end: int) -> float:
        part = breaks.text[start:end] + reserve
        return max((lim.counter.count(part) / lim.maximum for lim in limits), default=0.0)

    allowed = breaks.allowed
    first = bisect_right(allowed, start)
    last = bisect_left(allowed, stop)
    reach = _reach(allowed, first, last, start + guess, load)
    while reach >= first:
        furthest = allowed[reach]
        end = breaks.best(start, furthest, stop, _ENOUGH)
        # Lengths are not quite additive: what is cut off may have been part of a longer symbol.
        if load(end) <= 1.0:
            return end
        reach = bisect_left(allowed, end) - 1
    raise CannotRender(_unbreakable(breaks.text[start : allowed[first]], limits, reserve))


def _reach(
    allowed: Sequence[int], first: int, last: int, guess: int, load: Callable[[int], float]
) -> int:
    """The last index of ``allowed`` up to which a part fits, or ``first - 1``.

    Lengths grow nearly in line with positions, so a few counts find it.
    """
    low, low_load = first - 1, 0.0
    high, high_load = last + 1, math.inf
    at = min(max(bisect_right(allowed, guess), first), last)
    tries = 0
    while high - low > 1:
        current = load(allowed[at])
        if current <= 1.0:
            low, low_load = at, current
        else:
            high, high_load = at, current
        tries += 1
        if high_load == math.inf:
            at = min(last, 2 * low - first + 2)
        elif tries % 4 == 0:
            at = (low + high) // 2
        else:
            share = (1.0 - low_load) / (high_load - low_load)
            at = low + int((high - low) * share + 0.5)
        at = min(max(at, low + 1), high - 1)
    return low


def _too_many(text: str, limits: Sequence[TextLimit], max_parts: int) -> str:
    return (
        f"text: {counts(excess(text, limits))} needs more than {max_parts} posts, the most that a"
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

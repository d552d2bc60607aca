"""Which of the places where a text may be cut are taken: few parts, good ends, no orphan.

The number of parts is the least that the places allow. Among the ways to cut a text into as many,
each end is chosen from left to right between the first place from which the rest still fits and
the last one that this part can reach: the better grade, and the nearer to even parts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .breaks import Grade

_PENALTY = {
    Grade.PARAGRAPH: 0.0,
    Grade.SENTENCE: 0.05,
    Grade.CLAUSE: 0.12,
    Grade.WORD: 0.2,
    Grade.INSIDE: 1.0,
    Grade.CLUSTER: 1.5,
}
"""What a place costs, against the square of its distance from even parts (a full part is 1)."""


_ORPHAN = 0.6
"""A part, or what is left for each that follows, is an orphan below this share of an even part."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part may end. ``ends``, ``begins``: what each limit counts in the text up to here,
    and up to the beginning of the next part."""

    position: int
    grade: Grade
    ends: tuple[int, ...]
    begins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """The text's beginning, the places where a part may end, and the text's end. ``rooms``: what
    a part may hold of each limit."""

    places: Sequence[Place]
    rooms: tuple[int, ...]

    def load(self, start: int, end: int) -> float:
        """How full a part is between two places; 1.0 is full."""
        ends, begins = self.places[end].ends, self.places[start].begins
        loads = [(e - b) / r for e, b, r in zip(ends, begins, self.rooms, strict=True)]
        return max(loads, default=0.0)


def choose(row: Row, most: float, between: Callable[[int, int], str] | None) -> list[int]:
    """The indexes of the places where the parts end.

    No part is fuller than ``most``, if no two neighbours are. With ``between``, the text between
    two positions, no part says the same as another where these places allow it.
    """
    latest = _forwards(row, most)
    count = len(latest)
    earliest = _backwards(row, most, count)
    chosen: list[int] = []
    said: set[str] = set()
    at = 0

    def repeats(start: int, index: int, more: int) -> bool:
        if between is None:
            return False
        positions = [row.places[i].position for i in (start, index, -1)]
        new = [between(*positions[:2])] + [between(*positions[1:])] * (more == 1)
        return len({*said, *new}) < len(said) + len(new)

    for number in range(count - 1):
        more = count - number - 1
        even = row.load(at, len(row.places) - 1) / (more + 1)
        first = max(earliest[number], at + 1)
        last = at + 1
        while last + 1 <= latest[number] and row.load(at, last + 1) <= most:
            last += 1
        reach = range(min(first, last), last + 1)
        # Of what is as good, the last.
        *_, end = min(
            (repeats(at, index, more), _cost(row, at, index, even, more), -index) for index in reach
        )
        if between is not None:
            said.add(between(row.places[at].position, row.places[-end].position))
        at = -end
        chosen.append(at)
    return [*chosen, len(row.places) - 1]


def _cost(row: Row, start: int, end: int, even: float, more: int) -> float:
    """What it costs that a part ends at ``end``, where ``more`` parts follow."""
    own = row.load(start, end)
    smaller = min(own, row.load(end, len(row.places) - 1) / more)
    orphan = max(0.0, _ORPHAN * even - smaller)
    # Rounded, so that what is as good stays as good.
    return round(_PENALTY[row.places[end].grade] + (own - even) ** 2 + 2 * orphan, 9)


def _forwards(row: Row, most: float) -> list[int]:
    """Where each part ends at the latest."""
    ends: list[int] = []
    at = 0
    while at < len(row.places) - 1:
        low, high = at + 1, len(row.places) - 1
        # Loads grow with positions.
        low = at + bisect_right(range(low, high + 1), most, key=lambda i: row.load(at, i))
        at = max(low, at + 1)
        ends.append(at)
    return ends


def _backwards(row: Row, most: float, count: int) -> list[int]:
    """Where each part but the last ends at the earliest, so that the rest fits behind it."""
    starts: list[int] = []
    at = len(row.places) - 1
    for _ in range(count - 1):
        begin = at - 1
        while begin > 0 and row.load(begin - 1, at) <= most:
            begin -= 1
        at = max(begin, 0)
        starts.append(at)
    return starts[::-1]

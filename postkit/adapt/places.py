"""The places of a text that are worth looking at, and how much is between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from ..limits.model import TextLimit
from .balance import Place, Row
from .breaks import Breaks, Grade, within

_Measure = Callable[[int, int], tuple[int, ...]]
_Fits = Callable[[int, int], bool]
_Graded = list[tuple[int, Grade]]


class Unbreakable(Exception):
    """``token`` may not be cut and is longer than a part."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


def find_places(breaks: Breaks, limits: Sequence[TextLimit], reserve: str, most: float) -> Row:
    """The places of ``breaks`` that parts with ``reserve`` behind them need.

    A place inside of a quote or a word is among them only where two good ones are further apart
    than a part reaches. Raises Unbreakable.
    """
    rooms = tuple(max(1, limit.maximum - limit.counter.count(reserve)) for limit in limits)

    def measure(start: int, end: int) -> tuple[int, ...]:
        return tuple(limit.counter.count(breaks.text[start:end]) for limit in limits)

    def fits(start: int, end: int) -> bool:
        return all(n <= most * r for n, r in zip(measure(start, end), rooms, strict=True))

    begin, stop = breaks.after_space(0), breaks.before_space(len(breaks.text))
    graded = [(place, grade) for place, grade in breaks.places if begin < place < stop]
    graded.append((stop, Grade.PARAGRAPH))
    inner = within([place for place, _ in graded], _fitting(breaks, fits))
    good = [(place, grade) for place, grade in graded if place not in inner]
    enough = _refined(breaks, begin, good, sorted(inner), Grade.INSIDE, fits)
    enough = _refined(breaks, begin, enough, breaks.clusters, Grade.CLUSTER, fits)
    start = begin
    for place, _ in enough:
        if not fits(start, place):
            raise Unbreakable(breaks.text[start:place])
        start = breaks.after_space(place)
    return Row(_summed(breaks, begin, enough, measure), rooms)


def _fitting(breaks: Breaks, fits: _Fits) -> list[tuple[int, int]]:
    """What should stay whole, has a place inside, and is not longer than a part."""
    positions = [place for place, _ in breaks.places]
    return [
        (start, end)
        for start, end in breaks.wholes
        if bisect_left(positions, end) > bisect_right(positions, start) and fits(start, end)
    ]


def _refined(
    breaks: Breaks,
    begin: int,
    graded: _Graded,
    spare: Sequence[int],
    grade: Grade,
    fits: _Fits,
) -> _Graded:
    """``graded`` with places of ``spare`` where two of them are further apart than a part."""
    found: _Graded = []
    start = begin
    for place, better in graded:
        if not fits(start, place):
            first, last = bisect_right(spare, start), bisect_left(spare, place)
            # Where the first place is behind white space, the part would begin with it.
            found += [(at, grade) for at in spare[first:last] if breaks.before_space(at) > start]
        found.append((place, better))
        start = breaks.after_space(place)
    return found


def _summed(breaks: Breaks, begin: int, graded: _Graded, measure: _Measure) -> list[Place]:
    total = measure(begin, begin)
    places = [Place(begin, Grade.PARAGRAPH, total, total)]
    start = begin
    for place, grade in graded:
        piece = measure(start, place)
        total = _sum(total, piece)
        start = breaks.after_space(place)
        ends, total = total, _sum(total, measure(place, start)) if start > place else total
        places.append(Place(place, grade, ends, total))
    return places


def _sum(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, two, strict=True))

"""What happens when: events in the order of their true time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from .clock import EPOCH_MICROS

Event = Callable[[], None]


@dataclass(slots=True)
class Time:
    """Microseconds since the start. ``wrong_by`` is what the wall clock shows too much."""

    now: int = 0
    wrong_by: int = 0
    _events: list[tuple[int, int, Event]] = field(default_factory=list)
    _count: int = 0

    def at(self, when: int, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, event))

    def next(self) -> int | None:
        return self._events[0][0] if self._events else None

    def pop(self) -> Event:
        when, _, event = heapq.heappop(self._events)
        self.now = max(self.now, when)
        return event

    def wall(self) -> int:
        """What the wall clock shows, as the store holds it."""
        return EPOCH_MICROS + self.now + self.wrong_by

    def true_of(self, wall: int) -> int:
        """When the wall clock will show that, as it goes now."""
        return wall - EPOCH_MICROS - self.wrong_by

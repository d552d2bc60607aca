"""Fixed-window rate limits, as the networks count them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postkit.clock import Clock


@dataclass(frozen=True, slots=True)
class RateState:
    """One window after a call: ``allowed`` is false for the call that was one too many."""

    limit: int
    remaining: int
    reset_at: datetime
    allowed: bool


class FixedWindow:
    """At most ``limit`` calls for each key in each window of ``seconds``.

    Windows are aligned to the clock (a window of 300 s ends at :00, :05, ...), as where a
    network names the time of the reset and not the seconds since the first call.
    """

    def __init__(self, limit: int, seconds: int, clock: Clock) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, int]] = {}

    def take(self, key: str = "") -> RateState:
        """Count one call."""
        with self._lock:
            window, used = self._now(key)
            self._used[key] = (window, used + 1)
            return self._state(window, used + 1)

    def peek(self, key: str = "") -> RateState:
        """The window as it is, without counting."""
        with self._lock:
            return self._state(*self._now(key))

    def clear(self) -> None:
        with self._lock:
            self._used.clear()

    def _now(self, key: str) -> tuple[int, int]:
        window = int(self._clock.now().timestamp()) // self.seconds
        last, used = self._used.get(key, (window, 0))
        return (window, used) if last == window else (window, 0)

    def _state(self, window: int, used: int) -> RateState:
        reset = datetime.fromtimestamp(window * self.seconds, UTC) + timedelta(seconds=self.seconds)
        return RateState(self.limit, max(0, self.limit - used), reset, used <= self.limit)

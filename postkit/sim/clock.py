"""The simulated time: one for all processes of a machine, and a wall clock that may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..clock import micros, moment

if TYPE_CHECKING:
    from .timeline import Time

EPOCH = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
EPOCH_MICROS = micros(EPOCH)
SECOND = 1_000_000


class SimClock:
    """The clock that one process sees; ``sleep`` lets others work meanwhile."""

    def __init__(self, time: Time, sleep: Callable[[float], None]) -> None:
        self._time = time
        self._sleep = sleep

    def now(self) -> datetime:
        return moment(self._time.wall())

    def monotonic(self) -> float:
        return self._time.now / SECOND

    def sleep(self, seconds: float) -> None:
        self._sleep(seconds)

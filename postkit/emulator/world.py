"""What all emulators of one server share: time, posts, media, faults, journal."""

from __future__ import annotations

import itertools
import threading

from postkit.clock import Clock, SystemClock

from .faults import Faults
from .journal import Journal
from .media import MediaStore
from .rates import FixedWindow
from .timeline import Timeline


class World:
    """The state of one server. ``base_url`` (no slash at the end) is set once it has a port."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.base_url = ""
        self.timeline = Timeline(self.clock)
        self.media = MediaStore()
        self.faults = Faults()
        self.journal = Journal()
        self._windows: list[FixedWindow] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def number(self) -> int:
        """A number that was never given before, greater than all former ones; for ids."""
        with self._lock:
            return next(self._numbers)

    def rate_limit(self, limit: int, seconds: int) -> FixedWindow:
        """A counter of this world's clock, emptied by ``reset``."""
        window = FixedWindow(limit, seconds, self.clock)
        self._windows.append(window)
        return window

    def reset(self) -> None:
        """Forget posts, media, faults, journal and rate limits; numbers go on."""
        self.timeline.clear()
        self.media.clear()
        self.faults.clear()
        self.journal.clear()
        for window in self._windows:
            window.clear()

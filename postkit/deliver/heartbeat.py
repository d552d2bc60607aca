"""Signs of life of the parts that a thread is busy with, so that no other process takes them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from ..errors import PostkitError
from ..logs import logger
from ..store.rows import PartRow

log = logger("deliver")

EVERY = 30.0
"""Seconds between two signs: a quarter of a lease, so that one may fail."""
MOST = 120
"""Signs for one call: what hangs for an hour is given up to others."""


class Heartbeat:
    """Renews the claims of all threads of a courier from one thread, which ends with the last."""

    def __init__(self, renew: Callable[[PartRow], None]) -> None:
        self._renew = renew
        self._parts: dict[str, tuple[PartRow, int]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def over(self, part: PartRow) -> Iterator[None]:
        """While it is open, the claim of ``part`` does not run out."""
        with self._changed:
            self._parts[part.id] = (part, MOST)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._parts.pop(part.id, None)
                if not self._parts:
                    self._changed.notify_all()

    def _beat(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._parts, EVERY)
                if not self._parts:
                    self._thread = None
                    return
                due = [part for part, left in self._parts.values() if left > 0]
                self._parts = {name: (part, n - 1) for name, (part, n) in self._parts.items()}
            for part in due:
                try:
                    self._renew(part)
                except PostkitError as error:
                    log.warning("%s: its claim could not be renewed: %s", part.id, error.message)

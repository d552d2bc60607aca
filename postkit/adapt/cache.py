"""The last pictures that were made, so that ten addresses do not encode ten times."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Fitted:
    """A picture that fits: its bytes, and in words what was done to it."""

    data: bytes
    sha256: str
    mime: str
    width: int
    height: int
    changes: tuple[str, ...]


class Cache:
    """Keeps the pictures used last, at most ``max_bytes`` bytes and ``max_entries`` of them.

    One that another thread is making is waited for. A failure is not kept.
    """

    def __init__(self, max_bytes: int = 64 * 1024 * 1024, max_entries: int = 64) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._lock = Lock()
        self._made: OrderedDict[Hashable, Future[Fitted | None]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Fitted]) -> Fitted:
        """What ``key`` stands for, made by ``make`` where it is not here; its errors pass."""
        with self._lock:
            future = self._made.get(key)
            if mine := future is None:
                future = self._made[key] = Future()
            self._made.move_to_end(key)
        if not mine:
            # A failed maker leaves None; making it again raises the error under our own name.
            return future.result() or make()
        made: Fitted | None = None
        try:
            made = make()
            return made
        finally:
            future.set_result(made)
            self._forget(key if made is None else None)

    def _forget(self, failed: Hashable) -> None:
        with self._lock:
            if failed is not None:
                self._made.pop(failed, None)
            sizes = {}
            for key, future in self._made.items():
                made = future.result() if future.done() else None
                sizes[key] = len(made.data) if made else 0
            total = sum(sizes.values())
            for key in list(self._made)[:-1]:
                if total <= self._max_bytes and len(self._made) <= self._max_entries:
                    break
                if self._made[key].done():
                    del self._made[key]
                    total -= sizes[key]

"""Files that are made of videos: in a folder of this process, each made once."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from pathlib import Path, PurePath
from typing import Generic, TypeVar

T = TypeVar("T")
Watcher = Callable[[str, float], None]
"""Told a file's name and how far the work at it is, 0.0 to 1.0."""

_watcher: ContextVar[Watcher | None] = ContextVar("postkit_workshop_watcher", default=None)


@contextlib.contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """While it is open, ``watcher`` hears of the work that is done in this context."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def progress_of(name: str) -> Callable[[float], None]:
    """Tells whoever watches of the work at the file ``name``."""
    watcher = _watcher.get()

    def told(done: float) -> None:
        if watcher is not None:
            watcher(name, done)

    return told


class Workshop(Generic[T]):
    """Makes each thing once for the life of the process; the folder goes with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._made: dict[Hashable, Future[T]] = {}
        self._number = 0

    def path(self, name: str) -> Path:
        """A new path for a file of that name, as far as a name of the author's can be one."""
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="postkit-")
            self._number += 1
            folder = Path(self._folder.name) / str(self._number)
        folder.mkdir()
        plain = "".join(c for c in PurePath(name).name if c.isprintable()).lstrip("-.")[-100:]
        return folder / (plain or "video")

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``key`` stands for, made where it is not there. One that another thread is making
        is waited for; a failure is raised, and not kept."""
        with self._lock:
            future = self._made.get(key)
            if mine := future is None:
                future = self._made[key] = Future()
        if not mine:
            return future.result()
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                del self._made[key]
            future.set_exception(error)
            raise
        future.set_result(made)
        return made

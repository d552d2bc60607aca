"""Files that are made of videos: in a folder of this process, each made once while it is kept."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from pathlib import Path
from typing import Generic, TypeVar

from .scratch import SCRATCH

T = TypeVar("T")
Watcher = Callable[[str, float], None]
"""Told a file's name and how far the work at it is, 0.0 to 1.0."""

MOST_BYTES = 2 * 1024**3
"""Bytes of files that a workshop keeps in case they are asked for again: several videos of the
size that networks take."""

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
    """Makes each thing once, and keeps what was used last while its files have at most
    ``max_bytes``. A file goes when its thing is no longer kept and nobody has its path."""

    def __init__(self, max_bytes: int = MOST_BYTES) -> None:
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._made: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._making = threading.local()

    def path(self, name: str) -> Path:
        """A new path for a file of that name, as far as a name of the author's can be one. The
        file is there as long as somebody has this very object."""
        path = SCRATCH.file(name)
        paths: list[str] | None = getattr(self._making, "paths", None)
        if paths is not None:
            paths.append(str(path))
        return path

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``key`` stands for, made where it or a file of it is not there. One that another
        thread is making is waited for; a failure is raised, and not kept."""
        with self._lock:
            kept = self._made.get(key)
            if mine := kept is None or not kept.is_whole():
                kept = self._made[key] = _Kept()
            self._made.move_to_end(key)
        if not mine:
            return kept.future.result()
        try:
            made, files = self._watched(make)
        except BaseException as error:
            with self._lock:
                if self._made.get(key) is kept:
                    del self._made[key]
            kept.future.set_exception(error)
            raise
        with self._lock:
            kept.files = files
            self._forget()
        kept.future.set_result(made)
        return made

    def _watched(self, make: Callable[[], T]) -> tuple[T, dict[str, int]]:
        """What is made, and the files that it left, with their sizes."""
        before = getattr(self._making, "paths", None)
        paths: list[str] = []
        self._making.paths = paths
        try:
            made = make()
        finally:
            self._making.paths = before
        return made, {path: Path(path).stat().st_size for path in paths if Path(path).exists()}

    def _forget(self) -> None:
        total = sum(sum(kept.files.values()) for kept in self._made.values())
        for key, kept in list(self._made.items()):
            if total <= self._max_bytes:
                break
            if kept.files and kept.future.done():
                total -= sum(kept.files.values())
                del self._made[key]


class _Kept(Generic[T]):
    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.files: dict[str, int] = {}

    def is_whole(self) -> bool:
        """A cleaner of temporary folders knows nothing of this process."""
        return all(Path(path).exists() for path in self.files)

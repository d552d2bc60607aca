"""The temporary files of this process: each goes with its last user, all of them with it."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import threading
import weakref
from pathlib import Path, PosixPath, PurePath

_FOLDER = re.compile(r"postkit-(\d+)-\w+")
_STEM, _SUFFIX = 64, 16
"""Bytes that are left of a name: those who write beside a file make its name longer, and a file
system takes 255, or 143."""


class ScratchFile(PosixPath):
    """A path whose file is there as long as somebody has this very object."""


class Scratch:
    """A folder with this process's number in its name, locked as long as the process lives.

    A killed process leaves its folder behind: the next one to make its own removes it. The lock
    tells a living process whose number means nothing here, such as one in a container, and keeps
    systemd's cleaner away.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._descriptor: int | None = None
        self._owner = 0
        self._number = 0

    def file(self, name: str) -> Path:
        """A new path for a file of that name, as far as a name of the author's can be one."""
        with self._lock:
            # A fork has its parent's variables, and a cleaner may have taken the folder.
            if self._folder is None or self._owner != os.getpid() or not self._folder.is_dir():
                self._begin()
            self._number += 1
            folder = Path(self._folder or "", str(self._number))
            folder.mkdir()
        path = ScratchFile(folder, _short(name))
        weakref.finalize(path, _remove, folder, self._owner).atexit = False
        return path

    def clear(self) -> None:
        """Remove all of it; before an exit that runs no handlers, too."""
        folder, self._folder = self._folder, None
        if folder is not None:
            _remove(folder, self._owner)

    def _begin(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        _sweep(Path(tempfile.gettempdir()))
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix=f"postkit-{self._owner}-"))
        self._descriptor = _locked(self._folder)


def _remove(folder: Path, owner: int) -> None:
    if owner == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of dead processes of this user."""
    for folder in parent.glob("postkit-*-*"):
        found = _FOLDER.fullmatch(folder.name)
        if found is None or _lives(int(found[1])):
            continue
        descriptor = _locked(folder)
        if descriptor is None:
            continue
        try:
            if os.fstat(descriptor).st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


def _lives(process: int) -> bool:
    """Whether another process has this number. Of this one's number only a lock can tell."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return process != os.getpid()


def _locked(folder: Path) -> int | None:
    """The descriptor that holds the lock; None where another has it or there can be none."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
        else:
            return descriptor
    return None


def _short(name: str) -> str:
    plain = "".join(c for c in PurePath(name).name if c.isprintable()).lstrip("-.")
    path = PurePath(plain)
    return (_cut(path.stem, _STEM) or "video") + _cut(path.suffix, _SUFFIX)


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


SCRATCH = Scratch()
atexit.register(SCRATCH.clear)

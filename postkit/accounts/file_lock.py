"""A lock between processes, and between the threads of one, that dies with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import VaultError


class Held(VaultError):
    """Somebody else has held the lock for the whole time; nothing was changed."""


@contextlib.contextmanager
def locked(path: Path, timeout: float, purpose: str, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file `path`, alone or with all who share it; wait at most `timeout` seconds.

    The file stays: removing it would let two holders in, one on the old file and one on the new.
    Raises `Held` when the time is over and `VaultError` where the file cannot be used; `purpose`
    says in the sentence what waits.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise VaultError(f"{purpose}: {path} cannot be opened ({error.strerror}).") from error
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        _wait(descriptor, kind, path, timeout, purpose)
        yield
    finally:
        os.close(descriptor)  # this gives the lock back too


def _wait(descriptor: int, kind: int, path: Path, timeout: float, purpose: str) -> None:
    end = time.monotonic() + timeout
    pause = 0.002
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Held(
                    f"{purpose}: another process has held {path} for {timeout:g} seconds; "
                    "look for a postkit that hangs, end it and try again."
                ) from None
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        except OSError as error:
            raise VaultError(f"{purpose}: {path} cannot be locked ({error.strerror}).") from error

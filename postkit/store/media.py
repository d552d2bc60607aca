"""Media by content hash: what was accepted stays the same whatever happens to the file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from ..errors import StoreBusy, StoreError

PIECE = 1 << 20
"""Bytes that are read at a time of what may be larger than memory."""
UNNAMED = timedelta(days=1)
"""For so long a file stays that nothing names: a post's media are stored before its rows are."""
ABANDONED = timedelta(hours=1)
"""A draft that nobody has written to for so long is its writer's only while that one lives."""
_MEDIUM = re.compile(r"[0-9a-f]{64}")
_DRAFT = re.compile(r".+\.(?P<pid>[0-9]{1,9})\.[0-9a-f]+\.part")
_SHARED = "shared"


class MediumBusy(StoreBusy):
    """A stored medium is there and cannot be read now."""


class MediaFiles:
    """Files named by the SHA-256 of their bytes, below ``folder``.

    ``is_shared``: other stores may name files in there, so that nobody can tell which are in use.
    """

    def __init__(self, folder: Path, *, is_shared: bool = False) -> None:
        self._folder = folder
        self._is_shared = is_shared

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def holds(self, sha256: str, size: int) -> bool:
        """Whether these bytes are here, whole; if so, no sweep takes them for a day from now."""
        path = self.path(sha256)
        try:
            self._mark()
            with self._alone():
                if path.stat().st_size != size:
                    return False
                os.utime(path)
            # Read it: a file of the right length may have been damaged since it was written.
            with path.open("rb") as file:
                return sha256_of(file) == sha256
        except OSError:
            return False

    def put(self, data: bytes) -> str:
        """Store bytes durably (file and folder are synced) and return their hash."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.holds(sha256, len(data)):
            with self._draft() as (draft, file):
                file.write(data)
                self._keep(draft, file, sha256)
        return sha256

    def put_file(self, source: IO[bytes]) -> str:
        """Store what is left of ``source``, piece by piece, and return its hash."""
        digest = hashlib.sha256()
        with self._draft() as (draft, file):
            while piece := source.read(PIECE):
                digest.update(piece)
                file.write(piece)
            sha256 = digest.hexdigest()
            if self.holds(sha256, file.tell()):
                draft.unlink()
            else:
                self._keep(draft, file, sha256)
        return sha256

    def open(self, sha256: str) -> IO[bytes]:
        """The file, at its beginning. Raises StoreError as ``get`` does: it is read whole first,
        piece by piece."""
        path = self.path(sha256)
        try:
            file = path.open("rb")
        except OSError as error:
            raise _unreadable(sha256, error) from error
        try:
            is_whole = sha256_of(file) == sha256
            file.seek(0)
        except OSError as error:
            file.close()
            raise _unreadable(sha256, error) from error
        if not is_whole:
            file.close()
            raise _changed(sha256)
        return file

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises StoreError where they are missing or no longer what they were, and
        StoreBusy where they cannot be read now."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise _unreadable(sha256, error) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _changed(sha256)
        return data

    def sweep(self, named: Callable[[], Collection[str]], now: datetime) -> int:
        """Remove what a writer has left half written, and what nothing names any more; how many
        files. ``named`` gives the hashes that are in use.

        A file that was stored, or found in place by ``put``, within the last day (UNNAMED) stays
        unasked: it may belong to a post whose rows are not written yet. Raises OSError.
        """
        removed = 0
        old: list[str] = []
        for path in self._files():
            with contextlib.suppress(FileNotFoundError):
                age = now.timestamp() - path.stat().st_mtime
                if draft := _DRAFT.fullmatch(path.name):
                    if _is_abandoned(int(draft["pid"]), age):
                        path.unlink()
                        removed += 1
                elif age > UNNAMED.total_seconds() and path == self.path(path.name):
                    old.append(path.name)
        if not old or self._is_shared or (self._folder / _SHARED).exists():
            return removed
        used = named()
        return removed + sum(self._remove(sha256, now) for sha256 in old if sha256 not in used)

    # Inside

    def _files(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self._folder):
            for name in names:
                if _MEDIUM.fullmatch(name) or _DRAFT.fullmatch(name):
                    yield Path(folder, name)

    def _remove(self, sha256: str, now: datetime) -> bool:
        path = self.path(sha256)
        with contextlib.suppress(FileNotFoundError), self._alone():
            # Once more in here: somebody may have counted on it since.
            if now.timestamp() - path.stat().st_mtime > UNNAMED.total_seconds():
                path.unlink()
                return True
        return False

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Between the look at a file's age and its removal nobody may come to count on it."""
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _draft(self) -> Iterator[tuple[Path, IO[bytes]]]:
        """A new file to write to; nothing is left of it where that fails."""
        draft = self._folder / f"incoming.{os.getpid()}.{os.urandom(4).hex()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("wb") as file:
                yield draft, file
        except BaseException as error:
            # What is left of it would only fill the disk more.
            with contextlib.suppress(OSError):
                draft.unlink()
            if isinstance(error, OSError):
                raise StoreBusy(
                    f"{self._folder} cannot be written ({error.strerror}); nothing was sent."
                ) from error
            raise

    def _keep(self, draft: Path, file: IO[bytes], sha256: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        path = self.path(sha256)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        self._mark()
        draft.replace(path)
        _sync(path.parent)

    def _mark(self) -> None:
        """Say to the folder's own store that others name files in here."""
        mark = self._folder / _SHARED
        if self._is_shared and not mark.exists():
            mark.touch(0o600)
            _sync(self._folder)


def sha256_of(file: IO[bytes]) -> str:
    """Of what is left of a file, in hex; it is read piece by piece."""
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _is_abandoned(pid: int, age: float) -> bool:
    """Whether nobody writes the draft any more: its writer has died, or somebody else has got its
    id since, as in a container that was started again. ``age`` is in seconds."""
    if age <= ABANDONED.total_seconds():
        return False
    if age > UNNAMED.total_seconds():
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False  # another user's
    return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(sha256: str, error: OSError) -> StoreError:
    if error.errno != errno.ENOENT:
        return MediumBusy(
            f"The stored medium {sha256[:12]} cannot be read now ({error.strerror}); "
            "check the disk and its rights."
        )
    return StoreError(
        f"The stored medium {sha256[:12]} cannot be read ({error.strerror}); "
        "publish again from the file."
    )


def _changed(sha256: str) -> StoreError:
    return StoreError(
        f"The stored medium {sha256[:12]} was changed on disk; publish again from the file."
    )

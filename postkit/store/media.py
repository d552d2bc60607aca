"""Media by content hash: what was accepted stays the same whatever happens to the file."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import IO

from ..errors import StoreBusy, StoreError

PIECE = 1 << 20
"""Bytes that are read at a time of what may be larger than memory."""


class MediaFiles:
    """Files named by the SHA-256 of their bytes, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def put(self, data: bytes) -> str:
        """Store bytes durably (file and folder are synced) and return their hash."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        try:
            # Read it: a file of the right length may have been damaged since it was written.
            if path.read_bytes() == data:
                return sha256
        except OSError:
            pass
        draft = path.with_name(f"{sha256}.{os.getpid()}.{os.urandom(4).hex()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync(path.parent)
        except OSError as error:
            # What is left of it would only fill the disk more.
            with contextlib.suppress(OSError):
                draft.unlink()
            raise StoreBusy(
                f"{path.parent} cannot be written ({error.strerror}); nothing was sent."
            ) from error
        return sha256

    def put_file(self, source: IO[bytes]) -> str:
        """Store what is left of ``source``, piece by piece, and return its hash."""
        digest = hashlib.sha256()
        draft = self._folder / f"incoming.{os.getpid()}.{os.urandom(4).hex()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("wb") as file:
                while piece := source.read(PIECE):
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            path = self.path(digest.hexdigest())
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.replace(path)
            _sync(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise StoreBusy(
                f"{self._folder} cannot be written ({error.strerror}); nothing was sent."
            ) from error
        return digest.hexdigest()

    def open(self, sha256: str) -> IO[bytes]:
        """The file, at its beginning. Raises StoreError as ``get`` does: it is read whole first,
        piece by piece."""
        path = self.path(sha256)
        try:
            file = path.open("rb")
        except OSError as error:
            raise _unreadable(sha256, error) from error
        try:
            digest = hashlib.sha256()
            while piece := file.read(PIECE):
                digest.update(piece)
            file.seek(0)
        except OSError as error:
            file.close()
            raise _unreadable(sha256, error) from error
        if digest.hexdigest() != sha256:
            file.close()
            raise _changed(sha256)
        return file

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises StoreError where they are missing or no longer what they were."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise _unreadable(sha256, error) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _changed(sha256)
        return data


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(sha256: str, error: OSError) -> StoreError:
    return StoreError(
        f"The stored medium {sha256[:12]} cannot be read ({error.strerror}); "
        "publish again from the file."
    )


def _changed(sha256: str) -> StoreError:
    return StoreError(
        f"The stored medium {sha256[:12]} was changed on disk; publish again from the file."
    )

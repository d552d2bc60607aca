"""Media by content hash: what was accepted stays the same whatever happens to the file."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from ..errors import StoreBusy, StoreError


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
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            # What is left of it would only fill the disk more.
            with contextlib.suppress(OSError):
                draft.unlink()
            raise StoreBusy(
                f"{path.parent} cannot be written ({error.strerror}); nothing was sent."
            ) from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises StoreError where they are missing or no longer what they were."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise StoreError(
                f"The stored picture {sha256[:12]} cannot be read ({error.strerror}); "
                "publish again from the file."
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(
                f"The stored picture {sha256[:12]} was changed on disk; publish again from the "
                "file."
            )
        return data

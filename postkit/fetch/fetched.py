"""What was fetched: small bodies stay in memory, large ones are in a file of their own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

IN_MEMORY = 8 * 1024 * 1024
"""Bytes from which on a body is written to a file."""
SNIFFED = 4096
"""Bytes by which a type is told."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Fetched:
    """The bytes behind a URL, as they were at one moment.

    ``url`` is what was asked for, ``final_url`` where the redirects ended. ``mime`` is told by
    the bytes; ``declared`` is what the server called them, its ``charset`` included. ``size`` is
    in bytes. ``cut``: there was more, and only the beginning was wanted. ``path`` is the file of
    a large body (mode 0600); it is removed with this object, or by ``close``.
    """

    url: str
    final_url: str
    mime: str
    declared: str
    size: int
    sha256: str
    cut: bool = False
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """All bytes. Raises OSError where the file is gone."""
        if self.data is not None:
            return self.data
        return self.path.read_bytes() if self.path is not None else b""

    def close(self) -> None:
        if self.path is not None:
            _remove(str(self.path))

    def __enter__(self) -> Fetched:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Body:
    """Takes in a body, piece by piece; ``folder`` is where a large one is written."""

    def __init__(self, folder: Path | None = None, in_memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        self._head = b""
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Raises OSError where the disk takes no more."""
        self._digest.update(piece)
        self.size += len(piece)
        if len(self._head) < SNIFFED:
            self._head += piece[: SNIFFED - len(self._head)]
        if self._file is None and self.size <= self._in_memory:
            self._memory += piece
            return
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - `discard` or Fetched ends it
                prefix="postkit-", dir=self._folder, delete=False
            )
            self._file.write(self._memory)
            self._memory = bytearray()
        self._file.write(piece)

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
            _remove(self._file.name)

    def fetched(self, url: str, final_url: str, declared: str, *, cut: bool) -> Fetched:
        path = None
        if self._file is not None:
            self._file.close()
            path = Path(self._file.name)
        made = Fetched(
            url,
            final_url,
            mime_of(self._head),
            declared,
            self.size,
            self._digest.hexdigest(),
            cut,
            path,
            None if path else bytes(self._memory),
        )
        if path is not None:
            weakref.finalize(made, _remove, str(path))
        return made


def mime_of(head: bytes) -> str:
    """The type of what begins with ``head``; ``application/octet-stream`` where none is known."""
    from ..adapt.filetype import describe, image_mime, video_mime

    mime = image_mime(head) or video_mime(head)
    if mime is not None:
        return mime
    words = describe(head)
    known = {"an HTML page": "text/html", "a text file": "text/plain"}
    return known.get(words, "application/octet-stream")


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - it runs at the interpreter's end too

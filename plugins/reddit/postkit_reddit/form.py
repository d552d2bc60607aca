"""A form with one file, read piece by piece: a video may be larger than memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import IO

from postkit.errors import PluginError

PIECE = 1 << 16


class FileForm:
    """A multipart form (RFC 7578) as a body for requests, which takes its length from ``len``.

    ``file`` is at its beginning and has ``size`` bytes; it comes last, since a storage host
    ignores what follows it.
    """

    def __init__(
        self, fields: Mapping[str, str], name: str, mime: str, file: IO[bytes], size: int
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        pieces = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        ]
        pieces.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {mime}\r\n\r\n"
        )
        self._head = "".join(pieces).encode()
        self._foot = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self._size = size
        self._pieces = self._all()
        self._rest = b""

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._foot)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def read(self, count: int = -1) -> bytes:
        """The next bytes: ``count`` at most, all that are left where it is below 0."""
        if count < 0:
            return self._rest + b"".join(self._pieces)
        if not self._rest:
            self._rest = next(self._pieces, b"")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def _all(self) -> Iterator[bytes]:
        yield self._head
        sent = 0
        while piece := self._file.read(PIECE):
            sent += len(piece)
            yield piece
        if sent != self._size:
            raise PluginError(f"The file has {sent} bytes where {self._size} were told.")
        yield self._foot

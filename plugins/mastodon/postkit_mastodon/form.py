"""One file in a form (multipart/form-data), sent from where it lies: a video may be large."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator, Mapping
from typing import IO

from postkit.network import Attachment

PIECE = 64 * 1024
"""Bytes that are in memory at a time, where a reader does not say."""


class FileForm:
    """The body of a request: the fields, then the file. ``file`` stays the caller's to close.

    requests takes it as a stream, and its length as the Content-Length.
    """

    def __init__(self, fields: Mapping[str, str], attachment: Attachment, file: IO[bytes]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        head = b"".join(
            _head(boundary, f'name="{name}"') + value.encode() + b"\r\n"
            for name, value in fields.items()
        )
        described = f'name="file"; filename="{_quoted(attachment.name)}"'
        head += _head(boundary, described, attachment.mime)
        tail = f"\r\n--{boundary}--\r\n".encode()
        self._length = len(head) + attachment.size + len(tail)
        self._parts: list[IO[bytes]] = [io.BytesIO(head), file, io.BytesIO(tail)]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(PIECE):
            yield piece

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        while self._parts:
            if piece := self._parts[0].read(size):
                return piece
            del self._parts[0]
        return b""


def _head(boundary: str, described: str, mime: str | None = None) -> bytes:
    lines = [f"--{boundary}", f"Content-Disposition: form-data; {described}"]
    if mime is not None:
        lines.append(f"Content-Type: {mime}")
    return "\r\n".join([*lines, "", ""]).encode()


def _quoted(name: str) -> str:
    """As browsers write a file's name (WHATWG HTML, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

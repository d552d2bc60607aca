"""The boxes of an MP4 or MOV file, read where they lie and never further than they reach.

Layout: ISO/IEC 14496-12:2022 sections 4.2 and 6 (box, sizes 0 and 1), QuickTime File Format
("Atoms", a 32-bit zero ends a list of atoms); checked 2026-11-29.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_BOXES = 200_000
"""Boxes of one file: two hours of half-second fragments have fewer."""
MAX_READ = 64 * 1024 * 1024
"""Bytes read of one file in all, its tables included."""
_WINDOW = 32 * 1024
_MAX_ONCE = 1024 * 1024


class Damaged(Exception):
    """The boxes cannot be followed. The message completes "NAME ..."; it names no file."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box from ``start`` to ``end`` (offsets in the file); ``body`` is behind its header.

    ``missing`` counts the bytes that its size promises beyond what holds it.
    """

    kind: bytes
    start: int
    body: int
    end: int
    missing: int = 0

    @property
    def length(self) -> int:
        return self.end - self.body


class Source:
    """A seekable file under two budgets: how many boxes, and how many bytes are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._boxes = 0
        self._read = 0
        self._ahead = (0, 0)
        self._window = b""
        self._at = 0

    def read_ahead(self, start: int, end: int) -> None:
        """Between these offsets a read may fetch a little more than it was asked for."""
        self._ahead = (start, end)

    def read(self, at: int, size: int) -> bytes:
        """Exactly ``size`` bytes from ``at``. Raises Damaged where they are not there."""
        offset = at - self._at
        if offset >= 0 and offset + size <= len(self._window):
            return self._window[offset : offset + size]
        if size > _MAX_ONCE:
            raise Damaged(f"has a table of {size} bytes at once, which no video needs")
        start, end = self._ahead
        fetched = max(size, min(_WINDOW, end - at)) if start <= at < end else size
        self._read += fetched
        if self._read > MAX_READ:
            raise Damaged(f"has more than {MAX_READ >> 20} MiB of tables, which no video needs")
        self._file.seek(at)
        parts = []
        left = fetched
        while left and (part := self._file.read(left)):
            parts.append(part)
            left -= len(part)
        window = b"".join(parts)
        if len(window) < size:
            raise Damaged("is truncated")
        if start <= at < end:
            self._window, self._at = window, at
        return window[:size]

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        """The boxes between two offsets. What is too short for a header ends the list."""
        at = start
        while at + 8 <= end:
            self._boxes += 1
            if self._boxes > MAX_BOXES:
                raise Damaged(f"has more than {MAX_BOXES} boxes, which no video needs")
            size, kind = struct.unpack(">I4s", self.read(at, 8))
            body = at + 8
            if size == 1:
                if at + 16 > end:
                    return
                (size,) = struct.unpack(">Q", self.read(body, 8))
                body += 8
            elif size == 0:
                if kind == b"\0\0\0\0":
                    return
                size = end - at
            if size < body - at:
                raise Damaged(f"is damaged: the box at byte {at} is smaller than its own header")
            stop = min(at + size, end)
            yield Box(kind, at, body, stop, at + size - stop)
            at = stop

    def children(self, box: Box, skip: int = 0) -> Iterator[Box]:
        """The boxes in ``box``, behind ``skip`` bytes of its own fields."""
        for child in self.boxes(box.body + skip, box.end):
            if child.missing:
                raise Damaged(f"is damaged: the box at byte {child.start} reaches out of its own")
            yield child

    def find(self, box: Box, *path: bytes) -> Box | None:
        """The first box at ``path`` below ``box``."""
        for kind in path:
            found = next((child for child in self.children(box) if child.kind == kind), None)
            if found is None:
                return None
            box = found
        return box

    def fields(self, box: Box, layout: str, skip: int = 0) -> tuple[int, ...]:
        """Big-endian fields of ``box`` as ``struct`` spells them. Raises Damaged past its end."""
        size = struct.calcsize(">" + layout)
        if box.body + skip + size > box.end:
            raise Damaged(f"is damaged: the box at byte {box.start} is too short")
        return struct.unpack(">" + layout, self.read(box.body + skip, size))

"""How large and how long a moving picture is, by its blocks: none of its pixels is decoded.

Layouts: GIF89a Specification (1990) sections 18 to 26, with Netscape's application extension for
the loops; WebP Container Specification (RFC 9649 section 2.7.1.1); PNG Third Edition sections
11.2.1 and 11.3.6 (acTL, fcTL); checked 2026-11-29.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..adapt.metadata import MOST_BLOCKS, Crowded
from ..errors import InputError

MOST_PIXELS = 400_000_000
"""Pixels of all frames together: about a minute's work for a converter."""
_LEAST_PIXELS = 20_000
"""What the smallest frame costs, in pixels of a large one."""
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21


@dataclass(slots=True)
class Animated:
    """Pixels, frames, milliseconds. ``plays``: how often it is shown, 0 for ever."""

    width: int
    height: int
    frames: int = 0
    milliseconds: int = 0
    plays: int = 1

    @property
    def pixels(self) -> int:
        """What decoding costs; small frames count for more than they have."""
        return self.frames * max(self.width * self.height, _LEAST_PIXELS)

    def add(self, milliseconds: float) -> None:
        """One more frame."""
        self.frames += 1
        self.milliseconds += shown_for(milliseconds)


def shown_for(milliseconds: float) -> int:
    """Browsers show what is given less than 20 ms for 100 ms."""
    return int(milliseconds) if milliseconds >= 20 else 100


def moves(data: bytes) -> bool:
    """Whether a GIF, WebP or PNG has a second frame; False where its blocks cannot be followed."""
    try:
        return any(found.frames > 1 for found in _walked(data))
    except (IndexError, struct.error, Crowded):
        return False


def measured(source: Path, name: str) -> Animated:
    """What ``source`` says of itself, as far as its blocks can be followed: whether it is whole,
    its decoder decides. Raises InputError where it is more than is ever decoded."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = Animated(1, 1)
        try:
            for found in _walked(data):
                if found.pixels > MOST_PIXELS:
                    raise InputError(
                        f"{name}: it is an animation of {found.frames} or more frames of"
                        f" {found.width}x{found.height} pixels, which is more than is decoded"
                        f" here ({MOST_PIXELS:,} pixels in all); shorten it or make it smaller."
                    )
        except Crowded as crowded:
            raise InputError(f"{name}: {crowded}.") from None
        except (IndexError, struct.error):
            pass  # truncated: the decoder says so
    return found


def _walked(data: bytes | mmap.mmap) -> Iterator[Animated]:
    """The same object again and again, after each block. Raises Crowded."""
    walk = {b"GIF8": _gif, b"RIFF": _webp}.get(data[:4], _png)
    for number, found in enumerate(walk(data)):
        if number > MOST_BLOCKS:
            raise Crowded
        yield found


def _gif(data: bytes | mmap.mmap) -> Iterator[Animated]:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    found = Animated(width or 1, height or 1)
    yield found
    at = 13 + _colours(flags)
    delay = 0
    while data[at] in (_GIF_IMAGE, _GIF_EXTENSION):
        if data[at] == _GIF_IMAGE:
            at += 11 + _colours(data[at + 9])
            found.add(delay * 10)
            delay = 0  # it was of this picture alone
        else:
            if data[at + 1] == 0xF9:
                (delay,) = struct.unpack_from("<H", data, at + 4)
            elif data[at + 1] == 0xFF and data[at + 3 : at + 14] == b"NETSCAPE2.0":
                (loops,) = struct.unpack_from("<H", data, at + 16)
                found.plays = loops + 1 if loops else 0
            at += 2
        while data[at]:
            at += 1 + data[at]
            yield found
        at += 1
        yield found


def _colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp(data: bytes | mmap.mmap) -> Iterator[Animated]:
    found = Animated(1, 1)
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"VP8X":
            found.width = 1 + int.from_bytes(data[at + 12 : at + 15], "little")
            found.height = 1 + int.from_bytes(data[at + 15 : at + 18], "little")
        elif kind == b"ANIM":
            (found.plays,) = struct.unpack_from("<H", data, at + 12)
        elif kind == b"ANMF":
            found.add(int.from_bytes(data[at + 20 : at + 23], "little"))
        yield found
        at += 8 + size + size % 2


def _png(data: bytes | mmap.mmap) -> Iterator[Animated]:
    found = Animated(*struct.unpack_from(">II", data, 16))
    at = 8
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            (found.plays,) = struct.unpack_from(">I", data, at + 12)
        elif kind == b"fcTL":
            delay, unit = struct.unpack_from(">HH", data, at + 28)
            found.add(delay * 1000 / (unit or 100))
        yield found
        at += 12 + size

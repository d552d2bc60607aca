"""Write an animated PNG picture by picture, so that its length costs no memory.

Layout: PNG Third Edition sections 5.3 (chunks) and 11.3.6 (acTL, fcTL, fdAT); checked 2026-11-29.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UNITS = (1000, 100, 1)
_LONGEST = 0xFFFF


def write(
    file: IO[bytes],
    size: tuple[int, int],
    count: int,
    pictures: Iterable[tuple[Image.Image, int]],
) -> None:
    """``count`` RGB pictures of ``size``, each with its milliseconds; they play once."""
    file.write(_SIGNATURE)
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    _chunk(file, b"acTL", struct.pack(">II", count, 1))
    sequence = 0
    for number, (picture, milliseconds) in enumerate(pictures):
        delay = next(
            (
                (milliseconds * unit // 1000, unit)
                for unit in _UNITS
                if milliseconds * unit // 1000 <= _LONGEST
            ),
            (_LONGEST, 1),
        )
        head = struct.pack(">IIIIIHHBB", sequence, *size, 0, 0, *delay, 0, 0)
        _chunk(file, b"fcTL", head)
        sequence += 1
        for packed in _packed(picture):
            if number == 0:
                _chunk(file, b"IDAT", packed)
            else:
                _chunk(file, b"fdAT", struct.pack(">I", sequence) + packed)
                sequence += 1
    _chunk(file, b"IEND", b"")


def _packed(picture: Image.Image) -> Iterator[bytes]:
    whole = io.BytesIO()
    picture.save(whole, "PNG", compress_level=1)
    data = whole.getbuffer()
    at = len(_SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            yield bytes(data[at + 8 : at + 8 + length])
        at += 12 + length


def _chunk(file: IO[bytes], kind: bytes, body: bytes) -> None:
    file.write(struct.pack(">I", len(body)) + kind + body)
    file.write(struct.pack(">I", zlib.crc32(kind + body)))

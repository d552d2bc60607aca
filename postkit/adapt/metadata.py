"""Take metadata out of a picture's file without touching a pixel.

The blocks of a file are copied or left out; colour (profile, gamma, transparency) and animation
stay. Sources of the layouts: ITU-T T.81 annex B (JPEG), the PNG specification (third edition),
the WebP container specification, the GIF89a specification; checked 2026-11-23.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from .exif import Exif, parse

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_KEPT = frozenset(
    b"tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT sPLT bKGD hIST pHYs acTL fcTL fdAT".split()
)
_GIF_CONTROL, _GIF_COMMENT, _GIF_APPLICATION = 0xF9, 0xFE, 0xFF
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_VP8X_EXIF, _VP8X_XMP = 0x08, 0x04


MOST_BLOCKS = 500_000
"""Blocks of one file. A GIF of 100 MiB has 411,000, if they are as long as encoders make them."""


class Damaged(Exception):
    """The blocks of the file do not follow its format: it is truncated or broken."""


class Crowded(Exception):
    """There are so many blocks that following them is all work; the text completes "NAME: "."""

    def __str__(self) -> str:
        return f"it has more than {MOST_BLOCKS:,} blocks, which no picture needs; export it again"


@dataclass(frozen=True, slots=True)
class Stripped:
    """``data`` without what ``kinds`` names; ``data`` is the file itself where kinds is empty."""

    data: bytes
    kinds: tuple[str, ...]
    exif: Exif


class _Finds:
    def __init__(self) -> None:
        self.kinds: dict[str, None] = {}
        self.exif: Exif | None = None
        self.left = MOST_BLOCKS

    def add(self, kind: str) -> None:
        self.kinds.setdefault(kind)

    def add_exif(self, block: bytes) -> None:
        exif = parse(block)
        for kind in exif.kinds:
            self.add(kind)
        # Viewers turn a picture by its first block: a second one may lie.
        self.exif = self.exif or exif

    def block(self, count: int = 1) -> None:
        """So many more blocks. Raises Crowded."""
        self.left -= count
        if self.left < 0:
            raise Crowded

    def end(self, data: bytes, end: int) -> None:
        if data[end:].strip(b"\x00"):
            self.add("attached data")


def strip(data: bytes, mime: str) -> Stripped:
    """``data`` without its metadata. Raises Damaged where its blocks cannot be followed, and
    Crowded where they are too many.

    Types that are not known here come back as they are.
    """
    walk = {
        "image/jpeg": _jpeg,
        "image/png": _png,
        "image/webp": _webp,
        "image/gif": _gif,
    }.get(mime)
    if walk is None:
        return Stripped(data, (), Exif())
    found = _Finds()
    try:
        clean = walk(data, found)
    except (struct.error, IndexError, ValueError):
        raise Damaged from None
    return Stripped(clean if found.kinds else data, tuple(found.kinds), found.exif or Exif())


def _jpeg(data: bytes, found: _Finds) -> bytes:
    kept = [data[:2]]
    at = 2
    while True:
        found.block()
        if data[at] != 0xFF:
            raise Damaged
        while data[at] == 0xFF:  # any number of fill bytes may come before a marker
            at += 1
        marker = data[at]
        at += 1
        if marker == 0xD9:
            kept.append(b"\xff\xd9")
            found.end(data, at)
            return b"".join(kept)
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise Damaged
        block = data[at + 2 : at + length]
        at += length
        header = b"\xff%c" % marker
        if marker == 0xDA:
            following = _NEXT_MARKER.search(data, at)
            # Without an end marker the decoder decides whether all pixels are there.
            end = following.start() if following else len(data)
            kept += (header, struct.pack(">H", length), block, data[at:end])
            if following is None:
                return b"".join(kept)
            at = end
        elif (block_kept := _jpeg_block(marker, block, found)) is not None:
            kept += (header, struct.pack(">H", len(block_kept) + 2), block_kept)


def _jpeg_block(marker: int, block: bytes, found: _Finds) -> bytes | None:
    if marker == 0xFE:
        found.add("comment")
        return None
    if not 0xE0 <= marker <= 0xEF:
        return block
    if marker == 0xE0 and block.startswith(b"JFIF\x00"):
        if len(block) > 14:
            found.add("thumbnail")
            return block[:12] + b"\x00\x00"
        return block
    if marker == 0xE2 and block.startswith(b"ICC_PROFILE\x00"):
        return block
    if marker == 0xEE and block.startswith(b"Adobe"):
        # Twelve bytes say how the colours are coded.
        if len(block) > 12:
            found.add("application data")
        return block[:12]
    if marker == 0xE1 and block.startswith(b"Exif\x00"):
        found.add_exif(block[6:])
    elif marker == 0xE1 and block.startswith(b"http://ns.adobe.com/"):
        found.add("XMP")
    elif marker == 0xED:
        found.add("IPTC")
    elif marker == 0xE2 and block.startswith(b"MPF\x00"):
        found.add("further pictures")
    else:
        found.add("application data")
    return None


def _png(data: bytes, found: _Finds) -> bytes:
    kept = [data[:8]]
    at = 8
    while True:
        found.block()
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise Damaged
        critical = not kind[0] & 0x20
        if critical or kind in _PNG_KEPT:
            kept.append(data[at:end])
        elif kind == b"eXIf":
            found.add_exif(data[at + 8 : end - 4])
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            is_xmp = data.startswith(b"XML:com.adobe.xmp", at + 8)
            found.add("XMP" if is_xmp else "comment")
        elif kind == b"tIME":
            found.add("date")
        else:
            found.add("application data")
        at = end
        if kind == b"IEND":
            found.end(data, at)
            return b"".join(kept)


def _webp(data: bytes, found: _Finds) -> bytes:
    (size,) = struct.unpack_from("<I", data, 4)
    stop = 8 + size
    if stop > len(data) + (size & 1):
        raise Damaged
    kept: list[bytes] = []
    at = 12
    while at + 8 <= stop:
        found.block()
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + (length & 1)
        if at + 8 + length > len(data):
            raise Damaged
        if kind == b"EXIF":
            found.add_exif(data[at + 8 : end].removeprefix(b"Exif\x00\x00"))
        elif kind == b"XMP ":
            found.add("XMP")
        elif kind == b"VP8X":
            flags = data[at + 8] & ~(_VP8X_EXIF | _VP8X_XMP)
            kept.append(data[at : at + 8] + bytes([flags]) + data[at + 9 : end])
        elif kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"):
            kept.append(data[at:end])
        else:
            found.add("application data")
        at = end
    found.end(data, stop)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _gif(data: bytes, found: _Finds) -> bytes:
    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    def after_blocks(at: int) -> int:
        for count in range(found.left + 1):
            if not data[at]:
                found.block(count + 1)
                return at + 1
            at += data[at] + 1
        raise Crowded

    at = 13 + table(data[10])
    kept = [data[:at]]
    while True:
        start, block = at, data[at]
        if block == 0x3B:
            kept.append(b"\x3b")
            found.end(data, at + 1)
            return b"".join(kept)
        if block == 0x2C:
            at = after_blocks(at + 10 + table(data[at + 9]) + 1)
        elif block == 0x21:
            label, name = data[at + 1], data[at + 3 : at + 14]
            at = after_blocks(at + 2)
            loops = label == _GIF_APPLICATION and name in _GIF_LOOPS
            if label != _GIF_CONTROL and not loops:
                is_xmp = name.startswith(b"XMP Data")
                kind = "XMP" if is_xmp else "application data"
                found.add("comment" if label == _GIF_COMMENT else kind)
                continue
        else:
            raise Damaged
        kept.append(data[start:at])

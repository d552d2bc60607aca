"""Videos for tests: the demo's clip, made different, longer or larger without an encoder."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib import resources

SECONDS = 2.0
"""How long the clip is: 320x180 pixels, 10 frames a second, H.264 and AAC in MP4."""


def video(number: int = 0, *, seconds: float = SECONDS, size: int | None = None) -> bytes:
    """A whole clip. Another ``number`` gives other bytes; ``seconds`` stretches it; ``size`` pads
    it to that many bytes."""
    data = bytearray((resources.files("postkit.demo") / "launch.mp4").read_bytes())
    if seconds != SECONDS:
        _stretch(data, seconds / SECONDS)
    note = f"number {number}".encode()
    room = len(note) if size is None else size - len(data) - 8
    if room < len(note):
        raise ValueError(f"The clip has {len(data)} bytes; {size} are too few.")
    return bytes(data) + struct.pack(">I4s", room + 8, b"free") + note.ljust(room, b"\0")


def _stretch(data: bytearray, factor: float) -> None:
    """Everything lasts longer by ``factor``: the whole, its tracks, their edits, each sample."""
    # Version 0 of each box (ISO/IEC 14496-12, 8.2.2, 8.3.2, 8.4.2, 8.6.1.2, 8.6.6): where its
    # duration is from the name on, or where its count of rows is, and their size.
    for name, place in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        for at in _all(data, name):
            _multiply(data, at + place, factor)
    for name, row, place in ((b"elst", 12, 12), (b"stts", 8, 16)):
        for at in _all(data, name):
            (count,) = struct.unpack_from(">I", data, at + 8)
            for number in range(count):
                _multiply(data, at + place + row * number, factor)


def _all(data: bytearray, name: bytes) -> Iterator[int]:
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 4)


def _multiply(data: bytearray, place: int, factor: float) -> None:
    (value,) = struct.unpack_from(">I", data, place)
    struct.pack_into(">I", data, place, round(value * factor))

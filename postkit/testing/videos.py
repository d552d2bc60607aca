"""Videos for tests: the demo's clip, made different, longer or larger without an encoder."""

from __future__ import annotations

import struct
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
    """A clock that ticks slower makes everything longer."""
    for name in (b"mvhd", b"mdhd"):
        at = data.find(name)
        while at >= 0:
            # Version and flags, two dates, then ticks a second (ISO/IEC 14496-12, 8.2.2).
            place = at + 4 + (20 if data[at + 4] == 1 else 12)
            (ticks,) = struct.unpack_from(">I", data, place)
            struct.pack_into(">I", data, place, max(1, round(ticks / factor)))
            at = data.find(name, at + 4)

"""The few facts of an EXIF block that matter here: which way is up, and what it gives away."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_MAKE, _MODEL, _ORIENTATION, _GPS = 0x010F, 0x0110, 0x0112, 0x8825
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Exif:
    """``orientation`` is 1 to 8 as in EXIF 2.3 (1: upright)."""

    orientation: int = 1
    camera: bool = False
    place: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it tells about the author, in words."""
        found = (("camera", self.camera), ("place", self.place))
        return tuple(word for word, given in found if given) or ("EXIF",)


def parse(block: bytes) -> Exif:
    """Read the first directory of a TIFF structure; damage ends the reading, never raises."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return Exif()
    orientation, tags = 1, set()
    try:
        (at,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, at)
        for index in range(count):
            entry = at + 2 + index * 12
            tag, kind, _count, value = struct.unpack_from(order + "HHIH", block, entry)
            tags.add(tag)
            if tag == _ORIENTATION and kind == _SHORT and 1 <= value <= 8:
                orientation = value
    except struct.error:
        pass
    return Exif(orientation, bool(tags & {_MAKE, _MODEL}), _GPS in tags)

"""Take the turn out of an MP4 whose pictures are upright already.

Some versions of ffmpeg copy the turn of a source to a film that its filters have turned.
"""

from __future__ import annotations

import struct
from pathlib import Path

from .movie import read_outline
from .probe import opened

_NO_TURN = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def set_upright(file: Path, name: str) -> None:
    """Every track of ``file`` is shown as it is stored. Raises InputError as ``probe`` does."""
    places = []
    with opened(file, name) as source:
        for track in read_outline(source).tracks:
            tkhd = source.find(track.box, b"tkhd")
            if tkhd is not None:
                wide = source.fields(tkhd, "B")[0] == 1
                places.append(tkhd.body + (52 if wide else 40))
    with file.open("r+b") as written:
        for place in places:
            written.seek(place)
            written.write(_NO_TURN)

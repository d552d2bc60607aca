"""One track of an MP4 or MOV file: its kind, its place, its time.

Layouts: ISO/IEC 14496-12:2022 sections 8.3.2 (tkhd), 8.4.2 (mdhd), 8.4.3 (hdlr) and 8.6.6
(elst); checked 2026-11-29.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from .boxes import Box, Damaged, Source
from .clip import Rotation
from .tables import Timing, last_byte, sizes, timing

Matrix = tuple[float, float, float, float]
_ENABLED = 1
SUBTITLES = frozenset((b"sbtl", b"subt", b"clcp"))
"""Handlers of subtitles and closed captions: QuickTime File Format ("Handler Reference Atoms"),
ISO/IEC 14496-12:2022 section 12.6.1."""
_NO_MEDIA = -1
_MAX_EDITS = 10_000


@dataclass(slots=True)
class Track:
    """``seconds`` is how long it plays; ``timing`` is of the samples in the movie box alone."""

    id: int
    is_enabled: bool
    handler: bytes
    box: Box
    matrix: Matrix
    shown: tuple[float, float]
    timescale: int
    edits: list[tuple[int, int, int]]
    timing: Timing
    table: Box
    last_byte: int
    first_shown: int
    """When the first sample in the file's order is shown, after it is decoded (ticks)."""
    fragments: list[Timing] = field(default_factory=list)

    @property
    def samples(self) -> int:
        return self.timing.samples + sum(each.samples for each in self.fragments)

    @property
    def ticks(self) -> int:
        return self.timing.ticks + sum(each.ticks for each in self.fragments)

    @property
    def is_variable(self) -> bool:
        if not self.fragments:
            return self.timing.is_variable
        told = [each for each in (self.timing, *self.fragments) if each.longest]
        shortest = min((each.shortest for each in told), default=0)
        longest = max((each.longest for each in told), default=0)
        return Timing(self.samples, self.ticks, shortest, longest).is_variable

    def seconds(self, movie_timescale: int) -> float:
        """How long it plays, with its edits; an edit cannot show more than there is."""
        media = self.ticks / self.timescale
        if not self.edits or not movie_timescale:
            return media
        total = 0.0
        for length, start, rate in self.edits:
            seconds = length / movie_timescale
            if start == _NO_MEDIA:
                total += seconds
                continue
            rest = max(0.0, media + (self.first_shown - start) / self.timescale)
            # Zero means "to the end" in a file whose end was not known; rate 0 holds a frame.
            total += rest if length == 0 else seconds if rate == 0 else min(seconds, rest)
        return total


def read_track(source: Source, box: Box) -> Track | None:
    """A track of pictures or sound; ``None`` for others (captions, time codes, sensors).

    Raises Damaged where a table that it must have is missing or lies.
    """
    handler = handler_of(source, box)
    if handler not in (b"vide", b"soun"):
        return None
    tkhd, mdhd = source.find(box, b"tkhd"), source.find(box, b"mdia", b"mdhd")
    table = source.find(box, b"mdia", b"minf", b"stbl")
    if tkhd is None or mdhd is None or table is None:
        raise Damaged("is damaged: one of its tracks has no header")
    flags = source.fields(tkhd, "I")[0]
    wide = flags >> 24 == 1
    (track_id,) = source.fields(tkhd, "I", 20 if wide else 12)
    placed = source.fields(tkhd, "9iII", 52 if wide else 40)
    (timescale,) = source.fields(mdhd, "I", 20 if source.fields(mdhd, "B")[0] == 1 else 12)
    if not timescale:
        raise Damaged("is damaged: one of its tracks has no clock")
    parts = {child.kind: child for child in source.children(table)}
    times, sample_sizes = parts.get(b"stts"), parts.get(b"stsz") or parts.get(b"stz2")
    told = timing(source, times) if times else Timing()
    count = sizes(source, sample_sizes)[0] if sample_sizes else 0
    # Some writers are off by a sample; a table that lies is off by the length of a film.
    if told.samples > count * 1.01 + 2:
        raise Damaged(f"is damaged: a track has times for {told.samples} samples of {count}")
    chunks = parts.get(b"stco") or parts.get(b"co64")
    return Track(
        id=track_id,
        is_enabled=bool(flags & _ENABLED),
        handler=handler,
        box=box,
        matrix=matrix(placed),
        shown=(placed[9] / 65536, placed[10] / 65536),
        timescale=timescale,
        edits=_edits(source, source.find(box, b"edts", b"elst")),
        timing=told,
        table=table,
        last_byte=last_byte(source, chunks) if chunks and count else 0,
        first_shown=_first_shown(source, parts.get(b"ctts")),
    )


def handler_of(source: Source, box: Box) -> bytes:
    """What a track is of, in four letters; empty where it does not say."""
    hdlr = source.find(box, b"mdia", b"hdlr")
    return source.read(hdlr.body + 8, 4) if hdlr and hdlr.length >= 12 else b""


def matrix(fields: Sequence[int]) -> Matrix:
    """The part of a transformation that turns; 16.16 fixed point (section 6.2.2)."""
    return (fields[0] / 65536, fields[1] / 65536, fields[3] / 65536, fields[4] / 65536)


def product(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d = first
    e, f, g, h = second
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)


def turn(shape: Matrix) -> tuple[Rotation, bool]:
    """The nearest quarter turn, clockwise, and whether the picture is flipped first."""
    a, b, c, d = shape
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    quarter = round(math.degrees(math.atan2(b, a)) / 90) % 4
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    return turns[quarter], mirrored


def _first_shown(source: Source, ctts: Box | None) -> int:
    if ctts is None or not source.fields(ctts, "I", 4)[0]:
        return 0
    return source.fields(ctts, "Ii", 8)[1]


def _edits(source: Source, box: Box | None) -> list[tuple[int, int, int]]:
    if box is None:
        return []
    layout = ">QqHH" if source.fields(box, "B")[0] == 1 else ">IiHH"
    size = struct.calcsize(layout)
    (count,) = source.fields(box, "I", 4)
    if count > _MAX_EDITS or 8 + count * size > box.length:
        raise Damaged(f"is damaged: the edit list at byte {box.start} says more than it has")
    data = source.read(box.body + 8, count * size)
    return [(length, start, rate) for length, start, rate, _ in struct.iter_unpack(layout, data)]

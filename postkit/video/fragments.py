"""The fragments of an MP4 file: moof boxes that tell of the samples right behind them.

Layout: ISO/IEC 14496-12:2022 sections 8.8.3 (trex), 8.8.7 (tfhd) and 8.8.8 (trun); checked
2026-11-29.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .boxes import Box, Damaged, Source
from .tables import Timing, block_rows
from .track import Track

_BASE, _DESCRIPTION, _DURATION, _SIZE = 0x01, 0x02, 0x08, 0x10
_RUN_OFFSET, _RUN_FIRST_FLAGS = 0x01, 0x04
_RUN_FIELDS = (0x100, 0x200, 0x400, 0x800)  # duration, size, flags, composition offset


@dataclass(frozen=True, slots=True)
class Defaults:
    """Of one track: how long a sample lasts (ticks) and its bytes, where a run does not say."""

    duration: int = 0
    size: int = 0


def defaults(source: Source, mvex: Box) -> dict[int, Defaults]:
    found = {}
    for box in source.children(mvex):
        if box.kind == b"trex":
            track, _, duration, size = source.fields(box, "IIII", 4)
            found[track] = Defaults(duration, size)
    return found


def read_fragment(
    source: Source, moof: Box, tracks: Mapping[int, Track], known: Mapping[int, Defaults]
) -> None:
    """Add the samples of ``moof`` to their tracks. Raises Damaged where the file ends in them."""
    for traf in source.children(moof):
        if traf.kind == b"traf":
            _read_part(source, moof, traf, tracks, known)


def _read_part(
    source: Source,
    moof: Box,
    traf: Box,
    tracks: Mapping[int, Track],
    known: Mapping[int, Defaults],
) -> None:
    track: Track | None = None
    own, origin, behind = Defaults(), moof.start, moof.start
    for box in source.children(traf):
        if box.kind == b"tfhd":
            flags, track_id = source.fields(box, "II")
            track = tracks.get(track_id)
            own, origin = _header(source, box, flags, known.get(track_id, Defaults()), moof.start)
            behind = origin
        elif box.kind == b"trun" and track is not None:
            timing, shown, behind = _run(source, box, own, origin, behind)
            if not track.samples:
                track.first_shown = shown
            track.fragments.append(timing)
            if behind > source.size:
                raise Damaged("is truncated: its last pictures are missing")


def _header(source: Source, box: Box, flags: int, own: Defaults, moof: int) -> tuple[Defaults, int]:
    at = 8
    base = moof
    if flags & _BASE:
        (base,) = source.fields(box, "Q", at)
        at += 8
    if flags & _DESCRIPTION:
        at += 4
    duration, size = own.duration, own.size
    if flags & _DURATION:
        (duration,) = source.fields(box, "I", at)
        at += 4
    if flags & _SIZE:
        (size,) = source.fields(box, "I", at)
    return Defaults(duration, size), base


def _run(
    source: Source, box: Box, own: Defaults, origin: int, behind: int
) -> tuple[Timing, int, int]:
    """What a run adds to its track, when its first sample is shown, where its last byte ends."""
    flags, count = source.fields(box, "II")
    if count > source.size:
        raise Damaged(f"is damaged: the run at byte {box.start} has more samples than bytes")
    at = 8
    start = behind
    if flags & _RUN_OFFSET:
        (offset,) = source.fields(box, "i", at)
        start = origin + offset
        at += 4
    if flags & _RUN_FIRST_FLAGS:
        at += 4
    columns = [field for field in _RUN_FIELDS if flags & field]
    ticks, size = own.duration * count, own.size * count
    shortest = longest = own.duration
    shown = 0
    if flags & _RUN_FIELDS[3] and count:
        (shown,) = source.fields(box, "i", at + 4 * columns.index(_RUN_FIELDS[3]))
    if flags & (_RUN_FIELDS[0] | _RUN_FIELDS[1]):
        durations: list[int] = []
        total = 0
        for block in block_rows(source, box, at, count, len(columns)):
            if flags & _RUN_FIELDS[0]:
                durations.extend(block[0 :: len(columns)])
            if flags & _RUN_FIELDS[1]:
                total += sum(block[columns.index(_RUN_FIELDS[1]) :: len(columns)])
        if flags & _RUN_FIELDS[0]:
            ticks = sum(durations)
            # The last of a run often lasts until the next one begins: it says nothing of the rate.
            body = durations[:-1] or durations
            shortest, longest = min(body, default=0), max(body, default=0)
        if flags & _RUN_FIELDS[1]:
            size = total
    return Timing(count, ticks, shortest, longest), shown, start + size

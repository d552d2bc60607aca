"""Take out of a video what it tells beside its pictures; no picture is coded anew.

The boxes of an MP4 or MOV become ``free`` boxes of the same length, dates become zero and samples
of sensors are blanked, so that nothing moves and every offset in the file stays right.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from .atomic import beside
from .boxes import Damaged, Source
from .engine import choose
from .hidden import Hidden, hidden
from .job import run
from .movie import read_movie, read_outline
from .probe import opened, probe
from .recipe import FORMATS, Container
from .tables import sample_ranges
from .wish import Wish, recipe_for

_BLOCK = bytes(64 * 1024)


def strip(source: Path, target: Path) -> tuple[str, ...]:
    """Write ``source`` without its metadata to ``target``; the names of what is gone.

    ``target`` appears whole or not at all. WebM and Matroska files are packed anew by an engine,
    into the same container. Raises InputError for what is no whole video, for a track of sensor
    data that is spread over fragments, and where an engine is needed and not installed.
    """
    name = source.name
    clip = probe(source, name)
    with beside(target) as made:
        if FORMATS[clip.mime] == "mov":
            shutil.copyfile(source, made)
            return blank(made, name)
        recipe = recipe_for(clip, source, made, Wish(copy=True))
        container: Container = "webm" if clip.brand == "webm" else "matroska"
        run(choose(name), replace(recipe, container=container), clip, name)
        if left := probe(made, name).metadata:
            raise InputError(
                f"{name}: {', '.join(left)} could not be taken out; convert it to MP4."
            )
        return clip.metadata


def blank(file: Path, name: str) -> tuple[str, ...]:
    """As ``strip``, in the MP4 or MOV ``file`` itself; ``name`` is for the messages."""
    with opened(file, name) as reader:
        try:
            clip = read_movie(reader)
            found = list(hidden(reader, read_outline(reader).boxes))
            ranges = list(_ranges(reader, found))
        except Damaged as damaged:
            raise InputError(f"{name}: it {damaged}; copy or export it again.") from None
    if clip.is_fragmented and any(each.samples is not None for each in found):
        raise InputError(
            f"{name}: sensor data lies between its fragments; convert it to a new MP4."
        )
    with file.open("r+b") as opened_file:
        # A track's header may lie in what is blanked: samples first, by what was read.
        for start, length in ranges:
            _blank(opened_file, start, start + length)
        for each in found:
            _blank(opened_file, each.start, each.end)
            if each.box is not None:
                opened_file.seek(each.box.start + 4)
                opened_file.write(b"free")
    return clip.metadata


def _ranges(source: Source, found: list[Hidden]) -> Iterator[tuple[int, int]]:
    """Where the samples of dropped tracks lie; only what is inside a box of media counts."""
    media = [box for box in read_outline(source).boxes if box.kind == b"mdat"]
    for each in found:
        if each.samples is None:
            continue
        for start, length in sample_ranges(source, each.samples):
            if length and not any(m.body <= start and start + length <= m.end for m in media):
                raise Damaged("is damaged: a track says that its samples are where none can be")
            yield start, length


def _blank(file: BinaryIO, start: int, end: int) -> None:
    file.seek(start)
    left = end - start
    while left > 0:
        left -= file.write(_BLOCK[: min(left, len(_BLOCK))])

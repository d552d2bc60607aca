"""The tables of an MP4 track: long lists of numbers, read in blocks under one cap.

Layout: ISO/IEC 14496-12:2022 sections 8.6.1.2 (stts), 8.7.3 (stsz, stz2), 8.7.4 (stsc) and
8.7.5 (stco, co64); checked 2026-11-29.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from operator import mul

from .boxes import Box, Damaged, Source

MAX_ENTRIES = 2_000_000
"""Rows of one table: nine hours of 60 frames a second that all last differently."""
_BLOCK = 8192


def rows(
    source: Source, box: Box, columns: int, skip: int = 4, code: str = "I"
) -> Iterator[array[int]]:
    """Blocks of ``columns`` numbers a row; their count stands before them, behind ``skip`` bytes.

    Raises Damaged where the count lies or is past MAX_ENTRIES.
    """
    (count,) = source.fields(box, "I", skip)
    yield from block_rows(source, box, skip + 4, count, columns, code)


def block_rows(
    source: Source, box: Box, skip: int, count: int, columns: int, code: str = "I"
) -> Iterator[array[int]]:
    """As ``rows``, where the count is known and the numbers begin behind ``skip`` bytes."""
    width = columns * array(code).itemsize
    if skip + count * width > box.length:
        raise Damaged(f"is damaged: the table at byte {box.start} has fewer rows than it says")
    if count > MAX_ENTRIES:
        raise Damaged(f"has a table of {count} rows, and postkit reads {MAX_ENTRIES}")
    at = box.body + skip
    while count:
        some = min(count, _BLOCK)
        block = array(code, source.read(at, some * width))
        if sys.byteorder == "little":
            block.byteswap()
        yield block
        at += some * width
        count -= some


@dataclass(frozen=True, slots=True)
class Timing:
    """How many samples, how long together, and the shortest and longest but the last (ticks)."""

    samples: int = 0
    ticks: int = 0
    shortest: int = 0
    longest: int = 0

    @property
    def is_variable(self) -> bool:
        # Time scales do not divide by every rate: a tick, or a tenth, is rounding and jitter.
        mean = self.ticks / self.samples if self.samples else 0
        return self.longest - self.shortest > max(1, mean * 0.1)


def timing(source: Source, box: Box) -> Timing:
    """The sum of a table of sample times (stts)."""
    samples = ticks = 0
    shortest, longest = sys.maxsize, 0
    last = (0, 0)
    for block in rows(source, box, 2):
        counts, deltas = block[0::2], block[1::2]
        samples += sum(counts)
        ticks += sum(map(mul, counts, deltas))
        if last[0]:
            shortest, longest = min(shortest, last[1]), max(longest, last[1])
        if len(deltas) > 1:
            shortest = min(shortest, *deltas[:-1])
            longest = max(longest, *deltas[:-1])
        last = (counts[-1], deltas[-1])
    # The last sample often lasts as long as the sound goes on: it says nothing of the rate.
    if last[0] > 1:
        shortest, longest = min(shortest, last[1]), max(longest, last[1])
    return Timing(samples, ticks, min(shortest, longest), longest)


def last_byte(source: Source, table: Box) -> int:
    """An offset that the file must reach: the start of the chunk that lies furthest back."""
    code = "Q" if table.kind == b"co64" else "I"
    return max((max(block) for block in rows(source, table, 1, code=code)), default=0)


def sizes(source: Source, table: Box) -> tuple[int, int]:
    """How many samples a table of sizes (stsz, stz2) has, and their size (0: each its own)."""
    if table.kind == b"stz2":
        return source.fields(table, "I", 8)[0], 0
    size, count = source.fields(table, "II", 4)
    return count, size


def sample_ranges(source: Source, table: Box) -> Iterator[tuple[int, int]]:
    """Where the samples of a sample table (stbl) lie, chunk by chunk: offset and bytes."""
    parts = {child.kind: child for child in source.children(table)}
    chunks, runs = parts.get(b"stco") or parts.get(b"co64"), parts.get(b"stsc")
    each = parts.get(b"stsz")
    if chunks is None or runs is None or each is None:
        return
    count, size = sizes(source, each)
    own = iter(()) if size else _numbers(block_rows(source, each, 12, count, 1))
    changes = list(_triples(rows(source, runs, 3)))
    code = "Q" if chunks.kind == b"co64" else "I"
    row = in_chunk = 0
    for number, offset in enumerate(_numbers(rows(source, chunks, 1, code=code)), 1):
        while row < len(changes) and changes[row][0] <= number:
            in_chunk = changes[row][1]
            row += 1
        some = min(in_chunk, count)
        count -= some
        yield offset, size * some if size else sum(islice(own, some))


def _numbers(blocks: Iterator[array[int]]) -> Iterator[int]:
    return chain.from_iterable(blocks)


def _triples(blocks: Iterator[array[int]]) -> Iterator[tuple[int, int, int]]:
    for block in blocks:
        yield from zip(block[0::3], block[1::3], block[2::3], strict=True)

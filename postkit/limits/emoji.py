"""Emoji that are written with several code points: families, flags, keycaps, skin tones, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

_TONES = tuple(map(chr, range(0x1F3FB, 0x1F400)))
_SELECTOR = "\ufe0f"
# Every sequence has one of these as its second code point.
_LINKS = re.compile(
    "[\u200d\u20e3\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
# The only single code points of Unicode's emoji list that are also Latin-1 letters or signs.
_SINGLE = re.compile("[\xa9\xae]")


def _toned(line: str) -> Iterator[str]:
    words = line.split()
    for tone in _TONES if "T" in words else ("",):
        others = tuple(other for other in _TONES if other != tone)
        one = (tone,) if "D" in words else _TONES
        classes = {"T": one, "D": others}
        choices = [classes[word] if word in classes else (chr(int(word, 16)),) for word in words]
        yield from map("".join, product(*choices))
        if "D" not in words:
            return


def _spellings(sequence: str) -> Iterator[str]:
    parts = sequence.split(_SELECTOR)
    for selectors in product(("", _SELECTOR), repeat=len(parts) - 1):
        yield parts[0] + "".join(s + p for s, p in zip(selectors, parts[1:], strict=True))


@cache
def _sequences() -> tuple[frozenset[str], dict[str, tuple[int, ...]]]:
    """All sequences, and by the first two code points of some their lengths, longest first."""
    lines = Path(__file__).with_name("emoji.txt").read_text(encoding="ascii").splitlines()
    found = frozenset(
        spelling
        for line in lines
        if not line.startswith("#")
        for sequence in _toned(line)
        for spelling in _spellings(sequence)
        if len(spelling) > 1
    )
    lengths: dict[str, set[int]] = {}
    for sequence in found:
        lengths.setdefault(sequence[:2], set()).add(len(sequence))
    return found, {head: tuple(sorted(some, reverse=True)) for head, some in lengths.items()}


def emoji_sequences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of emoji of more than one code point, and of the copyright and registered signs.

    The longest listed sequence wins. What Unicode does not list is not one emoji: an unknown
    pair of regional indicators, a skin tone behind a face without tones.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    for link in _LINKS.finditer(text):
        start = link.start() - 1
        if start < end:
            continue
        sequences, lengths = _sequences()
        for length in lengths.get(text[start : start + 2], ()):
            if text[start : start + length] in sequences:
                end = min(start + length, len(text))
                spans.append((start, end))
                break
    taken = {start for start, _ in spans}
    spans += [s.span() for s in _SINGLE.finditer(text) if s.start() not in taken]
    yield from sorted(spans)

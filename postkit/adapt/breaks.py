"""Where a text may be cut, and how good each place is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import regex

from ..limits.clusters import clusters
from ..limits.entities import EntityRules

_LINK = re.compile(r"https?://\S+")
_NO_BREAK = "\u00a0\u202f\u2007\u2060\ufeff"
_CLOSING = "\"'”’»›)\\]}」』）】》〉〕｣］｝"
# A sentence ends with these alone in scripts without spaces, and with the next group before one.
_FULL_STOP = re.compile(rf"[。！？｡]+[{_CLOSING}。！？]*")
_SENTENCE = re.compile(rf"[.!?…؟۔।॥።‽⁇⁈⁉]+[{_CLOSING}]*(?=\s)")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:\w|\d+|Mr|Mrs|Ms|Dr|Prof|St|No|vs|approx)\.$")
# Scripts that are written without spaces but may be broken between most characters.
_IDEOGRAPH = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_NOT_FIRST = frozenset(
    "、。，．・：；！？｡､,.:;!?…‥ー々〻ゝゞヽヾ」』）】》〉〕｣］｝)]}”’»"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ"
)
_NOT_LAST = frozenset("「『（【《〈〔｢［｛([{“‘«")


@dataclass(frozen=True, slots=True)
class Breaks:
    """Positions in ``text``, each list in order.

    ``allowed``: between two graphemes and inside no entity, and the text's end. ``paragraphs``,
    ``sentences`` (and lines), ``words`` are those of ``allowed`` at which one ends. ``spaces``:
    runs of white space as (start, end).
    """

    text: str
    allowed: list[int]
    paragraphs: list[int]
    sentences: list[int]
    words: list[int]
    spaces: list[tuple[int, int]]

    def after_space(self, position: int) -> int:
        """``position``, or the end of the white space that begins or goes on there."""
        index = bisect_right(self.spaces, (position, len(self.text) + 1)) - 1
        if index >= 0 and self.spaces[index][0] <= position < self.spaces[index][1]:
            return self.spaces[index][1]
        return position

    def before_space(self, position: int) -> int:
        """``position``, or the start of the white space that ends there."""
        index = bisect_left(self.spaces, (position, 0)) - 1
        if index >= 0 and self.spaces[index][1] == position:
            return self.spaces[index][0]
        return position

    def best(self, start: int, furthest: int, stop: int, enough: int) -> int:
        """The best end, at most ``furthest``, of a part that begins at ``start``."""
        if furthest >= stop:
            return stop
        floor = start + (furthest - start) // enough
        for places, least in (
            (self.paragraphs, floor),
            (self.sentences, floor),
            (self.words, start),
        ):
            index = bisect_right(places, furthest) - 1
            if index >= 0 and places[index] > least:
                return places[index]
        return self.before_space(furthest)


def find_breaks(text: str, rules: EntityRules) -> Breaks:
    """Every place where ``text`` may be cut; linear in its length."""
    # Every link is kept whole, also where the network itself makes none of it.
    taken = sorted(
        [(entity.start, entity.end) for entity in rules.detect(text)]
        + [match.span() for match in _LINK.finditer(text)]
    )
    allowed: list[int] = []
    words: set[int] = set()
    spaces: list[tuple[int, int]] = []
    inside = 0
    index = 0
    previous = ""
    for at, end in clusters(text):
        grapheme = text[at:end]
        while index < len(taken) and taken[index][0] < at:
            inside = max(inside, taken[index][1])
            index += 1
        if at and at >= inside:
            allowed.append(at)
            if _between_ideographs(previous, grapheme):
                words.add(at)
        if grapheme.isspace() and grapheme not in _NO_BREAK:
            if spaces and spaces[-1][1] == at:
                spaces[-1] = (spaces[-1][0], end)
            else:
                spaces.append((at, end))
        previous = grapheme
    allowed.append(len(text))
    return _graded(text, allowed, words, spaces)


def _graded(
    text: str, allowed: list[int], words: set[int], spaces: list[tuple[int, int]]
) -> Breaks:
    possible = set(allowed)
    paragraphs: list[int] = []
    sentences: set[int] = set()
    for start, end in spaces:
        if start not in possible:
            continue
        words.add(start)
        lines = text.count("\n", start, end) + 2 * text.count("\u2029", start, end)
        if lines > 1:
            paragraphs.append(start)
        elif lines:
            sentences.add(start)
    for match in _SENTENCE.finditer(text):
        following = text[match.end() :][:16].lstrip()[:1]
        before = text[max(0, match.start() - 8) : match.start() + 1]
        if not following.islower() and not _ABBREVIATION.search(before):
            sentences.add(match.end())
    sentences.update(match.end() for match in _FULL_STOP.finditer(text))
    return Breaks(
        text, allowed, paragraphs, sorted(sentences & possible), sorted(words & possible), spaces
    )


def _between_ideographs(left: str, right: str) -> bool:
    if not left or (left.isascii() and right.isascii()):
        return False
    if left[-1] in _NOT_LAST or right[0] in _NOT_FIRST:
        return False
    return bool(_IDEOGRAPH.match(left) or _IDEOGRAPH.match(right))

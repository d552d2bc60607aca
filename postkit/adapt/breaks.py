"""Where a text may be cut, and how good each place is.

Chinese and Japanese may be cut between most characters, but not before closing marks, small kana
or sound marks, nor after opening ones. Thai, Lao, Khmer and Burmese are written without spaces,
and their words are known only to a dictionary, which is not here: between two spaces they are cut
between two clusters, which can be inside of a word, but not between a consonant and its vowel.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import regex

from ..limits.clusters import clusters
from ..limits.entities import EntityRules
from .wholes import Span, keep_whole, never_cut

_NO_BREAK = "\u00a0\u202f\u2007\u2060\ufeff"
_CLOSING = "\"'”’»›)\\]}」』）】》〉〕｣］｝"
# A sentence ends with these alone in scripts without spaces, and with the next group before one.
_FULL_STOP = re.compile(rf"[。！？｡]+[{_CLOSING}。！？]*")
_SENTENCE = re.compile(rf"[.!?…؟۔।॥።‽⁇⁈⁉]+[{_CLOSING}]*(?=\s)")
_CLAUSE = re.compile(rf"[,;:،؛–—][{_CLOSING}]*(?=\s)|[、，；：]")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:\w|\d+|Mr|Mrs|Ms|Dr|Prof|St|No|vs|approx)\.$")
# Scripts that are written without spaces but may be broken between most characters.
_IDEOGRAPH = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_NOT_FIRST = frozenset(
    "、。，．・：；！？｡､,.:;!?…‥ー々〻ゝゞヽヾ」』）】》〉〕｣］｝)]}”’»゛゜％"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
)
_NOT_LAST = frozenset("「『（【《〈〔｢［｛([{“‘«")
# Vowels of Thai and Lao that stand before or behind their consonant, and signs of repetition and
# abbreviation; for Unicode each is a cluster of its own.
_VOWEL_FIRST = frozenset("เแโใไເແໂໃໄ")
_VOWEL_LAST = frozenset("ะาำๅๆฯະາຳໆຯ")


class Grade(IntEnum):
    """What ends at a place; a lower grade is a better one."""

    PARAGRAPH = 0
    SENTENCE = 1
    CLAUSE = 2
    WORD = 3
    INSIDE = 4
    """Inside of what should stay whole: a quote, brackets, words in the other direction."""
    CLUSTER = 5


@dataclass(frozen=True, slots=True)
class Breaks:
    """Places in ``text``, in order and with the text's end as the last.

    ``places``: where a part may end, with the grade of each, but for Grade.CLUSTER. ``clusters``:
    all places between two clusters and inside of nothing that is never cut. ``spaces``: runs of
    white space as (start, end). ``wholes``: what should stay whole.
    """

    text: str
    places: list[tuple[int, Grade]]
    clusters: list[int]
    spaces: list[Span]
    wholes: list[Span]

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

    def between(self, start: int, end: int) -> str:
        """The part that begins behind the white space at ``start``, or at the text's beginning."""
        return self.text[self.after_space(start) if start else 0 : end]


def find_breaks(text: str, rules: EntityRules) -> Breaks:
    """Every place where ``text`` may be cut; linear in its length."""
    taken = never_cut(text, rules)
    allowed: list[int] = []
    words: set[int] = set()
    spaces: list[Span] = []
    inside = 0
    index = 0
    previous = ""
    for at, end in clusters(text):
        cluster = text[at:end]
        while index < len(taken) and taken[index][0] < at:
            inside = max(inside, taken[index][1])
            index += 1
        if at and at >= inside and not _belong_together(previous, cluster):
            allowed.append(at)
            if _between_ideographs(previous, cluster):
                words.add(at)
        if cluster.isspace() and cluster not in _NO_BREAK:
            if spaces and spaces[-1][1] == at:
                spaces[-1] = (spaces[-1][0], end)
            else:
                spaces.append((at, end))
        previous = cluster
    allowed.append(len(text))
    grades = _graded(text, set(allowed), words, spaces)
    return Breaks(text, sorted(grades.items()), allowed, spaces, keep_whole(text))


def within(places: Iterable[int], wholes: Sequence[Span]) -> set[int]:
    """Those of ``places`` (in order) that are inside of one of ``wholes`` (sorted)."""
    found: set[int] = set()
    inside = index = 0
    for place in places:
        while index < len(wholes) and wholes[index][0] < place:
            inside = max(inside, wholes[index][1])
            index += 1
        if place < inside:
            found.add(place)
    return found


def _graded(text: str, possible: set[int], words: set[int], spaces: list[Span]) -> dict[int, Grade]:
    grades = dict.fromkeys(words, Grade.WORD)

    def grade(place: int, better: Grade) -> None:
        grades[place] = min(better, grades.get(place, better))

    for start, end in spaces:
        lines = text.count("\n", start, end) + 2 * text.count("\u2029", start, end)
        grade(start, (Grade.WORD, Grade.SENTENCE, Grade.PARAGRAPH)[min(lines, 2)])
    for match in _SENTENCE.finditer(text):
        following = text[match.end() : match.end() + 16].lstrip()[:1]
        before = text[max(0, match.start() - 8) : match.start() + 1]
        if not following.islower() and not _ABBREVIATION.search(before):
            grade(match.end(), Grade.SENTENCE)
    for pattern, better in ((_FULL_STOP, Grade.SENTENCE), (_CLAUSE, Grade.CLAUSE)):
        for match in pattern.finditer(text):
            if match.end() not in possible or text[match.end() : match.end() + 1] in _NOT_FIRST:
                continue
            grade(match.end(), better)
    grade(len(text), Grade.PARAGRAPH)
    return {place: found for place, found in grades.items() if place in possible and place}


def _belong_together(left: str, right: str) -> bool:
    """Whether one is a vowel of the other; a vowel that somebody has drawn out may be cut."""
    if right[0] in _VOWEL_LAST:
        return left[0] not in _VOWEL_LAST and not left.isspace()
    return left[0] in _VOWEL_FIRST and right[0] not in _VOWEL_FIRST and not right.isspace()


def _between_ideographs(left: str, right: str) -> bool:
    if not left or (left.isascii() and right.isascii()):
        return False
    if left[-1] in _NOT_LAST or right[0] in _NOT_FIRST:
        return False
    return bool(_IDEOGRAPH.match(left) or _IDEOGRAPH.match(right))

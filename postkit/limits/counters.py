"""Counters: how long a text is in the unit of a network."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from .clusters import count_clusters
from .emoji import emoji_sequences
from .entities import EntityRules


class Counter(Protocol):
    """Counts a text. ``unit`` is the word for messages: "312 graphemes of 300"."""

    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str: ...

    def count(self, text: str) -> int:
        """How long ``text`` is. Never raises: a lone surrogate counts as one code point, one
        UTF-16 unit or three bytes."""


@dataclass(frozen=True, slots=True)
class _Plain:
    """Counts characters of some kind, entities first shortened as the network does.

    ``url_length``: what any URL counts, however long. ``mention_local_only``: ``@user@host``
    counts as ``@user``. Both need ``rules``, else ValueError.
    """

    url_length: int | None = None
    rules: EntityRules | None = None
    mention_local_only: bool = False

    def __post_init__(self) -> None:
        if self.rules is None and (self.url_length is not None or self.mention_local_only):
            raise ValueError("url_length and mention_local_only need rules that find the entities.")

    def _countable(self, text: str) -> str:
        rules = self.rules
        if rules is None or (self.url_length is None and not self.mention_local_only):
            return text
        pieces: list[str] = []
        end = 0
        for entity in rules.detect(text):
            if entity.kind == "url" and self.url_length is not None:
                shown = "a" * self.url_length
            elif entity.kind == "mention" and self.mention_local_only:
                shown = entity.local
            else:
                continue
            pieces += text[end : entity.start], shown
            end = entity.end
        pieces.append(text[end:])
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class CodePoints(_Plain):
    """Unicode code points."""

    name: str = field(default="code points", init=False)
    unit: str = field(default="characters", init=False)

    def count(self, text: str) -> int:
        return len(self._countable(text))


@dataclass(frozen=True, slots=True)
class Utf16Units(_Plain):
    """UTF-16 code units: 2 for a code point above U+FFFF."""

    name: str = field(default="utf-16", init=False)
    unit: str = field(default="UTF-16 units", init=False)

    def count(self, text: str) -> int:
        return len(self._countable(text).encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Utf8Bytes(_Plain):
    """Bytes of UTF-8."""

    name: str = field(default="utf-8", init=False)
    unit: str = field(default="bytes", init=False)

    def count(self, text: str) -> int:
        return len(self._countable(text).encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Graphemes(_Plain):
    """Extended grapheme clusters of Unicode: what a reader takes for one character."""

    name: str = field(default="graphemes", init=False)
    unit: str = field(default="graphemes", init=False)

    def count(self, text: str) -> int:
        return count_clusters(self._countable(text))


@cache
def _weight_runs(ranges: tuple[tuple[int, int, int], ...]) -> dict[int, re.Pattern[str]]:
    """For each weight a pattern of runs of the code points that have it."""
    classes: dict[int, str] = {}
    for start, end, weight in ranges:
        classes[weight] = classes.get(weight, "") + f"\\U{start:08x}-\\U{end:08x}"
    return {weight: re.compile(f"[{members}]+") for weight, members in classes.items()}


@dataclass(frozen=True, slots=True)
class Weighted:
    """Weighs code points by range, links and emoji as a whole; the sum is divided by ``scale``.

    ``ranges`` are (first, last, weight) of code points, in order and apart, else ValueError; what
    is in none weighs ``default_weight``. Any URL
    of ``rules`` counts ``url_length``, an emoji of several code points ``emoji_weight`` (None:
    emoji are weighed like other text). ``nfc``: the text is composed first, line breaks of two
    characters become one. A single code point that is an emoji weighs what its range says, but
    for the copyright and registered signs.
    """

    ranges: tuple[tuple[int, int, int], ...]
    default_weight: int
    url_length: int
    emoji_weight: int | None
    rules: EntityRules
    nfc: bool = True
    scale: int = 1
    name: str = field(default="weighted", init=False)
    unit: str = field(default="weighted characters", init=False)

    def __post_init__(self) -> None:
        previous = -1
        for start, end, _ in self.ranges:
            if not previous < start <= end <= 0x10FFFF:
                raise ValueError(f"ranges must be in order and apart: {start} to {end} is not.")
            previous = end
        if self.scale < 1:
            raise ValueError(f"scale is {self.scale}; it must be 1 or more.")

    def count(self, text: str) -> int:
        if self.nfc:
            text = unicodedata.normalize("NFC", text)
            if "\r" in text:
                text = text.replace("\r\n", "\n")
        total = self._weigh(text)
        urls = [(entity.start, entity.end) for entity in self.rules.urls_in(text)]
        for start, end in urls:
            total += self.url_length * self.scale - self._weigh(text[start:end])
        if self.emoji_weight is not None and not text.isascii():
            total += self._emoji(text, urls, self.emoji_weight)
        return total // self.scale

    def _weigh(self, text: str) -> int:
        total = self.default_weight * len(text)
        for weight, run in _weight_runs(self.ranges).items():
            total += (weight - self.default_weight) * len("".join(run.findall(text)))
        return total

    def _emoji(self, text: str, urls: list[tuple[int, int]], weight: int) -> int:
        """What emoji add to or take from the sum of their code points outside of URLs."""
        pieces: list[str] = []
        inside = iter([*urls, (len(text), len(text) + 1)])
        url_start, url_end = next(inside)
        for start, end in emoji_sequences(text):
            while start >= url_end:
                url_start, url_end = next(inside)
            if start < url_start:
                pieces.append(text[start:end])
        return weight * len(pieces) - self._weigh("".join(pieces))

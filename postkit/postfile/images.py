"""Pictures in the text: `![alternative text](file)`, as CommonMark writes them."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

MAX_TAIL = 5000
"""Code points of `(file "title")`: more than any path has, and a bound for the search."""

MAX_IMAGES = 1000
"""Pictures of one paragraph that are looked at."""

_TAIL = re.compile(
    r"""\(\s*+
    (?:<(?P<angle>(?:[^<>\n\\]|\\.)*+)>|(?P<bare>(?:[^\s()\\<]|\\.|\((?:[^\s()\\]|\\.)*+\))++))?+
    (?:\s++(?:"(?P<double>(?:[^"\\]|\\.)*+)"|'(?P<single>(?:[^'\\]|\\.)*+)'
       |\((?P<round>(?:[^()\\]|\\.)*+)\)))?+
    \s*+\)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_TICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class Image:
    """`start` is its index in the paragraph; `file` is None where the brackets hold no file."""

    start: int
    end: int
    alt: str
    file: str | None


def images(paragraph: str) -> list[Image]:
    """Every picture of a paragraph, in order, outside code spans.

    A picture's title stands in for a missing alternative text; nothing else shows it. After
    MAX_IMAGES the search ends with one more.
    """
    if "![" not in paragraph:
        return []
    closing = _brackets(paragraph)
    spans = _code_spans(paragraph)
    found: list[Image] = []
    position = 0
    while len(found) <= MAX_IMAGES and (start := paragraph.find("![", position)) >= 0:
        position = start + 2
        span = bisect_right(spans, (start, len(paragraph))) - 1
        if span >= 0 and start < spans[span][1]:
            position = spans[span][1]
            continue
        end = closing.get(start + 1)
        if _escaped(paragraph, start) or end is None or paragraph[end + 1 : end + 2] != "(":
            continue
        tail = _TAIL.match(paragraph, end + 1, end + 1 + MAX_TAIL)
        if tail is None:
            found.append(Image(start, end + 2, "", None))
            position = end + 2
            continue
        title = tail["double"] or tail["single"] or tail["round"] or ""
        file = tail["angle"] if tail["angle"] is not None else tail["bare"] or ""
        alt = paragraph[start + 2 : end].strip() or title
        alt = " ".join(line.strip() for line in _unescape(alt).split("\n"))
        found.append(Image(start, tail.end(), alt, _unescape(file)))
        position = tail.end()
    return found


def only_images(paragraph: str, found: list[Image]) -> bool:
    """Whether a paragraph holds pictures and nothing else. Four columns of indent make it code."""
    if not found or re.match(r" {0,3}\t| {4}", paragraph):
        return False
    position = 0
    for image in found:
        if paragraph[position : image.start].strip():
            return False
        position = image.end
    return not paragraph[position:].strip()


def _brackets(text: str) -> dict[int, int]:
    """The index of each `[` and that of the `]` that closes it."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for found in re.finditer(r"\\.|[\[\]]", text, re.DOTALL):
        if found.group() == "[":
            opened.append(found.start())
        elif found.group() == "]" and opened:
            pairs[opened.pop()] = found.start()
    return pairs


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each code span: a run of backticks up to the next run as long."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(text)]
    later: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        later.setdefault(runs[index][1] - runs[index][0], []).append(index)
    spans: list[tuple[int, int]] = []
    done = -1
    for index, (start, end) in enumerate(runs):
        same = later[end - start]
        while same and same[-1] <= max(index, done):
            same.pop()
        if index > done and same and not _escaped(text, start):
            done = same[-1]
            spans.append((start, runs[done][1]))
    return spans


def _escaped(text: str, index: int) -> bool:
    before = text[max(0, index - 50) : index]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)

"""Grapheme clusters by hand, and against the rules of Unicode's annex 29 read once more.

The rules are revision 47, of Unicode 17.0. The cases are ours: one sample of each class of the
property in rows of up to four, which has every pair of Unicode's own test file among them.
"""

from __future__ import annotations

import itertools
import random
from functools import cache

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.clusters import clusters, count_clusters

# A bar stands where one cluster ends and the next begins.
BY_HAND: tuple[str, ...] = (
    "a|b",
    "\r\n|\r\n|\n|\r",
    "a|\r\n|\u0308|a",  # nothing joins a line end (GB4, GB5)
    "e\u0301\u0327|x",
    "\u0301|\r|\u0301",
    "\u1100\u1161\u11a8|\u1100\u1161",  # L V T (GB6 to GB8)
    "\uac00\u11a8|\uac01\u11a8|\uac01|\u1161",
    "\u1100\u1100\uac00\u11a8\u11a8|\u1160",
    "\u0e19\u0e49\u0e33",  # Thai: mark, then a spacing vowel (GB9a)
    "\u0915\u0903|\u0915\u093f",
    "\u0600\u0661|\u0600|\n",  # Arabic number sign before a digit (GB9b)
    "\u0915\u094d\u0924|\u0915\u094d|a",  # Hindi kta (GB9c)
    "\u0915\u094d\u200d\u0924|\u0915\u094d\u200c|\u0924",
    "\u0915\u0308\u094d\u0308\u0924",
    "\u0915\u094d\u094d\u0924\u094d\u092f",
    "a\u094d|\u0924",  # no consonant before the virama
    "\u094d|\u0924",
    "\u200d\u094d|\u0924",
    "\u0995\u09cd\u09b7|\u0c15\u0c4d\u0c37",  # Bengali, Telugu
    "\u1000\u1039\u1000|\u1780\u17d2\u1780",  # Burmese, Khmer
    "\U0001f469\u200d\U0001f680|\U0001f469|\U0001f680",
    "\U0001f44d\U0001f3fd|\U0001f44d",
    "\U0001f469\U0001f3fd\u200d\U0001f680",
    "a\u200d|\U0001f680",  # a joiner behind no picture joins nothing (GB11)
    "\u231a\u0308\u200d\u231a|\u231a\u200d\u0308|\u231a",
    "\U0001f1e9\U0001f1ea|\U0001f1eb\U0001f1f7|\U0001f1ee",  # flags in pairs (GB12, GB13)
    "a|\U0001f1e9\U0001f1ea|b|\U0001f1eb|c",
    "\U0001f1e9\u0308|\U0001f1ea\U0001f1eb",
    "\U0001f1e9\u200d|\U0001f1ea",
    "1\ufe0f\u20e3|2",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f|a",
    "\u65e5|\u672c\u3099",
    "a|\x01|b|\u200b|c|\u2028|d",
    "\ud800|a|\udfff",
)


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in clusters(text)]


@pytest.mark.parametrize("marked", BY_HAND)
def test_by_hand(marked: str) -> None:
    expected = marked.split("|")
    assert pieces("".join(expected)) == expected
    assert read_again("".join(expected)) == expected
    assert count_clusters("".join(expected)) == len(expected)


CLASSES = ("CR", "LF", "Control", "Extend", "ZWJ", "RI", "Prepend", "SpacingMark")
HANGUL = ("L", "V", "T", "LV", "LVT")


@cache
def has(name: str, char: str) -> bool:
    return regex.match(rf"\p{{{name}}}", char) is not None


@cache
def class_of(char: str) -> str:
    return next((name for name in CLASSES + HANGUL if has(f"GCB={name}", char)), "Other")


def joins(text: str, at: int) -> bool:
    """Whether there is no boundary before ``at``; the rules in their order."""
    left, right = class_of(text[at - 1]), class_of(text[at])
    if (left, right) == ("CR", "LF"):
        return True
    if {left, right} & {"CR", "LF", "Control"}:
        return False
    if (left == "L" and right in ("L", "V", "LV", "LVT")) or (
        (left in ("LV", "V") and right in ("V", "T")) or (left in ("LVT", "T") and right == "T")
    ):
        return True
    if right in ("Extend", "ZWJ", "SpacingMark") or left == "Prepend":
        return True
    return (
        _is_conjunct(text, at)
        or (left == "ZWJ" and has("ExtPict", text[at]) and _follows_picture(text, at - 2))
        or (left == right == "RI" and _flags_before(text, at) % 2 == 1)
    )


def _is_conjunct(text: str, at: int) -> bool:
    if not has("InCB=Consonant", text[at]):
        return False
    linked = False
    for char in reversed(text[:at]):
        if has("InCB=Linker", char):
            linked = True
        elif not has("InCB=Extend", char):
            return linked and has("InCB=Consonant", char)
    return False


def _follows_picture(text: str, at: int) -> bool:
    while at >= 0 and class_of(text[at]) == "Extend":
        at -= 1
    return at >= 0 and has("ExtPict", text[at])


def _flags_before(text: str, at: int) -> int:
    return len(list(itertools.takewhile(lambda c: class_of(c) == "RI", reversed(text[:at]))))


def read_again(text: str) -> list[str]:
    edges = [at for at in range(1, len(text)) if not joins(text, at)]
    return [text[a:b] for a, b in itertools.pairwise([0, *edges, len(text)])] if text else []


SAMPLES = (
    *("\r", "\n", "\x01", "\u200b", "\u034f", "\u0308", "\u200c", "\u200d", "\U0001f1e6"),
    *("\u0600", "\u0d4e", "\u0903", "\u0e33", "\u1100", "\u1160", "\u11a8", "\uac00", "\uac01"),
    *("\u0915", "\u0924", "\u0995", "\u1000", "\u094d", "\u09cd", "\u1039", "\U0001f3fd"),
    *("\u231a", "\U0001f469", "\xa9", "\ufe0f", "a", "\u65e5", "\u0378"),
)


def test_every_row_of_samples() -> None:
    chance = random.Random(20261129)
    rows = [row for length in (1, 2, 3) for row in itertools.product(SAMPLES, repeat=length)]
    rows += [tuple(chance.choices(SAMPLES, k=chance.randint(4, 12))) for _ in range(10_000)]
    assert len(rows) > 45_000
    texts = ["".join(row) for row in rows]
    assert [text for text in texts if pieces(text) != read_again(text)] == []
    assert [text for text in texts if count_clusters(text) != len(read_again(text))] == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(SAMPLES) | st.text(max_size=3), max_size=12).map("".join))
def test_any_text(text: str) -> None:
    assert pieces(text) == read_again(text)
    assert count_clusters(text) == len(read_again(text))


@pytest.mark.parametrize("piece", ["\U0001f1e9", "\u094d", "a\u094d", "\u0915\u094d", "\u1100"])
def test_long_runs_are_looked_at_once(piece: str) -> None:
    # Where each of them looked back over the run, this would take minutes.
    assert count_clusters(piece * 100_000 + "\u0924") > 0

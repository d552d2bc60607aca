"""What holds for every split of any text, over scripts thrown together."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.adapt.split import excess, split
from postkit.limits.clusters import clusters
from postkit.limits.counters import CodePoints, Counter, Graphemes, Utf8Bytes, Weighted
from postkit.limits.entities import EntityRules
from postkit.limits.model import Source, TextLimit
from postkit.network import CannotRender

SOURCE = Source("made for these tests", date(2026, 11, 29))
RULES = EntityRules(bare_domains=True, mention="name", hashtags=True, cashtags=True)
COUNTERS: tuple[tuple[Counter, int], ...] = (
    (CodePoints(), 60),
    (Graphemes(), 50),
    (Utf8Bytes(), 180),
    (Weighted(((0, 4351, 100),), 200, 23, 200, RULES, scale=100), 70),
)

WORDS = (
    *("one", "two.", "Three!", "Dr.", "и", "ещё", "слово.", "ein", "Größe,", "a" * 12, "x" * 70),
    *(
        "中文。",
        "日本語",
        "っ",
        "ー",
        "「はい」",
        "カタカナ",
        "คำไทยยาว",
        "हिन्दी",
        "क्षत्रिय",
        "한국어",
    ),
    *(
        "שלום",
        "עולם",
        "مرحبا",
        "بالعالم.",
        "؟",
        "👩\u200d👩\u200d👧",
        "🇩🇪🇫🇷",
        "👍🏽",
        "e\u0301\u0327",
    ),
    *(
        "https://e.com/a_b",
        "e.com/日",
        "@you",
        "#tag",
        "#हिन्दी",
        "$ABC",
        "10 km",
        "5\u00a0%",
        "€ 5",
        "9 am",
    ),
    *("(", ")", "“", "”", '"', "«", "»", "„", "(a b)", "“so it is”", "[x]", ":("),
    *("\u2067", "\u2069", "\u2066", "\u202b", "\u202c", "\u2067שלום עולם\u2069"),
    *(" ", " ", " ", " ", "\n", "\n\n", "\u00a0", "\u3000", ", ", ". "),
)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=60).map("".join)


def parts_of(text: str, counter: Counter, maximum: int) -> list[str] | None:
    try:
        return split(text, [TextLimit(counter, maximum, SOURCE)], RULES, numbering=False)
    except CannotRender:
        return None


def cuts(text: str, parts: list[str]) -> list[tuple[int, int]]:
    """Where each part begins and ends in the text; between them is white space alone."""
    found = []
    at = 0
    for part in parts:
        start = text.index(part, at)
        assert not text[at:start].strip()
        at = start + len(part)
        found.append((start, at))
    assert not text[at:].strip()
    return found


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from(COUNTERS))
def test_parts_are_whole_and_within_the_limit(text: str, limit: tuple[Counter, int]) -> None:
    counter, maximum = limit
    parts = parts_of(text, counter, maximum)
    if parts is None or parts == [text]:
        return
    limits = [TextLimit(counter, maximum, SOURCE)]
    assert [part for part in parts if excess(part, limits) or not part.strip()] == []
    spans = cuts(text, parts)
    edges = {edge for span in spans for edge in span}
    assert edges <= {edge for span in clusters(text) for edge in span}
    for entity in RULES.detect(text):
        assert not [edge for edge in edges if entity.start < edge < entity.end], entity


KEPT = (
    "10 km",
    "1 200 €",
    "3.5 kg",
    "€ 5",
    "(in brackets)",
    "“so it is”",
    "„so ist es“",
    "«comme ça»",
    "「そうです」",
    '"in short"',
    "\u2067שלום (x) עולם\u2069",
    "\u2066a \u202bשלום b\u202c c\u2069",
    "שלום עולם טוב",
    "مرحبا بالعالم",
)


@pytest.mark.parametrize("whole", KEPT)
def test_what_belongs_together_is_kept_whole(whole: str) -> None:
    chance = random.Random(20261129)
    for _ in range(60):
        before = " ".join("word" * chance.randint(1, 2) for _ in range(chance.randint(1, 12)))
        after = " ".join("word" for _ in range(chance.randint(1, 12)))
        text = f"{before} {whole} {after}"
        parts = parts_of(text, CodePoints(), 40)
        assert parts is not None
        assert any(whole in part for part in parts), parts


def test_a_quote_that_is_longer_than_a_part_is_cut_at_a_word() -> None:
    text = "He said: “" + "word " * 20 + "end”"
    parts = parts_of(text, CodePoints(), 40)
    assert parts is not None
    assert " ".join(parts) == text


PROSE = (
    "The ship left the harbour before dawn, and nobody on the pier saw it go. Two of us had "
    "stayed up to wave; the others slept. It carried timber, salt and one very old piano. "
    "When the fog came in, we could still hear somebody play."
)


@pytest.mark.parametrize("maximum", range(40, 200, 7))
@pytest.mark.parametrize("length", range(60, 240, 13))
def test_the_last_part_is_no_orphan(maximum: int, length: int) -> None:
    """The measure: the smallest part of prose has half of an even share, and there is no part
    more than are needed. Below 40 characters, words are too long to come out even."""
    text = PROSE[:length].rsplit(" ", 1)[0]
    parts = parts_of(text, CodePoints(), maximum)
    assert parts is not None
    even = len(text) / len(parts)
    assert min(map(len, parts)) >= even / 2
    assert len(parts) == least(text, maximum)


def least(text: str, maximum: int) -> int:
    """The number of parts where each is filled with as many words as fit."""
    count, room = 1, maximum
    for word in text.split(" "):
        if len(word) > room:
            count, room = count + 1, maximum
        room -= len(word) + 1
    return count


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(("a", "bcd", "word", "longer", "日本語")), max_size=80),
    st.integers(8, 30),
)
def test_there_are_as_few_parts_as_possible(words: list[str], maximum: int) -> None:
    text = " ".join(word for word in words if word != "日本語")
    parts = parts_of(text, CodePoints(), maximum)
    assert parts is None or len(parts) == least(text, maximum)


@pytest.mark.parametrize(
    ("text", "maximum", "expected"),
    [
        ("ウィキペディアっていいね", 7, ["ウィキペディ", "アっていいね"]),
        ("これは「本」です", 5, ["これは", "「本」です"]),
        ("スーパーマーケット", 4, ["スーパー", "マー", "ケット"]),
        ("價格是一百二十元，很貴。", 10, ["價格是一百二", "十元，很貴。"]),
        ("กขค กขค กขค", 8, ["กขค กขค", "กขค"]),
        ("ที่นี่", 4, ["ที่", "นี่"]),
    ],
)
def test_scripts_without_spaces(text: str, maximum: int, expected: list[str]) -> None:
    parts = parts_of(text, CodePoints(), maximum)
    assert parts == expected


@pytest.mark.parametrize(
    "piece", ["日本語", "สวัสดี", "🇩🇪", "a", "( ", "“", "\u2067", "word ", "e.com/a "]
)
def test_a_million_characters_are_refused_and_not_looked_at_again_and_again(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    with pytest.raises(CannotRender, match="needs more than 50 posts"):
        split(text, [TextLimit(CodePoints(), 280, SOURCE)], RULES, numbering=False)
    limits = [TextLimit(CodePoints(), 1200, SOURCE)]
    assert len(split(text[:40_000], limits, RULES, numbering=False)) == 34

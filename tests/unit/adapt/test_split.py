"""Splitting, pinned by texts written by hand."""

from __future__ import annotations

import time
from datetime import date

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.adapt.split import cut, split
from postkit.limits.counters import CodePoints, Graphemes, Utf8Bytes
from postkit.limits.entities import EntityRules
from postkit.limits.model import Source, TextLimit
from postkit.network import CannotRender

SOURCE = Source("made for these tests", date(2026, 11, 23))
RULES = EntityRules(bare_domains=True, mention="name", hashtags=True)


def at_most(maximum: int) -> list[TextLimit]:
    return [TextLimit(CodePoints(), maximum, SOURCE)]


def parts(text: str, maximum: int, *, numbering: bool = False) -> list[str]:
    return split(text, at_most(maximum), RULES, numbering=numbering)


CASES = [
    ("fits", "Short. Text.", 12, ["Short. Text."]),
    ("paragraph", "One two.\n\nThree four. Five", 22, ["One two.", "Three four. Five"]),
    ("sentence", "One two. Three four five", 20, ["One two.", "Three four five"]),
    ("question", "Really? Yes! Three four", 14, ["Really? Yes!", "Three four"]),
    ("line", "Roses are red\nViolets are blue", 24, ["Roses are red", "Violets are blue"]),
    ("word", "one two three four", 10, ["one two", "three four"]),
    ("abbreviation", "We saw Dr. Miller there", 14, ["We saw Dr.", "Miller there"]),
    ("no sentence before lower case", "at 5 p.m. we go home", 13, ["at 5 p.m.", "we go home"]),
    ("thai vowels", "บริการและแม่", 6, ["บริการ", "และแม่"]),
    ("thai vowel behind", "กกกการ", 4, ["กกก", "การ"]),
    ("thai vowel before", "กกกแกก", 4, ["กกก", "แกก"]),
    ("lao vowels", "ກກກາເກ", 4, ["ກກກາ", "ເກ"]),
    ("vowels drawn out", "กาาาาา", 4, ["กาา", "าาา"]),
    ("plain token", "abcdefghij", 4, ["abc", "defg", "hij"]),
    ("token after words", "to abcdefghij", 5, ["to", "abcde", "fghij"]),
    ("Chinese sentence", "今天天气很好。我们去公园玩吧", 10, ["今天天气很好。", "我们去公园玩吧"]),
    ("Chinese without an end", "今天天气很好我们", 5, ["今天天气", "很好我们"]),
    ("Japanese comma stays", "あいうえ、かきくけこ", 4, ["あいう", "え、かき", "くけこ"]),
    ("Japanese bracket", "「はい」。そうです", 6, ["「はい」。", "そうです"]),
    ("Thai", "สวัสดี", 3, ["สวั", "สดี"]),
    ("Arabic question", "كيف حالك؟ أنا بخير", 14, ["كيف حالك؟", "أنا بخير"]),
    ("Hebrew", "שלום עולם טוב", 10, ["שלום", "עולם טוב"]),
    ("family stays whole", "👨‍👩‍👧👨‍👩‍👧", 8, ["👨‍👩‍👧", "👨‍👩‍👧"]),
    ("flag stays whole", "🇩🇪🇫🇷🇮🇹", 5, ["🇩🇪🇫🇷", "🇮🇹"]),
    ("accent stays on its letter", "e\u0301e\u0301e\u0301", 5, ["e\u0301e\u0301", "e\u0301"]),
    ("link at the border", "See https://e.com/abc now", 17, ["See", "https://e.com/abc", "now"]),
    ("mention at the border", "Thanks to @someone here", 13, ["Thanks to", "@someone here"]),
    ("hashtag at the border", "We love #postkit", 12, ["We love", "#postkit"]),
    (
        "bare domain is not cut at its dot",
        "Go to docs.example.com today",
        17,
        ["Go to", "docs.example.com", "today"],
    ),
    ("no-break space", "abc 10\u00a0km de", 8, ["abc", "10\u00a0km de"]),
    ("white space alone around", "  one two  ", 4, ["one", "two"]),
]


@pytest.mark.parametrize(
    ("text", "maximum", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_split(text: str, maximum: int, expected: list[str]) -> None:
    assert parts(text, maximum) == expected


def test_281_weighted_characters_are_two_posts(weighted: TextLimit) -> None:
    assert split("x" * 280, [weighted], RULES, numbering=False) == ["x" * 280]
    assert split("x" * 281, [weighted], RULES, numbering=False) == ["x" * 141, "x" * 140]
    assert split("中" * 141, [weighted], RULES, numbering=False) == ["中" * 71, "中" * 70]


def test_a_link_weighs_as_the_network_counts_it(weighted: TextLimit) -> None:
    link = "https://example.com/" + "a" * 400
    text = "x" * 256 + " " + link
    assert split(text, [weighted], RULES, numbering=False) == [text]
    assert split("x" + text, [weighted], RULES, numbering=False) == ["x" * 257, link]


def test_numbers_count_within_the_limit() -> None:
    found = parts("one two three four five six", 14, numbering=True)
    assert found == ["one two (1/4)", "three (2/4)", "four (3/4)", "five six (4/4)"]


def test_numbers_of_two_digits_have_their_room() -> None:
    found = parts("word " * 12, 12, numbering=True)
    assert found[0] == "word (1/12)"
    assert found[-1] == "word (12/12)"
    assert max(len(part) for part in found) <= 12


def test_a_text_that_fits_has_no_number() -> None:
    assert parts("one two", 7, numbering=True) == ["one two"]


def test_all_limits_hold() -> None:
    limits = [TextLimit(Graphemes(), 10, SOURCE), TextLimit(Utf8Bytes(), 50, SOURCE)]
    found = split("👨‍👩‍👧" * 5 + " abc", limits, RULES, numbering=False)
    assert found == ["👨‍👩‍👧" * 2, "👨‍👩‍👧" * 2, "👨‍👩‍👧 abc"]


@pytest.mark.parametrize("token", ["https://e.com/abcdef", "@somebody_long", "#hashtag_that_is"])
def test_what_must_not_break_is_refused(token: str) -> None:
    with pytest.raises(CannotRender, match=r"cannot be split; shorten it\.$") as caught:
        parts(f"See {token}", 10)
    assert token in caught.value.reasons[0]


def test_too_many_posts_are_refused_with_the_number() -> None:
    with pytest.raises(CannotRender, match="10,000 of 10 characters needs more than 50 posts"):
        parts("word wo " * 1250, 10)
    with pytest.raises(CannotRender, match="11 of 2 characters needs more than 3 posts"):
        split("ab cd ef gh", at_most(2), RULES, numbering=False, max_parts=3)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Buy now. " * 70, 3),
        ("ha" * 300, 3),
        ("日本" * 278, 2),
        ("Yes.\n\n" * 90, 2),
        ("x" * 560, 3),
    ],
)
def test_no_part_says_the_same_as_another_where_other_ends_are(text: str, count: int) -> None:
    assert len({*parts(text, 280)}) < count
    found = cut(text, at_most(280), RULES, distinct=True)
    assert len({*found}) == len(found) == count
    assert "".join("".join(found).split()) == "".join(text.split())


def test_parts_that_must_be_alike_may_be() -> None:
    assert cut("a " * 30, at_most(3), RULES, distinct=True) == ["a a"] * 15
    assert cut("word " * 1000, at_most(140), RULES, distinct=True, max_parts=40) == (
        parts("word " * 1000, 140)
    )


def test_100_000_characters_are_quick(weighted: TextLimit) -> None:
    text = ("The fox sees https://example.com/a and @you, file.py 😀! " * 2000)[:100_000]
    started = time.process_time()
    found = split(text, [weighted], RULES, numbering=False, max_parts=1000)
    assert time.process_time() - started < 2  # 0.4 s on an idle machine
    assert all(weighted.counter.count(part) <= 280 for part in found)


WORDS = st.sampled_from(
    [
        "one",
        "two.",
        "Three!",
        "中文。",
        "คำ",
        "👨‍👩‍👧",
        "e\u0301",
        "https://e.com/a",
        "@you",
        "#tag",
        " ",
        " ",
        "\n",
        "\n\n",
        "\u00a0",
        "؟",
        "a.b",
        "(",
        ")",
        "word" * 8,
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=40).map("".join), st.integers(16, 60), st.booleans())
def test_nothing_but_white_space_is_lost(text: str, maximum: int, numbering: bool) -> None:
    try:
        found = split(text, at_most(maximum), RULES, numbering=numbering)
    except CannotRender:
        return
    if found == [text]:
        return
    assert all(len(part) <= maximum and part.strip() for part in found)
    if numbering and len(found) > 1:
        found = [part.removesuffix(f" ({n}/{len(found)})") for n, part in enumerate(found, 1)]
    assert "".join("".join(found).split()) == "".join(text.split())
    whole = regex.findall(r"\X", text)
    cut = [grapheme for part in found for grapheme in regex.findall(r"\X", part)]
    assert [g for g in cut if not g.isspace()] == [g for g in whole if not g.isspace()]
    inside = [entity.text for entity in RULES.detect(text)]
    assert all(any(entity in part for part in found) for entity in inside)

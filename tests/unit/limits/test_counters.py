"""Literal counts, worked out by hand from the networks' published rules (checked 2026-11-23)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.counters import (
    CodePoints,
    Counter,
    Graphemes,
    Utf8Bytes,
    Utf16Units,
    Weighted,
)
from postkit.limits.entities import EntityRules

FEDERATED = EntityRules(unicode_paths=True, mention="name@host")

COUNTERS: dict[str, Counter] = {
    # Code points of four ranges weigh 1, others 2; any link 23, also without a scheme.
    "weighted": Weighted(
        ranges=((0, 4351, 100), (8192, 8205, 100), (8208, 8223, 100), (8242, 8247, 100)),
        default_weight=200,
        url_length=23,
        emoji_weight=200,
        rules=EntityRules(bare_domains=True, short_host="t.co"),
        scale=100,
    ),
    # Graphemes; an http or https URL 23, a mention without its server.
    "federated": Graphemes(url_length=23, rules=FEDERATED, mention_local_only=True),
    "graphemes": Graphemes(),
    "bytes": Utf8Bytes(),
    "utf-16": Utf16Units(),
    "code points": CodePoints(),
}

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

VECTORS: tuple[tuple[str, str, int], ...] = (
    ("weighted", "", 0),
    ("weighted", "Hello", 5),
    ("weighted", "Hello, world! 👋", 16),
    ("weighted", "a\r\nb", 3),
    ("weighted", "a\n\nb", 4),
    ("weighted", "caf\xe9", 4),
    ("weighted", "cafe\u0301", 4),
    ("weighted", "Größe", 5),
    ("weighted", "Привет", 6),
    ("weighted", "日本", 4),
    ("weighted", "こんにちは", 10),
    ("weighted", "한국어", 6),
    ("weighted", "สวัสดี", 6),
    ("weighted", "नमस्ते", 6),
    ("weighted", "مرحبا", 5),
    ("weighted", "€", 2),
    ("weighted", "5 €", 4),
    ("weighted", "–", 1),
    ("weighted", "—", 1),
    ("weighted", "“Hi”", 4),
    ("weighted", "…", 2),
    ("weighted", "\u2032", 1),
    ("weighted", "‹", 2),
    ("weighted", "→", 2),
    ("weighted", "\u200d", 1),
    ("weighted", "😀", 2),
    ("weighted", "😀😀", 4),
    ("weighted", FAMILY, 2),
    ("weighted", "🇩🇪", 2),
    ("weighted", "🇩🇪🇫🇷", 4),
    ("weighted", "🇽🇽", 4),
    ("weighted", "1\ufe0f\u20e3", 2),
    ("weighted", "#\u20e3", 2),
    ("weighted", "👍🏽", 2),
    ("weighted", "😀🏽", 4),
    ("weighted", ENGLAND, 2),
    ("weighted", "❤\ufe0f", 2),
    ("weighted", "🏳\ufe0f\u200d🌈", 2),
    ("weighted", "👩🏻\u200d🤝\u200d👨🏿", 2),
    ("weighted", "👩\u200d🦊", 5),
    ("weighted", "©", 2),
    ("weighted", "see file.py now", 31),
    ("weighted", "see file.txt now", 16),
    ("weighted", "https://example.com/a/very/long/path?with=a&query=too", 23),
    ("weighted", "http://a.co", 23),
    ("weighted", "a https://example.com b", 27),
    ("weighted", "(https://example.com)", 25),
    ("weighted", "(https://example.com/a_(b))", 25),
    ("weighted", "https://example.com.", 24),
    ("weighted", "https://example.com/!?", 25),
    ("weighted", "example.com/a example.org", 47),
    ("weighted", "example.com:80", 26),
    ("weighted", "http://münchen.de/straße", 23),
    ("weighted", "http://日本語.jp", 23),
    ("weighted", "日本語.jp", 9),
    ("weighted", "日本example.com", 27),
    ("weighted", "https://example.comです", 27),
    ("weighted", "me@example.com", 14),
    ("weighted", "@user@example.social", 20),
    ("weighted", "https://t.co/abc/def", 27),
    ("weighted", "https://example.com/😀", 25),
    ("weighted", "a" * 280, 280),
    ("weighted", "a" * 281, 281),
    ("weighted", "日" * 140, 280),
    ("weighted", "日" * 140 + "a", 281),
    ("weighted", "a" * 256 + " example.com", 280),
    ("weighted", "a" * 257 + " example.com", 281),
    ("weighted", FAMILY * 140, 280),
    ("weighted", "\ud800", 2),
    ("weighted", "a\udfff.com", 7),
    ("federated", "", 0),
    ("federated", "a\r\nb", 3),
    ("federated", "cafe\u0301", 4),
    ("federated", "日本", 2),
    ("federated", "สวัสดี", 4),
    ("federated", "مرحبا", 5),
    ("federated", FAMILY, 1),
    ("federated", "🇩🇪🇫🇷", 2),
    ("federated", "🇩🇪🇫", 2),
    ("federated", "1\ufe0f\u20e3", 1),
    ("federated", "👍🏽", 1),
    ("federated", ENGLAND, 1),
    ("federated", "see file.py now", 15),
    ("federated", "example.com", 11),
    ("federated", "http://a.co", 23),
    ("federated", "https://example.com/" + "a" * 200, 23),
    ("federated", "https://example.com/путь/日本", 23),
    ("federated", "(https://example.com)", 25),
    ("federated", "https://example.com.", 24),
    ("federated", "@user@example.social hi", 8),
    ("federated", "@user hi", 8),
    ("federated", "@a@example.social @b@example.social", 5),
    ("federated", "me@example.com", 14),
    ("federated", "a" * 500, 500),
    ("federated", "a" * 501, 501),
    ("federated", "a" * 476 + " https://example.com/long/path", 500),
    ("federated", "\ud800", 1),
    ("graphemes", "a" * 300, 300),
    ("graphemes", "a" * 301, 301),
    ("graphemes", FAMILY * 300, 300),
    ("graphemes", FAMILY * 300 + "a", 301),
    ("graphemes", "https://example.com", 19),
    ("graphemes", "@alice.example.com", 18),
    ("graphemes", "\r\n\r\n", 2),
    ("graphemes", "\n\r", 2),
    ("graphemes", "각", 1),
    ("graphemes", "\u1100\u1161\u11a8", 1),
    ("graphemes", "नमस्ते", 3),
    ("graphemes", "e\u0301\u0327x", 2),
    ("graphemes", "日\ud800本", 3),
    ("bytes", "caf\xe9", 5),
    ("bytes", "cafe\u0301", 6),
    ("bytes", "€", 3),
    ("bytes", "😀", 4),
    ("bytes", FAMILY, 25),
    ("bytes", "\r\n", 2),
    ("bytes", "a" * 3000, 3000),
    ("bytes", "a" * 3001, 3001),
    ("bytes", "日" * 1000, 3000),
    ("bytes", "日" * 1000 + "a", 3001),
    ("bytes", "\ud800", 3),
    ("utf-16", "Hello", 5),
    ("utf-16", "日", 1),
    ("utf-16", "😀", 2),
    ("utf-16", "🇩🇪", 4),
    ("utf-16", FAMILY, 11),
    ("utf-16", "a\r\nb", 4),
    ("utf-16", "\ud800", 1),
    ("code points", "cafe\u0301", 5),
    ("code points", "👍🏽", 2),
    ("code points", FAMILY, 7),
    ("code points", "\r\n", 2),
    ("code points", "\ud83d\ude00", 2),
)


@pytest.mark.parametrize(("counter", "text", "expected"), VECTORS)
def test_vector(counter: str, text: str, expected: int) -> None:
    assert COUNTERS[counter].count(text) == expected


def test_the_table_is_as_long_as_promised() -> None:
    assert len(set(VECTORS)) == len(VECTORS) >= 70


@pytest.mark.parametrize("counter", [CodePoints, Utf16Units, Utf8Bytes, Graphemes])
def test_every_counter_takes_the_rules(counter: type[Graphemes]) -> None:
    shortened = counter(url_length=23, rules=FEDERATED, mention_local_only=True)
    assert shortened.count("@user@example.social https://example.com/" + "日" * 99) == 29


def test_rules_alone_change_nothing() -> None:
    assert Graphemes(rules=FEDERATED).count("https://example.com @a@b.com") == 28


def test_without_emoji_weight_each_code_point_weighs() -> None:
    plain = Weighted(((0, 4351, 1),), 2, 23, None, EntityRules())
    assert plain.count(FAMILY) == 4 * 2 + 3 * 2


def test_without_nfc_the_text_counts_as_written() -> None:
    plain = Weighted(((0, 4351, 1),), 2, 23, None, EntityRules(), nfc=False)
    assert plain.count("cafe\u0301\r\n") == 7


def test_the_sum_is_rounded_down() -> None:
    assert Weighted((), 3, 23, None, EntityRules(), scale=2).count("abc") == 4


def test_words_for_messages() -> None:
    assert [(c.name, c.unit) for c in COUNTERS.values()] == [
        ("weighted", "weighted characters"),
        ("graphemes", "graphemes"),
        ("graphemes", "graphemes"),
        ("utf-8", "bytes"),
        ("utf-16", "UTF-16 units"),
        ("code points", "characters"),
    ]


def test_a_url_length_without_rules_is_refused() -> None:
    with pytest.raises(ValueError, match="need rules that find the entities"):
        Graphemes(url_length=23)


@pytest.mark.parametrize("ranges", [((5, 4, 1),), ((0, 9, 1), (9, 12, 1)), ((0, 0x110000, 1),)])
def test_ranges_out_of_order_are_refused(ranges: tuple[tuple[int, int, int], ...]) -> None:
    with pytest.raises(ValueError, match="in order and apart"):
        Weighted(ranges, 2, 23, 2, EntityRules())


def test_a_scale_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="scale is 0"):
        Weighted((), 2, 23, 2, EntityRules(), scale=0)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=60))
def test_any_text_is_counted(text: str) -> None:
    for counter in COUNTERS.values():
        assert 0 <= counter.count(text) <= 25 * len(text)


@pytest.mark.parametrize("piece", ["🇩", "👩\u200d", "e\u0301", "日", "a.com "])
def test_long_texts_are_counted_in_time(piece: str) -> None:
    text = piece * 50_000
    for counter in COUNTERS.values():
        assert counter.count(text) > 0


def test_counting_ascii_loads_no_grapheme_engine() -> None:
    program = (
        "import sys\n"
        "from postkit.limits.counters import Graphemes\n"
        "assert Graphemes().count('plain') == 5\n"
        "assert 'regex' not in sys.modules\n"
        "assert Graphemes().count('e\\u0301') == 1\n"
        "assert 'regex' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)

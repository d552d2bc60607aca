"""Literal counts for the tables that the plugins really use, worked out by hand.

From twitter-text's configuration v3, Mastodon's StatusLengthValidator and Bluesky's lexicon
(checked 2026-11-23). A vector for a counter proves nothing of a plugin that sets it up otherwise.
"""

from __future__ import annotations

from functools import cache

import pytest

from postkit.limits.model import TextLimit
from postkit.plugins import Plugins

X: tuple[tuple[str, int], ...] = (
    ("ა", 1),  # U+10D0, below 4352
    ("\u1100", 2),  # U+1100 is 4352
    ("\u2010", 1),
    ("\u200e", 2),  # between the second range and the third
    ("\u2020", 2),
    ("\u2037\u2038", 3),
    ("A\u030a", 1),
    ("\u1100\u1161", 2),  # composed to one syllable
    ("e\u0302\u0301", 2),  # composed to U+1EBF
    ("\ufb01", 2),
    ("🧑\u200d🚀", 2),
    ("👨🏿\u200d🦰", 2),
    ("👩\u200d❤\ufe0f\u200d💋\u200d👨", 2),
    ("a☺\ufe0fb", 4),
    ("™", 2),
    ("®", 2),
    ("#\ufe0f\u20e3", 2),
    ("🇩🇪🇩🇪🇩🇪", 6),
    ("👍🏽👍", 4),
    ("www.example.com", 23),
    ("EXAMPLE.COM", 23),
    ("example.com, example.org", 48),
    ("https://example.com/?q=a,b", 23),
    ("https://example.com/a.", 24),
    ("https://example.com:8080/x", 23),
    ("ftp://example.com", 17),
    ("http://localhost:8000", 21),
    ("example.invalidtld", 18),
    ("user.name@example.com", 21),
    ("日本語https://example.com", 29),
    ("a\tb", 3),
    ("\u3000", 2),
    ("$TWTR #tag @you", 15),
)
MASTODON: tuple[tuple[str, int], ...] = (
    ("@you@example.social: hi", 8),
    ("@a@b.example @c", 5),
    ("https://example.com/a, b", 26),
    ("http://a.co http://b.co", 47),
    ("https://example.com/?a=1&b=2", 23),
    ("ftp://example.com", 17),
    ("see example.com/aaaa", 20),
    ("e\u0301\u0301", 1),
    ("a" + "\u0301" * 1000, 1),
    ("\r\n", 1),
    ("#日本", 3),
    ("👩\u200d👩\u200d👧", 1),
    ("🇩🇪🇩🇪🇩", 3),
)
BLUESKY: tuple[tuple[str, int, int], ...] = (
    ("👍🏽", 1, 8),
    ("e\u0301", 1, 3),
    ("\r\n", 1, 2),
    ("\u1112\u1161\u11ab", 1, 9),
    ("น้ำ", 1, 9),
    ("ß", 1, 2),
    ("𝒳", 1, 4),
    ("https://example.com/x", 21, 21),
    ("@a.example.com 日本", 17, 21),
    ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1, 28),
    ("a" + "\u0301" * 1000, 1, 2001),
    ("", 0, 0),
)


@cache
def limits(network: str) -> tuple[TextLimit, ...]:
    return Plugins().network(network).limits.text


@pytest.mark.parametrize(("text", "count"), X)
def test_x(text: str, count: int) -> None:
    assert [limit.counter.count(text) for limit in limits("x")] == [count]


@pytest.mark.parametrize(("text", "count"), MASTODON)
def test_mastodon(text: str, count: int) -> None:
    assert [limit.counter.count(text) for limit in limits("mastodon")] == [count]


@pytest.mark.parametrize(("text", "graphemes", "size"), BLUESKY)
def test_bluesky(text: str, graphemes: int, size: int) -> None:
    assert [limit.counter.count(text) for limit in limits("bluesky")] == [graphemes, size]


def test_the_maxima_are_those_of_the_fact_sheets() -> None:
    assert [limit.maximum for limit in limits("x")] == [280]
    assert [limit.maximum for limit in limits("mastodon")] == [500]
    assert [limit.maximum for limit in limits("bluesky")] == [300, 3000]

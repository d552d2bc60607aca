"""Weighted counts and links, compared with twitter-text-parser, a test-only dependency.

The parser stands for the published rules, but for three places that the corpora leave out:

- its list of emoji is version 12 of 2019: a sequence that Unicode added later is several
  characters there and one emoji here (``test_newer_emoji_are_one``);
- it compiles the rules with Python's IGNORECASE, under which U+0130, U+0131, U+017F and U+212A
  are ASCII letters; in the original, written in JavaScript, they are not;
- where a bare domain is followed by letters of another script, a second ending and a path
  ("foo.com日.jp/path"), it steps over fewer characters than the link it reports has.

It raises UnicodeEncodeError for a lone surrogate, which is counted here as text.
"""

from __future__ import annotations

import unicodedata
import warnings

from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.counters import Weighted
from postkit.limits.entities import EntityRules

from .corpus import PIECES, corpus

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from twitter_text import parse_tweet
    from twitter_text.extract_urls import extract_urls_with_indices

COUNTER = Weighted(
    ranges=((0, 4351, 100), (8192, 8205, 100), (8208, 8223, 100), (8242, 8247, 100)),
    default_weight=200,
    url_length=23,
    emoji_weight=200,
    rules=EntityRules(bare_domains=True, short_host="t.co"),
    scale=100,
)

FOLDED = frozenset("\u0130\u0131\u017f\u212a")


def weight(text: str) -> int:
    length = parse_tweet(text).weightedLength
    assert isinstance(length, int)
    return length


def left_out(text: str, *, composed: bool = True) -> bool:
    if composed:
        text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    return not FOLDED.isdisjoint(text) or any(
        len(link["url"]) != link["indices"][1] - link["indices"][0]
        for link in extract_urls_with_indices(text)
    )


def links(text: str) -> list[tuple[str, int, int]]:
    return [(e.text, e.start, e.end) for e in COUNTER.rules.urls_in(text)]


def published_links(text: str) -> list[tuple[str, int, int]]:
    return [(link["url"], *link["indices"]) for link in extract_urls_with_indices(text)]


def test_seeded_corpus() -> None:
    texts = [text for text in corpus(20261123, 6000) if not left_out(text)]
    assert len(texts) > 5800
    wrong = {t: (COUNTER.count(t), weight(t)) for t in texts if COUNTER.count(t) != weight(t)}
    assert wrong == {}
    # Links are found in a text as it is, weights are those of its composed form.
    texts = [text for text in texts if not left_out(text, composed=False)]
    assert len(texts) > 5700
    assert {text: links(text) for text in texts if links(text) != published_links(text)} == {}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_pieces(text: str) -> None:
    assert left_out(text) or COUNTER.count(text) == weight(text)
    assert left_out(text, composed=False) or links(text) == published_links(text)


# Code points that the parser's old emoji list cannot be wrong about, even by chance.
PLAIN = st.characters(exclude_categories=["Cs"], max_codepoint=0x1F1E5)


@settings(max_examples=300, deadline=None)
@given(st.text(PLAIN, max_size=80))
def test_any_text(text: str) -> None:
    assert left_out(text) or COUNTER.count(text) == weight(text)


def test_newer_emoji_are_one() -> None:
    feeding = "👨\u200d🍼"
    assert COUNTER.count(feeding) == 2
    assert weight(feeding) == 5


def test_folded_letters_are_not_ascii() -> None:
    assert COUNTER.count("co.uk\u0130") == 24
    assert weight("co.uk\u0130") == 6


def test_link_with_a_second_ending() -> None:
    assert COUNTER.count("foo.com日.jp/path") == 23
    assert weight("foo.com日.jp/path") == 27

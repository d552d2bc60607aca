"""Numbers and counts by hand, from the lexicons (bluesky-social/atproto of 2026-08-20)."""

from __future__ import annotations

import pytest
from postkit_bluesky.facets import facets_of
from postkit_bluesky.limits import LIMITS, RULES
from postkit_bluesky.tid import encode, new_tid

from postkit.post import REPLIES

GRAPHEMES, BYTES = (limit.counter for limit in LIMITS.text)


def test_the_numbers() -> None:
    assert [(limit.counter.unit, limit.maximum) for limit in LIMITS.text] == [
        ("graphemes", 300),
        ("bytes", 3000),
    ]
    assert LIMITS.image is not None
    assert (LIMITS.media_count, LIMITS.image.max_bytes) == (4, 2_000_000)
    assert LIMITS.alt is not None
    assert (LIMITS.alt.maximum, LIMITS.alt.source.verified) == (2000, False)
    assert (LIMITS.languages, LIMITS.max_tags) == (3, 8)
    assert (LIMITS.threads, LIMITS.poll, LIMITS.title) == (True, None, None)
    assert LIMITS.replies == REPLIES
    assert (LIMITS.visibility, LIMITS.content_warning) == ((), False)


@pytest.mark.parametrize(
    ("text", "graphemes", "size"),
    [
        ("Hello", 5, 5),
        ("Grüße", 5, 7),
        ("日本語", 3, 9),
        ("👩‍👩‍👧‍👦", 1, 25),
        ("🇩🇪🇫🇷", 2, 16),
        ("👍🏽", 1, 8),
        ("e\u0301", 1, 3),
        ("a\r\nb", 3, 4),
        ("https://example.com/a-long-path", 31, 31),
        ("नमस्ते", 3, 18),
        ("", 0, 0),
    ],
)
def test_counts(text: str, graphemes: int, size: int) -> None:
    assert (GRAPHEMES.count(text), BYTES.count(text)) == (graphemes, size)


def nobody(handle: str) -> str | None:
    return None


def somebody(handle: str) -> str | None:
    return f"did:plc:{handle}"


@pytest.mark.parametrize(
    ("text", "start", "end", "value"),
    [
        ("see https://a.example/x.", 4, 23, "https://a.example/x"),
        ("see example.com now", 4, 15, "https://example.com"),
        ("see file.py now", 4, 11, "https://file.py"),
        ("(example.com/a)", 1, 14, "https://example.com/a"),
        ("é example.com", 3, 14, "https://example.com"),
        ("👩‍👩‍👧‍👦 example.com", 26, 37, "https://example.com"),
        ("HTTPS://Example.com", 0, 19, "HTTPS://Example.com"),
        ("日本 #語", 7, 11, "語"),
        ("#Zürich!", 0, 8, "Zürich"),
        ("hi @Name.bsky.social", 3, 20, "did:plc:name.bsky.social"),
        ("hi @name.bsky.social.", 3, 20, "did:plc:name.bsky.social"),
    ],
)
def test_one_facet(text: str, start: int, end: int, value: str) -> None:
    (facet,) = facets_of(text, somebody)
    assert facet["index"] == {"byteStart": start, "byteEnd": end}
    (feature,) = facet["features"]
    assert [v for k, v in feature.items() if k != "$type"] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "no link in file.txt here",
        "mail me@example.com",
        "item #1 of 3",
        "@name is no handle",
        "#" + "t" * 65,
        "a#b",
        "@known.example",
    ],
)
def test_no_facet(text: str) -> None:
    assert facets_of(text, nobody) == []


def test_the_longest_hashtag() -> None:
    (facet,) = facets_of("#" + "t" * 64, nobody)
    assert facet["features"][0]["tag"] == "t" * 64


@pytest.mark.parametrize("tag", ["＃新版", "#2027goals", "#größe", "#🚀"])
def test_hashtags_of_any_script(tag: str) -> None:
    (facet,) = facets_of(f"See {tag}, soon", nobody)
    assert facet["features"][0]["tag"] == tag[1:]


def test_entities_are_what_is_never_cut() -> None:
    found = RULES.detect("a @b.test #c https://d.example e.com")
    assert [entity.kind for entity in found] == ["mention", "hashtag", "url", "url"]


@pytest.mark.parametrize(
    ("microseconds", "clock_id", "text"),
    [
        (0, 0, "2222222222222"),
        (0, 1, "2222222222223"),
        (0, 1023, "22222222222zz"),
        (1, 0, "2222222222322"),
        (2**53 - 1, 1023, "bzzzzzzzzzzzz"),
    ],
)
def test_record_keys_by_hand(microseconds: int, clock_id: int, text: str) -> None:
    assert encode(microseconds, clock_id) == text


def test_a_known_record_key() -> None:
    # 2023-01-01T00:00:00Z is 1672531200 s: 1672531200000000 << 10 in base 32.
    number, digits = 1672531200000000 << 10, ""
    for _ in range(13):
        number, digit = divmod(number, 32)
        digits = "234567abcdefghijklmnopqrstuvwxyz"[digit] + digits
    assert encode(1672531200000000, 0) == digits


def test_record_keys_grow_and_never_repeat() -> None:
    keys = [new_tid() for _ in range(5000)]
    assert keys == sorted(set(keys))
    assert {len(key) for key in keys} == {13}
    assert all(key[0] in "234567abcdefghij" for key in keys)

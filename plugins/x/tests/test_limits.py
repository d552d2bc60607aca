"""Numbers and counts by hand, from X's documentation (checked 2026-11-23)."""

from __future__ import annotations

import pytest
from postkit_x.limits import COUNTER, LIMITS, RULES

from postkit.limits.entities import Kind

VECTORS = (
    ("a" * 280, 280),
    ("Hello, world! 👋", 16),
    ("see file.py now", 31),
    ("https://example.com/a/very/long/path?with=a&query=string#and-a-fragment", 23),
    ("example.com", 23),
    ("(example.com)", 25),
    ("https://example.com https://example.org", 47),
    ("日本", 4),
    ("한국어", 6),
    ("cafe\u0301", 4),
    ("Größe", 5),
    ("„Zitat“ – so", 12),
    ("20 €", 5),
    ("👨\u200d👩\u200d👧\u200d👦", 2),
    ("🇩🇪🇫🇷", 4),
    ("👍🏽", 2),
    ("a\r\nb", 3),
    ("", 0),
)


@pytest.mark.parametrize(("text", "count"), VECTORS)
def test_weighted_count(text: str, count: int) -> None:
    assert COUNTER.count(text) == count


def test_numbers() -> None:
    assert [(limit.maximum, limit.counter.name) for limit in LIMITS.text] == [(280, "weighted")]
    assert LIMITS.media_count == 4
    assert LIMITS.image is not None
    assert LIMITS.image.max_bytes == 5_000_000
    assert LIMITS.image.mime_types == ("image/jpeg", "image/png", "image/webp")
    assert LIMITS.alt is not None
    assert (LIMITS.alt.maximum, LIMITS.alt.counter.name) == (1000, "code points")
    poll = LIMITS.poll
    assert poll is not None
    assert (poll.min_options, poll.max_options, poll.max_option_length) == (2, 4, 25)
    assert (poll.min_minutes, poll.max_minutes) == (5, 7 * 24 * 60)
    assert not poll.multiple
    assert not poll.with_media
    assert LIMITS.threads
    assert LIMITS.title is None


def test_prices_and_rates() -> None:
    prices = {price.what.split(" (")[0]: price.amount for price in LIMITS.prices}
    assert prices == {
        "post": 0.015,
        "post with a link": 0.20,
        "alt text": 0.005,
        "own post read": 0.001,
        "deletion": 0.010,
    }
    assert {price.currency for price in LIMITS.prices} == {"USD"}
    first = LIMITS.rates[0]
    assert (first.calls, first.seconds) == (100, 15 * 60)


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("buy $TWTR now", "cashtag", ["$TWTR"]),
        ("$5 is no cashtag", "cashtag", []),
        ("hi @some_one!", "mention", ["@some_one"]),
        ("mail me@example.com", "mention", []),
        ("#launch day", "hashtag", ["#launch"]),
        ("no #1", "hashtag", []),
        ("go to example.com/x.", "url", ["example.com/x"]),
    ],
)
def test_entities(text: str, kind: Kind, found: list[str]) -> None:
    assert [e.text for e in RULES.detect(text) if e.kind == kind] == found


def test_every_source_is_dated() -> None:
    sources = [LIMITS.source, *(limit.source for limit in LIMITS.text)]
    sources += [*(rate.source for rate in LIMITS.rates), *(p.source for p in LIMITS.prices)]
    assert {source.checked.isoformat() for source in sources} == {"2026-11-23"}

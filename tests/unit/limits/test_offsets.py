"""Offsets of entities in the three units, worked out by hand and compared with whole encodings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.entities import Entity, EntityRules
from postkit.limits.offsets import Unit, spans

RULES = EntityRules(bare_domains=True, mention="name", hashtags=True, cashtags=True)

# Text, then the entity's span in code points, UTF-16 units and bytes.
VECTORS: tuple[tuple[str, tuple[int, int], tuple[int, int], tuple[int, int]], ...] = (
    ("plain example.com", (6, 17), (6, 17), (6, 17)),
    ("é😀 https://example.com/ 日", (3, 23), (4, 24), (7, 27)),
    ("e\u0301\u0327 @you", (4, 8), (4, 8), (6, 10)),
    ("👩\u200d🚀👍🏽 #tag", (6, 10), (10, 14), (20, 24)),
    ("日本語 #新版 です", (4, 7), (4, 7), (10, 17)),
    ("مرحبا @you شكرا", (6, 10), (6, 10), (11, 15)),
    ("\u2067שלום\u2069 $ABC ...", (7, 11), (7, 11), (15, 19)),
    ("🇩🇪 http://münchen.de/ß", (3, 22), (5, 24), (9, 30)),
    ("𝒳𝒴 #𝒳𝒴", (3, 6), (5, 10), (9, 18)),
    ("\ud800 example.com", (2, 13), (2, 13), (4, 15)),
    ("#हिन्दी", (0, 7), (0, 7), (0, 19)),
)


@pytest.mark.parametrize(("text", "points", "units", "octets"), VECTORS)
def test_vector(
    text: str, points: tuple[int, int], units: tuple[int, int], octets: tuple[int, int]
) -> None:
    found = RULES.detect(text)
    assert spans(text, found, "code points") == [points]
    assert spans(text, found, "utf-16") == [units]
    assert spans(text, found, "utf-8") == [octets]


PIECES = st.sampled_from(
    (
        "@you ",
        "#tag ",
        "$ABC ",
        "a.com ",
        "😀",
        "é",
        "e\u0301",
        "日",
        "ש",
        "\u2067",
        "👩\u200d🚀",
        " ",
    )
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_each_span_holds_the_entity(text: str) -> None:
    found = RULES.detect(text)
    octets, units = text.encode(), text.encode("utf-16-le")
    for entity, (start, end) in zip(found, spans(text, found, "utf-8"), strict=True):
        assert octets[start:end].decode() == entity.text
    for entity, (start, end) in zip(found, spans(text, found, "utf-16"), strict=True):
        assert units[2 * start : 2 * end].decode("utf-16-le") == entity.text
    assert spans(text, found, "code points") == [(e.start, e.end) for e in found]


def test_a_hundred_thousand_entities_are_looked_at_once() -> None:
    text = "😀 @you " * 100_000
    found = RULES.detect(text)
    # Where each span began at the text's beginning, this would be 80 billion bytes.
    assert spans(text, found, "utf-8")[-1] == (10 * 100_000 - 5, 10 * 100_000 - 1)


def test_entities_out_of_order_are_refused() -> None:
    found = [Entity("mention", 5, 9, "@two"), Entity("mention", 0, 4, "@one")]
    with pytest.raises(ValueError, match="'@one' at 0 is not in order"):
        spans("@one @two", found, "utf-8")


def test_an_unknown_unit_is_refused() -> None:
    unit: Unit = "words"  # type: ignore[assignment]  # what a caller without types may give
    with pytest.raises(ValueError, match="take 'code points', 'utf-16' or 'utf-8'"):
        spans("", (), unit)

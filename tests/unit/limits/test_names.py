"""Mentions, lists, hashtags and cashtags of twitter-text 3: by hand, and against a second reading.

Left out of the comparison: letters and digits that Unicode changed or added after version 8, of
which the published lists are (2015); here they are those of the ``regex`` package (17.0).
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.entities import EntityRules

from .corpus import PIECES, corpus
from .second_reading import Found, entities

RULES = EntityRules(
    bare_domains=True, short_host="t.co", mention="name", hashtags=True, cashtags=True
)

# From the published patterns, worked out by hand (twitter/twitter-text 3.1.0, 2026-11-29).
BY_HAND: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("@you @You_2, @3", ("@you", "@You_2", "@3")),
    ("見て@youさん", ("@you",)),
    ("＠you", ("＠you",)),
    ("@" + "a" * 25, ("@" + "a" * 20,)),
    ("@youé @you@ @you://", ()),
    ("@you\u0301 @youʻ @youẞ @youß", ()),
    ("@youж", ("@you",)),
    ("RT@you rt@me Rt:@us", ("@you", "@me", "@us")),
    ("aRT@you .RT@me ART:@us", ("@us",)),
    ("a@b !@b #@b &@b *@b _@b", ()),
    ("-@b .@b /@b (@b", ("@b", "@b", "@b", "@b")),
    ("@you/list @you/7list", ("@you/list", "@you")),
    ("@you/a-_1/b", ("@you/a-_1",)),
    ("@you/" + "l" * 30, ("@you/" + "l" * 25,)),
    ("@you/a-@me @me", ("@me",)),
    ("@you/team.com", ("@you/team",)),
    ("#tag ＃tag #1tag #t_1", ("#tag", "＃tag", "#1tag", "#t_1")),
    ("#1 #_ #1_2 #〃 ##tag", ("#tag",)),
    ("a#tag &#tag 日#tag", ()),
    ("/#tag .#tag !#tag ’#tag", ("#tag", "#tag", "#tag", "#tag")),
    ("#one#two", ()),
    ("#one://x #two", ("#two",)),
    ("☀\ufe0f#tag ✌\ufe0e#tag 👍🏽#tag", ("#tag", "#tag", "#tag")),
    ("#\ufe0f\u20e3 #\u20e3", ()),
    ("#メ～テレ #メ〜テレ #各〃", ("#メ～テレ", "#メ〜テレ", "#各〃")),
    ("#עַל־יְדֵי #וכו׳ #מ״כ", ("#עַל־יְדֵי", "#וכו׳", "#מ״כ")),
    ("#བོད་སྐད་ #หนังสือ #हिन्दी", ("#བོད་སྐད་", "#หนังสือ", "#हिन्दी")),
    ("#il·lusió #میخواهم", ("#il·lusió", "#میخواهم")),
    ("#\U00020021 #A\U000104a0", ("#\U00020021", "#A\U000104a0")),
    ("$ABC $abc.d $A_bc $ABCDEF", ("$ABC", "$abc.d", "$A_bc", "$ABCDEF")),
    ("$ABCDEFG $1 $A1 a$A .$A $株 $A株", ()),
    ("$ABC_ $ABC. $ABC-", ("$ABC", "$ABC", "$ABC")),
    ("$ABC.def $ABC_de_", ("$ABC", "$ABC_de")),
    ("$OK$NG", ("$OK",)),
    ("\u3000$A \x85$B", ("$A", "$B")),
    ("$A\ufeff $B\x85", ("$A",)),
    ("https://example.com/@you#tag $ABC", ("https://example.com/@you#tag", "$ABC")),
    ("@example.com #example.com $A.CA", ("@example", "#example", "$A.CA")),
)


@pytest.mark.parametrize(("text", "expected"), BY_HAND)
def test_by_hand(text: str, expected: tuple[str, ...]) -> None:
    assert tuple(entity.text for entity in RULES.detect(text)) == expected


@pytest.mark.parametrize(("text", "expected"), BY_HAND)
def test_the_second_reading_by_hand(text: str, expected: tuple[str, ...]) -> None:
    assert tuple(text[start:end] for _, start, end in entities(text, urls(text))) == expected


def urls(text: str) -> list[Found]:
    return [("url", entity.start, entity.end) for entity in RULES.urls_in(text)]


def detected(text: str) -> list[Found]:
    return [(entity.kind, entity.start, entity.end) for entity in RULES.detect(text)]


SIGNS = (
    *("@", "@", "@", "＠", "#", "#", "＃", "$", "$", "RT", "rt", "/", "/", "-", "_", ".", "&", "!"),
    *("a", "Bc", "name", "list", "1", "22", "é", "ʻ", "\u0301", "日本", "ー", "〃", "・", "ж", "ß"),
    *("://", ":", " ", " ", " ", "\n", "\x85", "\xa0", "\ufeff", "\u3000", "\u180e", "~", "+", "*"),
    *(
        "\ufe0f",
        "\ufe0e",
        "\u20e3",
        "\u200d",
        "😀",
        "☀\ufe0f",
        "😀🏽",
        "नम",
        "\u094d",
        "שָ",
        "־",
        "་",
    ),
)


def test_seeded_corpora() -> None:
    chance = random.Random(20261129)
    texts = ["".join(chance.choices(SIGNS, k=chance.randint(1, 30))) for _ in range(20_000)]
    texts += corpus(20261129, 5000)
    compared = {text: entities(text, urls(text)) for text in texts}
    kinds = {kind for found in compared.values() for kind, _, _ in found}
    assert kinds == {"url", "mention", "list", "hashtag", "cashtag"}
    assert {text: found for text, found in compared.items() if detected(text) != found} == {}


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES + SIGNS), max_size=30).map("".join))
def test_pieces(text: str) -> None:
    assert detected(text) == entities(text, urls(text))


# Unassigned code points may be letters by now, for one of the two.
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0xFFFF)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(SIGNS) | st.text(ASSIGNED, max_size=3), max_size=30).map("".join))
def test_any_text(text: str) -> None:
    assert detected(text) == entities(text, urls(text))


def test_a_federated_server_has_no_hashtag_behind_a_slash() -> None:
    rules = EntityRules(unicode_paths=True, hashtags=True)
    assert [entity.text for entity in rules.detect("/#no #yes #メ～")] == ["#yes", "#メ"]

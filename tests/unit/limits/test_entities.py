"""Where entities begin and end, under rules as plugins declare them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postkit.limits.entities import Entity, EntityRules

BARE = EntityRules(
    bare_domains=True, short_host="s.co", mention="name", hashtags=True, cashtags=True
)
SCHEMES = EntityRules(unicode_paths=True, mention="name@host", hashtags=True)
SPACED = EntityRules(
    bare_domains=True, edges="spaced", mention="host", hashtags=True, hashtag_max=65
)
ALL = {"bare": BARE, "schemes": SCHEMES, "spaced": SPACED}

FOUND: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("bare", "see file.py now", ("file.py",)),
    ("bare", "https://example.com/a?b=c#d.", ("https://example.com/a?b=c#d",)),
    ("bare", "(https://example.com/a_(b))", ("https://example.com/a_(b)",)),
    ("bare", "https://example.com/a(b", ("https://example.com/a",)),
    ("bare", "https://example.com:8080/x", ("https://example.com:8080/x",)),
    ("bare", "example.com:8080", ("example.com",)),
    ("bare", "example.com?q=1", ("example.com",)),
    ("bare", "example.com/?q=1", ("example.com/?q=1",)),
    ("bare", "見てexample.comで", ("example.com",)),
    ("bare", "見てhttps://example.com/のページ", ("https://example.com/",)),
    ("bare", "http://日本語.jp", ("http://日本語.jp",)),
    ("bare", "日本語.jp", ()),
    ("bare", "http://пример.рф/путь", ("http://пример.рф/путь",)),
    ("bare", "me@example.com", ()),
    ("bare", "first.last@example.com", ()),
    ("bare", "example.invalidtld", ()),
    ("bare", "http://localhost/a", ()),
    ("bare", "www.example.co.uk, ok", ("www.example.co.uk",)),
    ("bare", "a_b.example.com", ("b.example.com",)),
    ("bare", "http://a_b.example.com", ("http://a_b.example.com",)),
    ("bare", "-example.com", ()),
    ("bare", "https://s.co/abc/def", ("https://s.co/abc",)),
    ("bare", "https://s.co/" + "a" * 41, ()),
    ("bare", f"http://{'a' * 64}.com", ()),
    ("bare", "http://example.com/" + "a" * 5000, ()),
    ("bare", "hi @someone, #Tag1 #123 and $ABC", ("@someone", "#Tag1", "$ABC")),
    ("bare", "a@someone x#tag $1", ()),
    ("bare", "https://example.com/@someone#tag", ("https://example.com/@someone#tag",)),
    ("bare", "#हिन्दी", ("#हिन्दी",)),
    ("schemes", "see file.py and https://example.com/", ("https://example.com/",)),
    ("schemes", "https://example.com/путь/日本 x", ("https://example.com/путь/日本",)),
    ("schemes", "“https://example.com/a”", ("https://example.com/a”",)),
    ("schemes", "@user@social.example.org.", ("@user@social.example.org",)),
    ("schemes", "@user hi a@user.com", ("@user",)),
    ("schemes", "@us.er-name@ex.org", ("@us.er-name@ex.org",)),
    (
        "spaced",
        "example.com, and (https://example.org/a_(b)).",
        ("example.com", "https://example.org/a_(b)"),
    ),
    ("spaced", "https://example.com/a).", ("https://example.com/a",)),
    ("spaced", "my-site.com/x?y=1!", ("my-site.com/x?y=1",)),
    ("spaced", "first.last@example.com node.js", ()),
    ("spaced", "bücher.de example.com:80/a", ("bücher.de", "example.com:80/a")),
    ("spaced", "http://localhost:8000/a", ("http://localhost:8000/a",)),
    ("spaced", "@alice.example.com. @bob @carol.test", ("@alice.example.com", "@carol.test")),
    ("spaced", "@alice.com@bob.com", ()),
    ("spaced", "#tag, #1 a#b #a-b- #" + "a" * 65, ("#tag", "#a-b")),
    ("spaced", "＃tag #2a #1-2 a＃b #_", ("＃tag", "#2a")),
)


@pytest.mark.parametrize(("rules", "text", "expected"), FOUND)
def test_found(rules: str, text: str, expected: tuple[str, ...]) -> None:
    assert tuple(entity.text for entity in ALL[rules].detect(text)) == expected


def test_kinds_and_offsets() -> None:
    assert BARE.detect("é @you example.com #x $A") == (
        Entity("mention", 2, 6, "@you"),
        Entity("url", 7, 18, "example.com"),
        Entity("hashtag", 19, 21, "#x"),
        Entity("cashtag", 22, 24, "$A"),
    )


def test_own_mention_pattern() -> None:
    rules = EntityRules(urls=False, mention=r"<@\d+>")
    assert rules.detect("<@12> https://example.com @x") == (Entity("mention", 0, 5, "<@12>"),)


def test_wrong_mention_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mention is '\('; take one of name, name@host, host"):
        EntityRules(mention="(")


def test_wrong_edges_are_refused() -> None:
    with pytest.raises(ValueError, match="take 'embedded' or 'spaced'"):
        EntityRules(edges="round")  # type: ignore[arg-type]


def test_local_part() -> None:
    assert Entity("mention", 0, 9, "@user@a.b").local == "@user"
    assert Entity("mention", 0, 5, "@user").local == "@user"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(tuple(ALL)),
    st.lists(
        st.sampled_from(
            (
                "http://",
                "a",
                ".com",
                ".",
                "/",
                "(",
                ")",
                "@",
                "#",
                "$",
                " ",
                "日",
                "é",
                "-",
                "_",
                "\ud800",
                "😀",
            )
        ),
        max_size=25,
    ).map("".join),
)
def test_sorted_apart_and_true(rules: str, text: str) -> None:
    end = 0
    for entity in ALL[rules].detect(text):
        assert end <= entity.start < entity.end <= len(text)
        assert text[entity.start : entity.end] == entity.text
        end = entity.end


@pytest.mark.parametrize("rules", tuple(ALL))
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a_",
        "日",
        "a.",
        "日.",
        ".a",
        "a.com/(",
        "http://",
        "@a",
        "@a.",
        "#1",
        "a(",
        "a.a@",
        "_日",
        "$a ",
    ],
)
def test_long_texts_take_no_longer_than_their_length(rules: str, piece: str) -> None:
    # About a second; where the cost is the square of the length it takes minutes.
    started = time.perf_counter()
    ALL[rules].detect("http://a.com/" + piece * 50_000)
    ALL[rules].detect(piece * 50_000)
    assert time.perf_counter() - started < 20

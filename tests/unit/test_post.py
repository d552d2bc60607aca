"""What a Post refuses to be made of: each problem is one sentence, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import InputError
from postkit.post import Media, Part, Poll, Post, Settings

LOOSE: Any = Post
ANY_POLL: Any = Poll


def problems(make: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        make()
    return " ".join(caught.value.problems)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        # A text is a sequence of letters, and would be taken apart.
        (lambda: Post("a", tags="news"), "tags takes a list of texts"),
        (lambda: Post("a", to="x"), "to takes a list of texts"),
        (lambda: ANY_POLL("ab"), "poll options takes a list of texts"),
        (lambda: LOOSE("a", tags=[3]), "tags takes a list of texts"),
        (lambda: ANY_POLL(("a", "b"), minutes="60"), "poll: minutes is '60'; give a whole number."),
        (lambda: ANY_POLL(("a", "b"), minutes=True), "poll: minutes is True"),
        (lambda: LOOSE(None), "A post's text must be text, not NoneType."),
        (lambda: LOOSE([3]), "A part's text must be text, not int."),
        (lambda: LOOSE(Part(3)), "A part's text must be text, not int."),  # type: ignore[arg-type]
        (lambda: LOOSE("a", link=3), "link: must be text, not int."),
        (lambda: LOOSE("a", lang=3), "lang: must be text, not int."),
        (lambda: LOOSE("a", visibility=3), "visibility: must be text, not int."),
        (lambda: LOOSE("a", replies=3), "replies: must be text, not int."),
        (lambda: LOOSE("a", networks={"here": {"text": "b"}}), "networks: here: give Settings"),
        (lambda: Post("a", lang="d\0"), "lang: character 2 is the control character U+0000"),
        (lambda: Post("a\uffff"), "part 1: character 2 (U+FFFF) is no character of Unicode"),
        (lambda: Post("a\U0001fffe"), "(U+1FFFE) is no character"),
        (lambda: Post("\u200b\u2060 \ufeff"), "The post is empty"),
        (lambda: Post("a", tags=["##x"]), "tag '#x' begins with #; write the word alone."),
        (lambda: Post("a", tags=["b\nc"]), "tag: it has a line break"),
        (lambda: Post("a", poll=Poll(("b", "c", "b "))), "option 3 is option 1 again"),
    ],
)
def test_what_is_refused(make: Callable[[], object], words: str) -> None:
    assert words in problems(make)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "example.com",
        "https://",
        "https:///path",
        "https://a b.com/",
        "https://a.com/ b",
        "https://a.com/\nb",
        "https://[a.com/",
        "https://[::1",
        "https://a.com:99999/",
        "https://a.com:b/",
        "https://:80/",
        "https://user@/",
        "",
    ],
)
def test_what_is_no_link(link: str) -> None:
    assert "link" in problems(lambda: Post("a", link=link))
    if link:
        assert "here: link" in problems(lambda: Post("a", networks={"here": Settings(link=link)}))


def test_what_is_taken() -> None:
    post = Post(
        "a",
        tags=("#one", "two", "＃三"),
        link="HTTPS://example.com?q",
        lang="de-AT",
        networks={"here": Settings(link="")},
        poll=Poll(("b", "c")),
    )
    assert post.tags == ("one", "two", "三")


def test_who_may_reply_makes_another_post_and_none_is_hashed_as_before_the_field() -> None:
    plain = Post("a", lang="en")
    hashes = {post.content_hash() for post in (plain, Post("a", lang="en", replies="nobody"))}
    assert len(hashes) == 2
    assert plain.content_hash() == (
        "6bd9ee751f587e2d1901ca14d497abf66c7e138648f6445e94fd07bdde45b4f3"
    )


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("bad\udcff.jpg", "bad?.jpg"),
        ("a\nb\t\x1b[2J\x85.jpg", "a_b__[2J_.jpg"),
        ("a\u2028b\u2029.jpg", "a_b_.jpg"),
        ("\u202egpj.exe\u2066\u2069\u200f\u200e\u061c", "_gpj.exe_____"),
        ("family \U0001f468\u200d\U0001f469 \u05d0\u05d1 日.jpg", None),
    ],
)
def test_a_name_is_text_in_one_line_and_direction(given: str, name: str | None) -> None:
    for media in (Media(Path("folder") / given), Media(b"x", name=given)):
        assert media.name == (given if name is None else name)
        assert media.with_alt("B").name == media.name

"""What the adapter makes of Markdown, and of plain text beside it."""

from __future__ import annotations

from datetime import date

import pytest

from postkit.adapt.default import adapt
from postkit.adapt.texts import RAGGED
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import Limits, Source, TextLimit
from postkit.network import CannotRender, RenderOptions, Rendition
from postkit.post import Part, Post, Settings
from postkit.postfile import read_text

SOURCE = Source("made for these tests", date(2026, 11, 29))
PLAIN = Limits(SOURCE, (TextLimit(CodePoints(), 500, SOURCE),), EntityRules(hashtags=True), True, 0)
MARKUP = PLAIN.changed(threads=False, markup="markdown")
FILE = "*One* \\* two\n\n---\n\n- three\n- four\n"


def rendered(post: Post, limits: Limits) -> Rendition:
    return adapt("made", post, limits, RenderOptions())


def test_a_file_is_plain_where_no_markup_is_shown() -> None:
    rendition = rendered(read_text(FILE, None, "p.md"), PLAIN)
    assert [part.text for part in rendition.parts] == ["One * two", "• three\n• four"]
    assert [(c.text, c.part, c.items) for c in rendition.changes] == [
        ("emphasis is shown as plain text", 1, (1,)),
        ("its Markdown is shown as plain text", 2, (2,)),
    ]
    assert rendition.losses == ()
    assert [dict(part.fields) for part in rendition.parts] == [{}, {}]


def test_a_file_is_markdown_where_that_is_shown() -> None:
    (part,) = rendered(read_text(FILE, None, "p.md"), MARKUP).parts
    assert part.text == "*One* \\* two\n\n-   three\n-   four"
    assert part.fields == {"markup": "markdown"}


@pytest.mark.parametrize("text", ["two  \nlines", " indented", "a\n\n\nb", "a\t", "a\n"])
def test_white_space_that_markdown_does_not_show_is_told(text: str) -> None:
    assert rendered(Post(text), PLAIN).changes == ()
    for post in (Post(text), Post([text, Part("*x*", markdown=True)])):
        told = [change for change in rendered(post, MARKUP).changes if change.field == "text"]
        assert [(change.text, change.items) for change in told] == [(RAGGED, (1,))]
    assert rendered(Post(Part(text, markdown=True)), MARKUP).changes == ()
    own = Post(text, networks={"made": Settings(text=text)})
    assert [change.text for change in rendered(own, MARKUP).changes] == [RAGGED]
    assert rendered(own, PLAIN).changes == ()


def test_a_tag_behind_a_backslash_is_found() -> None:
    post = Post([Part("*One*", markdown=True), "#launch is here"], tags=["launch"])
    assert rendered(post, MARKUP).parts[0].text == "*One*\n\n\\#launch is here"
    assert "tags" not in [change.field for change in rendered(post, MARKUP).changes]


@pytest.mark.parametrize("limits", [PLAIN, MARKUP])
def test_plain_text_is_left_alone(limits: Limits) -> None:
    text = "*One* \\* two\n- three &amp; `four`"
    rendition = rendered(Post(text), limits)
    assert rendition.parts[0].text == text
    assert rendition.changes == ()
    assert "markup" not in rendition.parts[0].fields


def test_plain_parts_beside_markdown_keep_their_letters() -> None:
    post = Post([Part("*a*", markdown=True), "*b*"])
    (part,) = rendered(post, MARKUP).parts
    assert part.text == "*a*\n\n\\*b\\*"


def test_tags_added_to_markdown_are_no_headings() -> None:
    rendition = rendered(Post(Part("*a*", markdown=True), tags=["b"]), MARKUP)
    assert rendition.parts[0].text == "*a*\n\n\\#b"
    assert rendition.losses == ()


def test_a_text_of_the_networks_own_is_plain() -> None:
    post = Post(Part("*a*", markdown=True), networks={"made": Settings(text="*b*")})
    assert rendered(post, PLAIN).parts[0].text == "*b*"
    assert "markup" not in rendered(post, MARKUP).parts[0].fields


@pytest.mark.parametrize("limits", [PLAIN, MARKUP])
def test_what_is_nested_too_deep_is_refused(limits: Limits) -> None:
    with pytest.raises(CannotRender, match="nested more than 20 deep; write it flatter"):
        rendered(Post(Part("> " * 60 + "a", markdown=True)), limits)


def test_markdown_of_signs_alone_is_empty() -> None:
    with pytest.raises(CannotRender, match="nothing is left that can be sent"):
        rendered(Post(Part("&#8203;", markdown=True)), PLAIN)


def test_two_posts_that_are_read_differently_are_two() -> None:
    assert Post("*a*").content_hash() != Post(Part("*a*", markdown=True)).content_hash()


def test_markup_with_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="markup is for networks without threads"):
        PLAIN.changed(markup="markdown")

"""The table in numbers, by hand (checked 2026-11-23)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from postkit_facebook.limits import LIMITS
from postkit_facebook.plugin import Facebook

from postkit.limits.describe import describe
from postkit.network import CannotRender, RenderOptions, Rendition
from postkit.post import Media, Part, Post, Settings

Picture = Callable[..., bytes]


def adapted(post: Post) -> Rendition:
    return Facebook().adapt(post, LIMITS, RenderOptions())


def test_the_message_holds_63206_utf16_units() -> None:
    (limit,) = LIMITS.text
    assert limit.maximum == 63_206
    assert limit.counter.count("a\u00e9\u6f22") == 3
    assert limit.counter.count("\N{GRINNING FACE}") == 2
    assert not limit.source.verified


def test_a_message_of_just_that_length_is_taken_and_one_more_is_refused() -> None:
    assert adapted(Post("x" * 63_206)).parts[0].text == "x" * 63_206
    with pytest.raises(CannotRender, match="63,207 of 63,206"):
        adapted(Post("x" * 63_207))


def test_photos_are_five_types_of_at_most_4_megabytes() -> None:
    image = LIMITS.image
    assert image is not None
    assert image.max_bytes == 4_000_000
    assert set(image.mime_types) == {
        "image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff"
    }  # fmt: skip


def test_ten_photos_fit_by_custom_alone() -> None:
    assert LIMITS.media_count == 10
    row = next(fact for fact in describe(LIMITS) if fact.what == "pictures in one post")
    assert row.source.endswith("(unverified)")


def test_parts_are_joined_because_there_are_no_threads() -> None:
    rendition = adapted(Post([Part("one"), Part("two")]))
    assert [part.text for part in rendition.parts] == ["one\n\ntwo"]
    assert [change.field for change in rendition.changes] == ["thread"]


def test_a_link_is_a_card_but_goes_into_the_text_beside_photos(picture: Picture) -> None:
    alone = adapted(Post("look", link="https://example.com/a"))
    assert (alone.parts[0].text, alone.parts[0].fields) == (
        "look", {"link": "https://example.com/a"},
    )  # fmt: skip
    photo = Media(picture(), alt="A teal rectangle.")
    beside = adapted(Post("look", media=[photo], link="https://example.com/a"))
    assert beside.parts[0].text == "look\n\nhttps://example.com/a"
    assert "link" not in beside.parts[0].fields


def test_alt_text_is_carried(picture: Picture) -> None:
    rendition = adapted(Post("look", media=[Media(picture(), alt="A teal rectangle.")]))
    assert rendition.parts[0].media[0].alt == "A teal rectangle."
    assert rendition.losses == ()


def test_a_title_is_lost_and_said_so() -> None:
    rendition = adapted(Post("text", title="Title"))
    assert [loss.field for loss in rendition.losses] == ["title"]


def test_a_text_of_its_own_is_sent_instead() -> None:
    post = Post("for all", networks={"facebook": Settings(text="for the Page")})
    assert adapted(post).parts[0].text == "for the Page"


def test_every_row_names_its_source() -> None:
    rows = [LIMITS.source, LIMITS.text[0].source, *(rate.source for rate in LIMITS.rates)]
    assert all(row.text and row.checked.isoformat() == "2026-11-23" for row in rows)
    assert (LIMITS.rates[0].calls, LIMITS.rates[0].seconds) == (4800, 86_400)

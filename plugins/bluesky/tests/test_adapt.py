"""What the plugin adds to the table's adapter: labels, tags that are too long. Link cards."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from postkit_bluesky.limits import LIMITS
from postkit_bluesky.plugin import Bluesky

from postkit import Media, Post, Rendition
from postkit.cards.card import Card
from postkit.network import CannotRender, RenderOptions
from postkit.post import Poll
from postkit.testing.pictures import picture


def adapt(post: Post, **values: Any) -> Rendition:
    return Bluesky().adapt(post, LIMITS, RenderOptions(values))


def told(rendition: Rendition, field: str) -> list[str]:
    return [row.text for row in rendition.losses if row.field == field]


def test_a_plain_post_is_not_touched() -> None:
    rendition = adapt(Post("Hello", lang="pt-BR", tags=["launch"]))
    (part,) = rendition.parts
    assert (part.text, dict(part.fields)) == ("Hello", {"lang": "pt-BR", "tags": ["launch"]})
    assert (rendition.changes, rendition.losses) == ((), ())


@pytest.mark.parametrize("label", ["sexual", "nudity", "porn", "graphic-media"])
def test_a_warning_in_bluesky_s_own_words_becomes_a_label(label: str) -> None:
    rendition = adapt(Post(["One", "Two"], content_warning=label))
    assert [part.fields["labels"] for part in rendition.parts] == [[label], [label]]
    assert told(rendition, "content_warning") == []
    assert [change.field for change in rendition.changes] == ["content_warning"]


def test_a_free_warning_is_a_loss_that_names_the_option() -> None:
    rendition = adapt(Post("x", content_warning="Spoilers"))
    assert "labels" not in rendition.parts[0].fields
    (loss,) = told(rendition, "content_warning")
    assert "'Spoilers' is not sent" in loss
    assert "--set bluesky.label=WORD" in loss
    assert "graphic-media" in loss
    (loss,) = told(adapt(Post("x", content_warning="Spoilers"), label="nudity"), "content_warning")
    assert "'Spoilers' is not sent" in loss
    assert "the label nudity hides the post" in loss


def test_the_option_is_a_label_on_every_part() -> None:
    rendition = adapt(Post(["One", "Two"], content_warning="nudity"), label="porn")
    assert [part.fields["labels"] for part in rendition.parts] == [["porn", "nudity"]] * 2
    assert rendition.losses == ()


def with_card(post: Post, card: Card) -> Rendition:
    return Bluesky().adapt(post, LIMITS, RenderOptions(card=card))


def test_a_link_is_in_the_text_with_a_card_and_without() -> None:
    post = Post("Look", link="https://example.com/a")
    image = Media(picture(1, (1200, 630)), name="cover.png")
    for rendition in (
        adapt(post),
        with_card(post, Card("https://example.com/a", "A", "About", image)),
    ):
        assert rendition.parts[0].text == "Look\n\nhttps://example.com/a"
        assert rendition.losses == ()
    (part,) = rendition.parts
    assert part.fields["card"] == {
        "url": "https://example.com/a",
        "title": "A",
        "description": "About",
    }
    assert [(one.name, one.width, one.alt) for one in part.media] == [("cover.png", 1200, "")]
    assert part.pictures == ()


def test_the_picture_of_a_card_is_made_to_fit() -> None:
    out = io.BytesIO()
    Image.effect_noise((1500, 1000), 90).save(out, "PNG")
    noise = Media(out.getvalue(), name="cover.png")
    assert len(noise.read()) > 1_000_000
    (part,) = with_card(Post("Look"), Card("https://example.com", "A", "", noise)).parts
    assert part.media[0].size <= 1_000_000


@pytest.mark.parametrize(
    "data", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", b""]
)
def test_a_card_s_picture_that_is_none_is_left_out_and_told(data: bytes) -> None:
    image = Media(data, name="cover.png")
    rendition = with_card(Post("Look"), Card("https://example.com", "A", "", image))
    assert rendition.parts[0].media == ()
    assert rendition.parts[0].fields["card"]["title"] == "A"
    (change,) = rendition.changes
    assert change.text.startswith("link card without picture: cover.png: it is ")


def test_beside_pictures_there_is_no_card() -> None:
    post = Post("Look", media=[Media(picture(2), "A cat", name="cat.png")])
    rendition = with_card(post, Card("https://example.com", "A"))
    assert "card" not in rendition.parts[0].fields
    assert [one.name for one in rendition.parts[0].pictures] == ["cat.png"]
    assert [change.text for change in rendition.changes] == ["no link card beside pictures"]


def test_a_tag_that_is_too_long_is_a_loss() -> None:
    rendition = adapt(Post("x", tags=["t" * 64, "u" * 65]))
    assert rendition.parts[0].fields["tags"] == ["t" * 64]
    (loss,) = told(rendition, "tags")
    assert loss == f"#{'u' * 65} is not sent: a tag has at most 64 characters"
    assert [each.items for each in rendition.losses] == [(2,)]


def test_poll_and_title_are_losses() -> None:
    rendition = adapt(Post("x", title="T", poll=Poll(("a", "b"))))
    assert {loss.field for loss in rendition.losses} == {"title", "poll"}


def test_another_audience_than_the_public_is_never_sent() -> None:
    with pytest.raises(CannotRender, match="visibility"):
        adapt(Post("x", visibility="private"))


@pytest.mark.parametrize("lang", ["not a lang", "english!", "english", "d"])
def test_what_is_no_language_is_refused_before_anything_is_sent(lang: str) -> None:
    with pytest.raises(CannotRender, match="no language code"):
        adapt(Post("x", lang=lang))


def test_both_limits_of_the_text_split_it() -> None:
    family = "👩‍👩‍👧‍👦"
    assert len(adapt(Post("a" * 300)).parts) == 1
    assert len(adapt(Post("ab " * 100 + "c")).parts) == 2
    assert len(adapt(Post(family * 120)).parts) == 1
    assert len(adapt(Post(family * 119 + " " + family)).parts) == 2

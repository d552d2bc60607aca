"""The loss report as data: a row for each field that the author gave, and none that lies."""

from __future__ import annotations

from postkit.network import CannotRender, Change, RenderedPart, Rendition
from postkit.outcomes import FieldOutcome, outcomes_of
from postkit.post import Media, Part, Poll, Post, Settings

POST = Post(
    [Part("One", (Media(b"a", "A fish"), Media(b"b"))), Part("Two", (Media(b"c", "A cat"),))],
    title="T",
    link="https://example.com/",
    tags=["red", "green"],
    poll=Poll(("Yes", "No")),
    content_warning="Spiders",
    lang="en",
    visibility="public",
    replies="nobody",
)
NONE = Settings()


def rows(*changes: Change, losses: tuple[Change, ...] = ()) -> dict[tuple[str, int | None], str]:
    rendition = Rendition((RenderedPart("One"),), changes, losses)
    found = outcomes_of(POST, NONE, rendition)
    return {(row.field, row.item): row.outcome for row in found}


def test_each_field_that_was_given_has_one_row() -> None:
    everything = [
        *(("text", 1), ("text", 2)),
        *(("media", 1), ("alt", 1), ("media", 2), ("media", 3), ("alt", 3)),
        *(("title", None), ("link", None), ("tags", 1), ("tags", 2), ("poll", None)),
        *(("content_warning", None), ("lang", None), ("visibility", None)),
        ("replies", None),
    ]
    assert rows() == dict.fromkeys(everything, "delivered")
    assert outcomes_of(Post("x"), NONE, Rendition((RenderedPart("x"),))) == (
        FieldOutcome("text", "delivered", 1),
    )
    own = Settings(title="Mine", options={"flair": "News"})
    found = outcomes_of(Post("x"), own, Rendition((RenderedPart("x"),)))
    assert [row.field for row in found] == ["text", "title", "options"]


def test_what_is_blank_was_not_given() -> None:
    post = Post("x", title=" \u200b", content_warning="\u200b ")
    assert [row.field for row in outcomes_of(post, NONE, Rendition((RenderedPart("x"),)))] == [
        "text"
    ]


def test_a_line_speaks_for_its_items_alone() -> None:
    found = rows(
        Change("text", "split", 1, (2,)),
        Change("media", "scaled", 1, (2,)),
        losses=(Change("tags", "at most one", None, (2,)), Change("lang", "none here")),
    )
    assert found["text", 1] == "delivered"
    assert found["text", 2] == "adapted"
    assert (found["media", 1], found["media", 2], found["media", 3]) == (
        "delivered",
        "adapted",
        "delivered",
    )
    assert (found["tags", 1], found["tags", 2]) == ("delivered", "lost")
    assert found["lang", None] == "lost"


def test_a_line_without_items_speaks_for_all() -> None:
    assert rows(Change("thread", "joined"))["text", 2] == "adapted"
    assert rows(losses=(Change("media", "no pictures"),))["media", 3] == "lost"


def test_an_alt_text_goes_down_with_its_medium() -> None:
    found = rows(losses=(Change("media", "not sent", 1, (1,)),))
    assert (found["alt", 1], found["alt", 3]) == ("lost", "delivered")


def test_a_loss_outweighs_a_change() -> None:
    found = rows(Change("tags", "added"), losses=(Change("tags", "plain", 1, (1,)),))
    assert (found["tags", 1], found["tags", 2]) == ("lost", "adapted")


def test_where_one_field_is_refused_nothing_is_delivered() -> None:
    cannot = CannotRender([Change("title", "title: too long."), "A plugin's own words."])
    assert cannot.reasons == ("title: too long.", "A plugin's own words.")
    found = outcomes_of(POST, NONE, cannot.problems)
    assert {row.outcome for row in found} == {"refused"}
    how = {row.field: row.how for row in found}
    assert how["title"] == "title: too long."
    assert how["poll"] == "nothing is sent, for the sake of: title, post"


def test_a_text_with_more_words_behind_it_is_adapted() -> None:
    found = rows(Change("link", "added to the text", 1, texts=(1,)))
    assert (found["text", 1], found["text", 2], found["link", None]) == (
        "adapted",
        "delivered",
        "adapted",
    )


def test_an_option_without_a_value_was_not_given() -> None:
    own = Settings(options={"flair": "", "nsfw": None, "list": []})
    found = outcomes_of(Post("x"), own, Rendition((RenderedPart("x"),)))
    assert [row.field for row in found] == ["text"]

"""The table-driven adapter: each field, each way in which a network may differ."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from postkit.adapt.default import adapt
from postkit.limits.counters import CodePoints
from postkit.limits.model import Limits, PollLimit, Source, TextLimit
from postkit.network import CannotRender, Change, RenderOptions, Rendition
from postkit.outcomes import outcomes_of
from postkit.post import Media, Part, Poll, Post, Settings

Table = Callable[..., Limits]
Photo = Callable[..., bytes]
PLAIN = RenderOptions()
ALT = TextLimit(CodePoints(), 3, Source("made for these tests", date(2026, 11, 29)))


def rendered(post: Post, limits: Limits, options: RenderOptions = PLAIN) -> Rendition:
    rendition = adapt("here", post, limits, options)
    for part in rendition.parts:
        assert json.loads(json.dumps(part.to_json())) == part.to_json()
    return rendition


def reasons(post: Post, limits: Limits, options: RenderOptions = PLAIN) -> tuple[str, ...]:
    with pytest.raises(CannotRender) as caught:
        adapt("here", post, limits, options)
    return caught.value.reasons


def texts(rendition: Rendition) -> list[str]:
    return [part.text for part in rendition.parts]


def media(photo: Photo, count: int, alt: str = "") -> list[Media]:
    data = photo()
    return [Media(data, alt and f"{alt} {n}", name=f"{n}.jpg") for n in range(1, count + 1)]


def names(rendition: Rendition) -> list[list[str]]:
    return [[attachment.name[:-4] for attachment in part.media] for part in rendition.parts]


def test_what_fits_is_unchanged(table: Table, photo: Photo) -> None:
    post = Post(["One\r\ntwo", "Three"], media=media(photo, 1, "Noise"))
    rendition = rendered(post, table())
    assert texts(rendition) == ["One\ntwo", "Three"]
    assert rendition.parts[0].media[0].alt == "Noise 1"
    assert (rendition.changes, rendition.losses) == ((), ())


def test_long_text_becomes_a_thread(table: Table) -> None:
    rendition = rendered(Post(["word " * 122 + "ab", "last"]), table())
    assert len(rendition.parts) == 4
    assert rendition.changes == (
        Change("text", "612 of 280 weighted characters: split into 3 posts", 1, (1,)),
    )
    assert texts(rendition)[3] == "last"


def test_numbering_goes_over_the_whole_thread(table: Table) -> None:
    options = RenderOptions(numbering=True)
    rendition = rendered(Post(["x" * 280, "last"]), table(), options)
    assert texts(rendition) == ["x" * 140 + " (1/3)", "x" * 140 + " (2/3)", "last (3/3)"]
    assert rendition.changes[-1] == Change("text", "numbered from (1/3) to (3/3)")
    assert texts(rendered(Post("x" * 280), table(), options)) == ["x" * 280]
    many = rendered(Post("word " * 600), table(), options)
    assert texts(many)[-1].endswith(" (12/12)")
    limit = table().text[0]
    assert all(limit.counter.count(text) <= 280 for text in texts(many))


def test_no_split_and_no_threads_and_too_many(table: Table) -> None:
    assert reasons(Post("x" * 281), table(), RenderOptions(split=False)) == (
        "text: 281 of 280 weighted characters and it must not be split; shorten it.",
    )
    (reason,) = reasons(Post(["x" * 60, "y" * 60]), table("text alone"))
    assert reason.startswith("text: 122 of 100 characters and there are no threads here; ")
    (reason,) = reasons(Post("word " * 4000), table())
    assert "needs more than 50 posts" in reason
    (reason,) = reasons(Post(["a"] * 51), table())
    assert reason.startswith("thread: 51 posts of at most 50;")


def test_parts_are_joined_where_there_are_no_threads(table: Table, photo: Photo) -> None:
    pictures = media(photo, 2)
    post = Post([Part("One", (pictures[0],)), Part("Two", (pictures[1],))], title="T")
    limits = table("title and no threads", media_count=2)
    rendition = rendered(post, limits)
    assert texts(rendition) == ["One\n\nTwo"]
    assert names(rendition) == [["1", "2"]]
    assert rendition.changes == (
        Change("thread", "2 parts are joined into one: no threads here", 1, (1, 2)),
    )


def test_the_one_text_among_joined_parts_stands_as_it_was(table: Table, photo: Photo) -> None:
    post = Post(["One", Part("", tuple(media(photo, 1)))], title="T")
    rendition = rendered(post, table("title and no threads", media_count=2))
    assert texts(rendition) == ["One"]
    assert [(change.field, change.items) for change in rendition.changes] == [("thread", (2,))]


def test_empty_parts_are_left_out_and_told(table: Table) -> None:
    rendition = rendered(Post([" ", "One", "\n", "Two"]), table())
    assert texts(rendition) == ["One", "Two"]
    told = [(change.field, change.items) for change in rendition.changes]
    assert told == [("thread", (3,)), ("thread", (1,))]


def test_settings_win(table: Table, photo: Photo) -> None:
    own = Settings(text="Own", title="Own title", link="https://own.example/", options={"a": 1})
    post = Post(
        [Part("One"), Part("Two", tuple(media(photo, 2)))],
        title="Title",
        link="https://e.com/",
        networks={"here": own, "there": Settings(text="Not this")},
    )
    rendition = rendered(post, table("title and no threads", media_count=2))
    (part,) = rendition.parts
    assert part.text == "Own"
    assert part.fields == {
        "title": "Own title",
        "link": "https://own.example/",
        "options": {"a": 1},
    }
    assert names(rendition) == [["1", "2"]]
    assert [change.field for change in rendition.changes] == ["text", "title", "link"]


def test_link_in_the_text(table: Table) -> None:
    link = "https://e.com/a"
    rendition = rendered(Post(["One", "Two"], link=link), table())
    assert texts(rendition) == [f"One\n\n{link}", "Two"]
    assert rendition.changes == (Change("link", f"{link} is added to the text", 1, texts=(1,)),)
    for text in (f"See {link}.", f"({link})", f"{link} and so on"):
        assert rendered(Post(["One", text], link=link), table()).changes == ()
    assert len(rendered(Post(f"See {link}bc", link=link), table()).changes) == 1


def test_link_as_a_field_and_beside_pictures(table: Table, photo: Photo) -> None:
    limits = table("graphemes and bytes")
    link = "https://e.com/a"
    assert rendered(Post("One", link=link), limits).parts[0].fields["link"] == link
    rendition = rendered(Post("One", link=link, media=media(photo, 1)), limits)
    assert rendition.parts[0].text == f"One\n\n{link}"
    assert "link" not in rendition.parts[0].fields
    assert rendition.changes[0].field == "link"


def test_link_lost(table: Table) -> None:
    rendition = rendered(Post("One", link="https://e.com/a"), table("text alone"))
    assert rendition.losses[0].field == "link"
    assert "https://e.com/a" in rendition.losses[0].text


def test_tags(table: Table) -> None:
    post = Post(["One #Launch", "Two"], tags=["launch", "news", "#News"])
    rendition = rendered(post, table())
    assert texts(rendition) == ["One #Launch", "Two\n\n#news"]
    assert rendition.changes == (
        Change("tags", "#launch stands there as #Launch", None, (1,)),
        Change("tags", "#News stands there as #news", None, (3,)),
        Change("tags", "#news added to the text", 2, (2, 3), texts=(2,)),
    )
    fields = rendered(post, table("graphemes and bytes", max_tags=1))
    assert fields.parts[0].fields["tags"] == ["launch"]
    assert fields.losses == (Change("tags", "#news not sent: at most 1 tags", None, (2, 3)),)
    words = rendered(Post("One", tags=["Maße", "Masse", "MASSE"]), table())
    assert texts(words) == ["One\n\n#Maße #Masse"]
    lost = rendered(Post("One", tags=["a", "b"]), table("text alone"))
    assert lost.losses == (Change("tags", "#a #b not sent: tags are not supported", None, (1, 2)),)


def test_title(table: Table) -> None:
    limits = table("title and no threads")
    assert rendered(Post("One", title=" T "), limits).parts[0].fields == {"title": "T"}
    assert reasons(Post("One"), limits) == ("title: this network needs one; give it with --title.",)
    assert reasons(Post("One", title="x" * 31), limits) == (
        "title: 31 of 30 characters; shorten it.",
    )
    assert rendered(Post("One", title="Big"), table()).losses == (
        Change("title", "'Big' is not sent: there are no titles here; write it into the text"),
    )
    assert rendered(Post("Big One", title="Big"), table()).losses == ()


def test_warning_language_and_visibility(table: Table) -> None:
    post = Post(["One", "Two"], content_warning="Spiders", lang="en", visibility="private")
    for part in rendered(post, table("server")).parts:
        assert part.fields == {"content_warning": "Spiders", "lang": "en", "visibility": "private"}
    plain = rendered(Post("One", content_warning="Spiders", lang="en"), table())
    assert [loss.field for loss in plain.losses] == ["content_warning", "lang"]


@pytest.mark.parametrize("name", ["server", "table"])
def test_what_is_not_for_everybody_is_never_made_public(table: Table, name: str) -> None:
    limits = table("server") if name == "server" else table()
    with pytest.raises(CannotRender, match="visibility 'direct' is not possible here"):
        rendered(Post("One", visibility="direct"), limits)
    assert rendered(Post("One", visibility="public"), table()).changes == (
        Change("visibility", "public, as every post is here"),
    )


def test_who_may_reply_is_said_once_for_the_thread(table: Table) -> None:
    parts = rendered(Post(["One", "Two"], replies="following"), table("server")).parts
    assert [part.fields for part in parts] == [{"replies": "following"}, {}]
    everyone = rendered(Post("One", replies="everyone"), table("server"))
    assert (everyone.parts[0].fields, everyone.changes) == ({"replies": "everyone"}, ())
    plain = rendered(Post("One", replies="everyone"), table())
    assert (plain.parts[0].fields, plain.losses) == ({}, ())
    assert plain.changes == (Change("replies", "everyone who sees it, as with every post here"),)


def test_what_is_not_for_everybody_to_answer_is_never_opened_to_all(table: Table) -> None:
    assert reasons(Post("One", replies="followers"), table("server")) == (
        "replies: 'followers' is not possible here (there is: everyone, following, nobody); "
        "leave this address out, or choose another.",
    )
    assert reasons(Post("One", replies="nobody"), table()) == (
        "replies: 'nobody' is not possible here, since replies cannot be limited; leave this "
        "address out.",
    )
    for name in ("server", "text alone"):
        assert reasons(Post("One", replies="Nobody"), table(name)) == (
            "replies: 'Nobody' is unknown; give one of: everyone, followers, following, "
            "mentioned, nobody.",
        )


def test_a_poll_is_open_for_whole_steps(table: Table) -> None:
    source = Source("a test", date(2026, 11, 29))
    poll = PollLimit(2, 4, 25, 1440, 10_080, source, step_minutes=1440)
    limits = table(poll=poll)
    assert rendered(Post("One?", poll=Poll(("a", "b"), 2880)), limits).parts[0].fields["poll"]
    assert reasons(Post("One?", poll=Poll(("a", "b"), 2000)), limits) == (
        "poll: open for 2,000 minutes; give a multiple of 1,440.",
    )


def test_a_link_beside_a_poll_is_in_the_text(table: Table) -> None:
    post = Post("One?", link="https://e.com/a", poll=Poll(("a", "b"), 60))
    limits = table(link="field", link_with_media=False)
    rendition = rendered(post, limits)
    assert "link" not in rendition.parts[0].fields
    assert rendition.parts[0].text == "One?\n\nhttps://e.com/a"
    assert rendition.changes == (
        Change(
            "link",
            "a post with a poll has no link of its own: https://e.com/a is added to the text",
            1,
            texts=(1,),
        ),
    )
    both = rendered(post, table(link="field", link_with_media=True))
    assert both.parts[0].fields["link"] == "https://e.com/a"


def test_poll(table: Table, photo: Photo) -> None:
    poll = Poll(("Yes", "No"), minutes=60)
    fields = rendered(Post(["One?", "Two"], poll=poll), table()).parts[0].fields
    assert fields == {"poll": {"options": ["Yes", "No"], "minutes": 60, "multiple": False}}
    lost = rendered(Post("One?", poll=poll), table("text alone")).losses
    assert lost == (
        Change("poll", "not sent: there are no polls here; ask in the text (Yes / No)"),
    )
    bad = Poll(("", "x" * 26, "a", "b", "c"), minutes=1, multiple=True)
    found = reasons(Post("One?", poll=bad, media=media(photo, 1)), table())
    assert found == (
        "poll: 5 options; give 2 to 4.",
        "poll: option 1 is empty; give it a text.",
        "poll: option 2: 26 of 25 characters; shorten it.",
        "poll: open for 1 minutes; give 5 to 10,080.",
        "poll: only one answer can be chosen here; give multiple: false.",
        "poll: it cannot be together with pictures; leave one out.",
    )


def test_alt_texts(table: Table, photo: Photo) -> None:
    post = Post("One", media=media(photo, 2, "A long description of a cat"), title="T")
    found = reasons(post, table("graphemes and bytes"))
    assert found[0] == "1.jpg: its alt text has 29 of 20 characters; shorten it."
    assert len(found) == 2
    losses = rendered(post, table("title and no threads", media_count=2)).losses
    assert [(loss.field, loss.part) for loss in losses] == [("alt", 1), ("alt", 1)]
    assert "A long description of a cat 2" in losses[1].text


def test_pictures_flow_on(table: Table, photo: Photo) -> None:
    pictures = media(photo, 7)
    post = Post([Part("One", tuple(pictures[:6])), Part("Two", (pictures[6],))])
    rendition = rendered(post, table())
    assert names(rendition) == [["1", "2", "3", "4"], ["5", "6", "7"]]
    assert rendition.changes == (
        Change("media", "2 pictures go on in the next post (4 in a post)", 1, (5, 6)),
    )
    alone = rendered(Post("One", media=pictures), table(media_count=3))
    assert texts(alone) == ["One", "", ""]
    assert names(alone) == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


@pytest.mark.parametrize("by", ["bytes", "stream"])
def test_the_same_object_twice_is_two_media(table: Table, photo: Photo, by: str) -> None:
    data = photo(2100, 8)
    one = Media(data if by == "bytes" else io.BytesIO(data), "A cat", name="cat.jpg")
    post = Post(["A", Part("B", (one, one))], media=[one])
    made = rendered(post, table(media_count=1, alt=None))
    assert names(made) == [["cat"], ["cat"], ["cat"]]
    assert [change.items for change in made.losses] == [(1,), (2,), (3,)]
    moved, *scaled = [change for change in made.changes if change.field == "media"]
    assert moved.items == (3,)
    assert [change.items for change in scaled] == [(1,), (2,), (3,)]
    assert {row.outcome for row in outcomes_of(post, Settings(), made) if row.field == "alt"} == {
        "lost"
    }
    with pytest.raises(CannotRender) as refused:
        adapt("here", post, table("graphemes and bytes", alt=ALT, media_count=3), PLAIN)
    [problem] = refused.value.problems
    assert (problem.field, problem.items) == ("alt", (1, 2, 3))


def test_pictures_that_cannot_flow_on_are_refused(table: Table, photo: Photo) -> None:
    post = Post("One", media=media(photo, 3), title="T")
    (reason,) = reasons(post, table("title and no threads"))
    assert reason == "media: 3 pictures do not fit (1 in a post); leave 2 out."
    (reason,) = reasons(post, table("graphemes and bytes"))
    assert reason == "media: 3 pictures do not fit (2 in a post); leave 1 out or add a part."


def test_no_pictures_at_all(table: Table, photo: Photo) -> None:
    rendition = rendered(Post("One", media=media(photo, 2, "Noise")), table("text alone"))
    assert [loss.field for loss in rendition.losses] == ["media", "media"]
    assert "1.jpg is not sent" in rendition.losses[0].text
    assert "Noise 1" in rendition.losses[0].text
    (reason,) = reasons(Post(media=media(photo, 1)), table("text alone"))
    assert reason.startswith("post: nothing is left that can be sent here")


def test_empty_text(table: Table, photo: Photo) -> None:
    post = Post(" \n", media=media(photo, 1))
    assert texts(rendered(post, table())) == [""]
    (reason,) = reasons(post, table("graphemes and bytes"))
    assert reason == "post: this network takes nothing without a text; give it one."


def test_picture_changes_name_their_part(table: Table, photo: Photo) -> None:
    big = Media(photo(2100, 30), name="big.jpg")
    rendition = rendered(Post(["x" * 281, Part("Two", (big,))]), table())
    assert [(change.field, change.part) for change in rendition.changes] == [
        ("text", 1),
        ("media", 3),
    ]
    assert rendition.changes[1].text.startswith("big.jpg: 2100x30 -> 2048x29, ")


def test_options(table: Table) -> None:
    values: dict[str, Any] = {"flair": "News", "empty": "", "none": None, "off": False, "n": (1, 2)}
    post = Post(["One", "Two"], networks={"here": Settings(options={"flair": "Old", "more": 1})})
    rendition = rendered(post, table(), RenderOptions(values))
    for part in rendition.parts:
        assert part.fields["options"] == {"flair": "News", "more": 1, "off": False, "n": [1, 2]}
    assert "options" not in rendered(Post("One"), table()).parts[0].fields
    (reason,) = reasons(Post("One"), table(), RenderOptions({"odd": object()}))
    assert reason == "option odd: object cannot be sent; give text or a number."


def test_all_reasons_at_once(table: Table, photo: Photo) -> None:
    broken = Media(photo()[:100], name="broken.jpg")
    post = Post("x" * 401, media=[Media(b"<html>", name="page.jpg"), broken], title="x" * 31)
    found = reasons(post, table("title and no threads", media_count=2))
    assert [reason.split(":")[0] for reason in found] == ["title", "text", "page.jpg", "broken.jpg"]


def test_several_limits_are_all_named(table: Table) -> None:
    source = Source("made for this test", table().source.checked)
    limits = table("text alone", text=(*table().text, TextLimit(CodePoints(), 270, source)))
    (reason,) = reasons(Post("x" * 281), limits)
    assert "281 of 280 weighted characters, 281 of 270 characters" in reason

"""Limits, names and texts, by literal values written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postkit_reddit.answers import errors_of, pause_end, receipt_of, refusal
from postkit_reddit.emulator.markup import shown
from postkit_reddit.flair import chosen
from postkit_reddit.limits import LIMITS, is_subreddit, subreddit_of
from postkit_reddit.markdown import markdown, same_text
from postkit_reddit.plugin import Reddit
from postkit_reddit.requirements import problems
from postkit_reddit.submission import kind_of

from postkit.errors import Duplicate, InDoubt, NeedsLogin, Refused, Throttled
from postkit.limits.describe import describe
from postkit.network import CannotRender, RenderedPart, RenderOptions, Rendition
from postkit.post import Media, Part, Poll, Post, Settings
from postkit.testing.videos import video


def rendered(post: Post, **options: Any) -> Rendition:
    return Reddit().adapt(post, LIMITS, RenderOptions(options, "r/python"))


def test_the_table() -> None:
    assert LIMITS.title is not None
    assert LIMITS.image is not None
    assert (LIMITS.title.maximum, LIMITS.title_required) == (300, True)
    assert [(limit.counter.name, limit.maximum) for limit in LIMITS.text] == [
        ("code points", 40_000)
    ]
    assert LIMITS.media_count == 20
    assert LIMITS.image.max_bytes == 20_000_000
    assert LIMITS.image.mime_types == ("image/jpeg", "image/png", "image/gif")
    assert (LIMITS.threads, LIMITS.alt) == (False, None)
    assert LIMITS.poll is not None
    assert (LIMITS.poll.min_options, LIMITS.poll.max_options) == (2, 6)
    days = (LIMITS.poll.min_minutes, LIMITS.poll.max_minutes, LIMITS.poll.step_minutes)
    assert days == (1440, 7 * 1440, 1440)
    assert (LIMITS.poll.multiple, LIMITS.poll.with_media) == (False, False)
    assert (LIMITS.target, LIMITS.target_name) == ("required", "subreddit")
    assert [(rate.calls, rate.seconds) for rate in LIMITS.rates] == [(1000, 600)]
    assert not LIMITS.text[0].source.verified


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("python", "python"),
        ("r/python", "python"),
        ("/r/python/", "python"),
        ("R/Python", "Python"),
        ("u/acme", "u_acme"),
        ("u_acme", "u_acme"),
        ("user/acme", "u_acme"),
        (None, ""),
    ],
)
def test_targets(target: str | None, name: str) -> None:
    assert subreddit_of(target) == name


@pytest.mark.parametrize("name", ["py", "a" * 21, "Ask_It", "u_acme", "u_a-b-c"])
def test_good_names(name: str) -> None:
    assert is_subreddit(name)
    assert list(Reddit().problems(name)) == []


@pytest.mark.parametrize("name", ["p", "a" * 22, "no-dash", "two words", "r/r/x", "ünicode", "u_x"])
def test_bad_names(name: str) -> None:
    (problem,) = Reddit().problems(name)
    assert "is no subreddit" in problem


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("plain text, with (brackets).", "plain text, with (brackets)."),
        ("one\ntwo", "one  \ntwo"),
        ("one\r\ntwo", "one  \ntwo"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("*stars*", r"\*stars\*"),
        ("snake_case", "snake_case"),
        ("_edge_", r"\_edge\_"),
        ("#launch", r"\#launch"),
        ("the #launch", "the #launch"),
        ("- item", r"\- item"),
        ("-5 degrees", r"\-5 degrees"),
        ("+ item", r"\+ item"),
        ("1. one", r"1\. one"),
        ("2) two", r"2\) two"),
        ("1.5 litres", "1.5 litres"),
        ("> quote", r"\> quote"),
        (">!no spoiler!<", r"\>!no spoiler!\<"),
        ("---", r"\---"),
        ("===", "&#61;=="),
        ("~~gone~~", r"\~\~gone\~\~"),
        ("x^2", r"x\^2"),
        ("`code`", r"\`code\`"),
        ("a|b", r"a\|b"),
        ("[x](y)", r"\[x\](y)"),
        ("__init__", r"\_\_init\_\_"),
        ("__a__b", r"\_\_a\_\_b"),
        ("back\\slash", r"back\\slash"),
        ("&amp; & &#61;", "&amp;amp; & &amp;#61;"),
        ("    code", "\u00a0\u00a0\u00a0\u00a0code"),
        ("https://example.com/_a_*b*?c=d&e=f", "https://example.com/_a_*b*?c=d&e=f"),
        ("see https://example.com/a_b_ *now*", r"see https://example.com/a_b_ \*now\*"),
        ("r/some_sub and u/some_user", "r/some_sub and u/some_user"),
        ("日本語 👩‍👩‍👧", "日本語 👩‍👩‍👧"),
        ("", ""),
    ],
)
def test_markdown_that_shows_the_text(text: str, source: str) -> None:
    assert markdown(text) == source
    read = shown(source).replace("\u00a0", " ")
    assert read == text.replace("\r\n", "\n")


def test_how_much_white_space_there_is_does_not_tell_texts_apart() -> None:
    assert same_text("one  \ntwo", "one\ntwo\n")
    assert not same_text("one two", "one too")
    # That there is some does.
    assert not same_text("12 3", "1 23")


def test_no_row_claims_a_source_that_does_not_state_it() -> None:
    row = next(fact for fact in describe(LIMITS) if fact.what == "pictures in one post")
    assert row.source.endswith("(unverified)")


def test_a_thread_is_joined_and_told() -> None:
    rendition = rendered(Post(["One", "Two"], title="T"))
    (part,) = rendition.parts
    assert part.text == "One\n\nTwo"
    assert part.fields["subreddit"] == "python"
    assert [change.field for change in rendition.changes] == ["thread"]


@pytest.mark.parametrize(
    ("length", "reason"), [(40_000, None), (40_001, "text:"), (20_001, "backslashes")]
)
def test_the_text_fits_with_its_backslashes(length: int, reason: str | None) -> None:
    text = ("*" if reason == "backslashes" else "x") * length
    if reason is None:
        assert len(rendered(Post(text, title="T")).parts[0].text) == length
        return
    with pytest.raises(CannotRender, match=reason):
        rendered(Post(text, title="T"))
    if reason == "backslashes":
        assert rendered(Post(text, title="T"), markdown=True).parts[0].text == text


@pytest.mark.parametrize(("title", "fits"), [("x" * 300, True), ("x" * 301, False), ("", False)])
def test_the_title(title: str, fits: bool) -> None:
    if fits:
        assert rendered(Post("x", title=title)).parts[0].fields["title"] == title
        return
    with pytest.raises(CannotRender, match="title"):
        rendered(Post("x", title=title))


def test_what_reddit_does_not_carry_is_a_loss() -> None:
    post = Post(
        "x", title="T", poll=Poll(("a", "b")), tags=["launch"], content_warning="cw", lang="en"
    )
    assert {loss.field for loss in rendered(post).losses} == {"tags", "content_warning", "lang"}


def test_a_warning_that_is_lost_names_the_mark_that_comes_nearest() -> None:
    post = Post("x", title="T", content_warning="Spiders")
    (loss,) = rendered(post).losses
    assert loss.text == (
        "'Spiders' is not sent: there are no warnings in free words here; "
        "--set reddit.spoiler=yes or reddit.nsfw=yes hides the post"
    )
    own = {"reddit": Settings(options={"spoiler": True})}
    (loss,) = rendered(post.with_settings(own)).losses
    assert loss.text.endswith("; the post is marked as spoiler")


def test_a_poll_has_whole_days_and_a_link_beside_it_is_in_the_text() -> None:
    poll = Poll(("a", "b"), 2 * 1440)
    (part,) = rendered(Post("x", title="T", poll=poll, link="https://example.com/")).parts
    assert kind_of(part) == "poll"
    assert "link" not in part.fields
    assert part.text == "x\n\nhttps://example.com/"
    with pytest.raises(CannotRender, match=r"2,000 minutes; give a multiple of 1,440"):
        rendered(Post("x", title="T", poll=Poll(("a", "b"), 2000)))
    with pytest.raises(CannotRender, match=r"open for 60 minutes; give 1,440 to 10,080"):
        rendered(Post("x", title="T", poll=Poll(("a", "b"), 60)))


def test_kinds(picture: Any) -> None:
    one, two = (Media(picture(c).read(), alt=f"A {c} one", name=c) for c in ("red", "blue"))
    link = "https://example.com/"
    assert kind_of(rendered(Post("x", title="T")).parts[0]) == "self"
    assert kind_of(rendered(Post("x", title="T", link=link)).parts[0]) == "link"
    assert kind_of(rendered(Post(Part("x", (one,)), title="T")).parts[0]) == "image"
    gallery = rendered(Post("x", title="T", media=[one, two], link=link))
    assert kind_of(gallery.parts[0]) == "gallery"
    assert gallery.parts[0].text == f"x\n\n{link}"


def test_alt_text_is_a_loss_or_told_as_a_caption(picture: Any) -> None:
    media = [Media(picture(c).read(), alt=f"A {c} one", name=c) for c in ("red", "blue")]
    lost = rendered(Post("x", title="T", media=media))
    assert [loss.field for loss in lost.losses] == ["alt", "alt"]
    assert [image.alt for image in lost.parts[0].media] == ["", ""]
    shown_alt = rendered(Post("x", title="T", media=media), captions=True)
    assert shown_alt.losses == ()
    assert [change.field for change in shown_alt.changes] == ["alt"]
    settings = {"reddit": Settings(options={"captions": True})}
    assert rendered(Post("x", title="T", media=media, networks=settings)).losses == ()
    film = Media(video(), "A launch", name="film.mp4")
    left = Reddit().adapt(
        Post("x", title="T", media=[media[0], film]),
        LIMITS.changed(video=None),
        RenderOptions({"captions": True}),
    )
    assert left.changes == ()
    assert sorted(loss.field for loss in left.losses) == ["alt", "media"]
    alone = rendered(Post("x", title="T", media=media[:1]), captions=True)
    assert [loss.field for loss in alone.losses] == ["alt"]
    long = Media(media[0].read(), alt="x" * 181, name="long")
    with pytest.raises(CannotRender, match="181 of 180"):
        rendered(Post("x", title="T", media=[long, media[1]]), captions=True)


# Answers

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Take a break for 7 minutes before trying again.", 421),
        ("you are doing that too much. try again in 59 seconds.", 60),
        ("Take a break for 1 minute before trying again.", 61),
        ("try again in 300 milliseconds.", 1.3),
        ("try again later", 601),
    ],
)
def test_pauses(message: str, seconds: float) -> None:
    assert pause_end(message, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RATELIMIT", Throttled),
        ("ALREADY_SUB", Duplicate),
        ("USER_REQUIRED", NeedsLogin),
        ("SUBREDDIT_NOEXIST", Refused),
        ("NEVER_SEEN", Refused),
    ],
)
def test_in_band_errors(code: str, kind: type[Exception]) -> None:
    errors = errors_of({"json": {"errors": [[code, "what it says", "sr"]]}})
    assert errors == [(code, "what it says", "sr")]
    assert type(refusal(errors)) is kind


@pytest.mark.parametrize(
    "answer",
    [None, "", [], {}, {"json": None}, {"json": {"errors": []}}, {"json": {"errors": None}}],
)
def test_no_errors(answer: object) -> None:
    assert errors_of(answer) == []
    with pytest.raises(InDoubt):
        receipt_of(answer)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"name": "t3_abc", "id": "abc", "url": "https://r/comments/abc/x/"}, "t3_abc"),
        ({"id": "t3_abc", "url": None}, "t3_abc"),
        ({"id": "abc"}, "t3_abc"),
        ({"url": "https://www.reddit.com/r/test/comments/abc/x/"}, "t3_abc"),
    ],
)
def test_receipts(data: dict[str, Any], found: str) -> None:
    assert receipt_of({"json": {"errors": [], "data": data}}).id == found


def test_flairs_by_text_or_id() -> None:
    choices = [
        {"flair_template_id": "1", "flair_text": "News"},
        {"flair_template_id": "2", "flair_text": "news"},
        {"flair_template_id": "3", "flair_text": "Release"},
    ]
    assert chosen(choices, "3", "x") == {"id": "3", "text": "Release"}
    assert chosen(choices, "news", "x") == {"id": "2", "text": "news"}
    assert chosen(choices, "release", "x") == {"id": "3", "text": "Release"}
    with pytest.raises(Refused, match="2 flairs read 'NEWS'; take the id of one: 1, 2"):
        chosen(choices, "NEWS", "x")
    with pytest.raises(Refused, match="It offers: none"):
        chosen([], "News", "x")


def test_requirements_are_sentences() -> None:
    rules = {
        "is_flair_required": True,
        "title_text_min_length": 10,
        "title_required_strings": ["[Release]"],
        "title_blacklisted_strings": ["free"],
        "body_restriction_policy": "required",
    }
    part = RenderedPart("", (), {"title": "Free"})
    assert problems(rules, part, "x") == [
        "r/x: it requires a flair; set the option flair.",
        "r/x: the title has 4 characters, at least 10 are required.",
        "r/x: the title must contain one of: [Release].",
        "r/x: the title must not contain 'free'.",
        "r/x: a text post must have a body.",
    ]
    assert problems({"body_restriction_policy": "notAllowed"}, RenderedPart("x"), "x") == [
        "r/x: a body is not allowed."
    ]
    assert problems({}, part, "x") == []

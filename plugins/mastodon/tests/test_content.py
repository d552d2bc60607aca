"""What the table cannot say of a post, and what tells two posts apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from postkit_mastodon.plugin import Mastodon, same

from postkit.network import CannotRender, Change, Outgoing, RenderedPart, RenderOptions, Rendition
from postkit.post import Poll, Post

NETWORK = Mastodon()


def adapt(post: Post) -> Rendition:
    return NETWORK.adapt(post, NETWORK.limits, RenderOptions())


def listed(content: str, **fields: Any) -> dict[str, Any]:
    return {"content": content, "media_attachments": [], **fields}


def outgoing(text: str, **fields: Any) -> Outgoing:
    return Outgoing(RenderedPart(text, (), fields), {}, "k", datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        # A host without a known ending is no link, and counts in full.
        ("https://intranet/" + "a" * 30, 47),
        # A link may touch text of another script.
        ("日本（https://example.com/x 語", 28),
        ("日本https://example.com/日本", 25),
    ],
)
def test_a_link_is_what_the_server_takes_for_one(text: str, count: int) -> None:
    assert NETWORK.limits.text[0].counter.count(text) == count


@pytest.mark.parametrize(
    ("lang", "sent"),
    [("de-AT", "de"), ("DE", "de"), ("pt-BR", "pt"), ("zh-Hant-TW", "zh"), ("ZH-tw", "zh-TW")],
)
def test_a_regional_language_is_sent_without_its_region(lang: str, sent: str) -> None:
    rendition = adapt(Post("a", lang=lang))
    assert rendition.parts[0].fields["lang"] == sent
    assert rendition.changes == (Change("lang", f"{lang} is sent as {sent}"),)


@pytest.mark.parametrize("lang", ["de", "zh-CN", "zh-TW", "tok"])
def test_other_languages_stay(lang: str) -> None:
    rendition = adapt(Post("a", lang=lang))
    assert (rendition.parts[0].fields["lang"], rendition.changes) == (lang, ())


def test_a_language_that_the_server_does_not_know_is_lost() -> None:
    rendition = adapt(Post("a", lang="tlh"))
    assert "lang" not in rendition.parts[0].fields
    (loss,) = rendition.losses
    assert (loss.field, loss.text) == (
        "lang",
        "tlh is not sent: Mastodon does not know that language",
    )


def test_a_poll_needs_a_text() -> None:
    with pytest.raises(CannotRender, match="poll: a text must stand beside it"):
        adapt(Post(poll=Poll(("a", "b"))))


def test_a_blank_warning_takes_no_room() -> None:
    assert len(adapt(Post("a" * 500, content_warning="  ")).parts) == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>1 23</p>", "12 3"),
        ("<p>Now here or nowhere</p>", "Nowhere or now here"),
    ],
)
def test_white_space_tells_texts_apart(content: str, text: str) -> None:
    assert not same(listed(content), outgoing(text))


def test_a_poll_tells_texts_apart() -> None:
    theirs = {"options": [{"title": "a"}, {"title": "b"}]}
    ours = {"options": ["a", "b"], "minutes": 60, "multiple": False}
    assert same(listed("<p>q</p>", poll=theirs), outgoing("q", poll=ours))
    assert not same(listed("<p>q</p>", poll=theirs), outgoing("q"))
    assert not same(listed("<p>q</p>"), outgoing("q", poll=ours))


def test_a_known_person_is_shown_without_their_server() -> None:
    name = '<span class="h-card"><a href="https://a.example/@b.c">@<span>b.c</span></a></span>'
    assert same(listed(f"<p>{name} hi</p>"), outgoing("@b.c@a.example hi"))

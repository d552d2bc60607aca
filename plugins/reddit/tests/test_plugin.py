"""The plugin through praw, over a real socket, against the emulated Reddit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from postkit.errors import InDoubt
from postkit.network import Attachment, Outgoing, Receipt, RenderedPart
from postkit.testing.media import OneMedium

if TYPE_CHECKING:
    from conftest import Link

Pictures = Callable[..., Attachment]
Parts = Callable[..., RenderedPart]
SINCE = datetime.now(UTC) - timedelta(minutes=2)


def test_identify_names_the_user_and_signs_the_requests(link: Link) -> None:
    me = link.network.identify(link.client)
    assert (me.id, me.name) == ("t2_p0stk1t", "u/postkit_emulated")
    agent = str(link.session.headers["User-Agent"])
    assert ":postkit:" in agent
    assert "(by /u/postkit_emulated) PRAW/" in agent


def test_connecting_sends_nothing(link: Link) -> None:
    assert link.paths() == []


def test_a_text_is_one_request_and_shown_as_written(link: Link, part: Parts) -> None:
    text = "# not a heading\n*not bold* snake_case _this_ 1. [x](y)\n1. one\n\n    indented"
    receipt = link.send(link.outgoing(part(text)))
    (post,) = link.server.posts("reddit")
    assert receipt.id == post.id
    assert receipt.url == post.url
    assert (post.title, post.target) == ("A title", "r/postkit_demo")
    assert post.text.replace("\u00a0", " ") == text
    assert link.creates() == 1


def test_markdown_is_sent_as_it_is_when_asked(link: Link, part: Parts) -> None:
    link.send(link.outgoing(part("**bold**", options={"markdown": True})))
    assert link.server.posts("reddit")[0].extra["source"] == "**bold**"


def test_a_link_post_carries_its_text(link: Link, part: Parts) -> None:
    link.send(link.outgoing(part("Why", link="https://example.com/a_b?c=d&e=f")))
    (post,) = link.server.posts("reddit")
    assert post.extra["kind"] == "link"
    assert post.link == "https://example.com/a_b?c=d&e=f"
    assert post.text == "Why"


def test_a_title_alone_is_enough(link: Link, part: Parts) -> None:
    link.send(link.outgoing(part("")))
    assert link.server.posts("reddit")[0].text == ""


def test_options_arrive(link: Link, part: Parts) -> None:
    options = {"nsfw": True, "spoiler": True, "sendreplies": False, "flair": "news"}
    link.send(link.outgoing(part(options=options)))
    extra = link.server.posts("reddit")[0].extra
    assert (extra["nsfw"], extra["spoiler"], extra["sendreplies"]) == (True, True, False)
    assert extra["flair_text"] == "News"


def test_a_picture_is_answered_without_an_id_and_found_at_once(
    link: Link, part: Parts, picture: Pictures
) -> None:
    outgoing = link.outgoing(part("Look", (picture("red"),)))
    with pytest.raises(InDoubt, match="without telling its id"):
        link.send(outgoing)
    (found,) = link.network.find(link.client, outgoing, SINCE)
    (post,) = link.server.posts("reddit")
    assert found.receipt == Receipt(post.id, post.url)
    assert found.proof
    assert post.text == "Look"
    assert len(post.media) == 1
    assert link.creates() == 1


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/gif"])
def test_the_type_of_a_picture_is_its_own_not_its_names(
    link: Link, part: Parts, picture: Pictures, mime: str
) -> None:
    with pytest.raises(InDoubt):
        link.send(link.outgoing(part("", (picture("blue", mime=mime),))))
    assert link.server.posts("reddit")[0].media[0].mime == mime


def test_a_gallery_keeps_the_order_and_shows_captions_only_when_asked(
    link: Link, part: Parts, picture: Pictures
) -> None:
    media = (picture("red", "A red one"), picture("blue", "A blue one"))
    receipt = link.send(link.outgoing(part("Two", media)))
    captioned = part("Three", media, options={"captions": True})
    link.send(link.outgoing(captioned))
    plain, shown = link.server.posts("reddit")
    assert receipt.id == plain.id
    assert plain.text == "Two"
    assert shown.text == "Three\n\nA red one\nA blue one"
    assert [m.sha256 for m in plain.media] == [m.sha256 for m in shown.media]
    assert plain.media[0].sha256 != plain.media[1].sha256


def test_a_poll_is_one_request_with_its_id_in_the_answer(link: Link, part: Parts) -> None:
    poll = {"options": ["Tea", "Coffee"], "minutes": 3 * 1440, "multiple": False}
    receipt = link.send(link.outgoing(part("Which?", poll=poll, options={"flair": "News"})))
    (live,) = link.server.posts("reddit")
    assert (receipt.id, receipt.url) == (live.id, live.url)
    assert live.poll is not None
    assert (live.text, live.poll.options) == ("Which?", ("Tea", "Coffee"))
    assert live.poll.ends_at is not None
    assert round((live.poll.ends_at - live.created_at).total_seconds()) == 3 * 86_400
    assert live.extra["flair_text"] == "News"
    assert link.creates() == 1


def test_prepare_skips_what_the_journal_has(link: Link, part: Parts, picture: Pictures) -> None:
    both = part("x", (picture("red"), picture("blue")), options={"flair": "Release"})
    journal = link.prepared(both)
    before = len(link.paths())
    link.network.prepare(link.client, both, journal)
    assert link.paths()[before:] == []
    assert set(journal) == {"flair", "media_0", "media_1"}


def test_the_same_outgoing_makes_the_same_bytes(link: Link, part: Parts, picture: Pictures) -> None:
    outgoing = link.outgoing(part("x", (picture("red"), picture("blue"))))
    link.send(outgoing)
    link.send(Outgoing.from_json(outgoing.to_json(), OneMedium()))
    sizes = [entry.bytes for entry in link.server.requests("reddit") if entry.create]
    assert len(sizes) == 2
    assert sizes[0] == sizes[1]

"""The plugin through praw, over a real socket, against the emulated Reddit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postkit.deliver.attempt import create
from postkit.deliver.clients import ask
from postkit.errors import (
    Duplicate,
    InDoubt,
    NeedsLogin,
    NetworkError,
    Refused,
    Throttled,
    Unavailable,
)
from postkit.network import Attachment, Outgoing, Receipt, RenderedPart

if TYPE_CHECKING:
    from conftest import Link

Pictures = Callable[..., Attachment]
Parts = Callable[..., RenderedPart]
SINCE = datetime.now(UTC) - timedelta(minutes=2)


def send(link: Link, outgoing: Outgoing) -> Receipt:
    return create(link.network, link.client, link.session, outgoing)


def prepared(link: Link, part: RenderedPart) -> dict[str, Any]:
    journal: dict[str, Any] = {}
    ask(link.network, link.session, lambda: link.network.prepare(link.client, part, journal))
    return journal


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
    receipt = send(link, link.outgoing(part(text)))
    (post,) = link.server.posts("reddit")
    assert receipt.id == post.id
    assert receipt.url == post.url
    assert (post.title, post.target) == ("A title", "r/postkit_demo")
    assert post.text.replace("\u00a0", " ") == text
    assert link.creates() == 1


def test_markdown_is_sent_as_it_is_when_asked(link: Link, part: Parts) -> None:
    send(link, link.outgoing(part("**bold**", options={"markdown": True})))
    assert link.server.posts("reddit")[0].extra["source"] == "**bold**"


def test_a_link_post_carries_its_text(link: Link, part: Parts) -> None:
    send(link, link.outgoing(part("Why", link="https://example.com/a_b?c=d&e=f")))
    (post,) = link.server.posts("reddit")
    assert post.extra["kind"] == "link"
    assert post.link == "https://example.com/a_b?c=d&e=f"
    assert post.text == "Why"


def test_a_title_alone_is_enough(link: Link, part: Parts) -> None:
    send(link, link.outgoing(part("")))
    assert link.server.posts("reddit")[0].text == ""


def test_options_arrive(link: Link, part: Parts) -> None:
    options = {"nsfw": True, "spoiler": True, "sendreplies": False, "flair": "news"}
    send(link, link.outgoing(part(options=options)))
    extra = link.server.posts("reddit")[0].extra
    assert (extra["nsfw"], extra["spoiler"], extra["sendreplies"]) == (True, True, False)
    assert extra["flair_text"] == "News"


def test_a_picture_is_answered_without_an_id_and_found_at_once(
    link: Link, part: Parts, picture: Pictures
) -> None:
    outgoing = link.outgoing(part("Look", (picture("red"),)))
    with pytest.raises(InDoubt, match="without telling its id"):
        send(link, outgoing)
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
        send(link, link.outgoing(part("", (picture("blue", mime=mime),))))
    assert link.server.posts("reddit")[0].media[0].mime == mime


def test_a_gallery_keeps_the_order_and_shows_captions_only_when_asked(
    link: Link, part: Parts, picture: Pictures
) -> None:
    media = (picture("red", "A red one"), picture("blue", "A blue one"))
    receipt = send(link, link.outgoing(part("Two", media)))
    captioned = part("Three", media, options={"captions": True})
    send(link, link.outgoing(captioned))
    plain, shown = link.server.posts("reddit")
    assert receipt.id == plain.id
    assert plain.text == "Two"
    assert shown.text == "Three\n\nA red one\nA blue one"
    assert [m.sha256 for m in plain.media] == [m.sha256 for m in shown.media]
    assert plain.media[0].sha256 != plain.media[1].sha256


def test_prepare_skips_what_the_journal_has(link: Link, part: Parts, picture: Pictures) -> None:
    both = part("x", (picture("red"), picture("blue")), options={"flair": "Release"})
    journal = prepared(link, both)
    before = len(link.paths())
    link.network.prepare(link.client, both, journal)
    assert link.paths()[before:] == []
    assert set(journal) == {"flair", "media_0", "media_1"}


def test_the_same_outgoing_makes_the_same_bytes(link: Link, part: Parts, picture: Pictures) -> None:
    outgoing = link.outgoing(part("x", (picture("red"), picture("blue"))))
    send(link, outgoing)
    send(link, Outgoing.from_json(outgoing.to_json(), lambda _: b""))
    sizes = [entry.bytes for entry in link.server.requests("reddit") if entry.create]
    assert len(sizes) == 2
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("fault", ["lose_answer", "reset", "truncate", "status", "no_id"])
def test_a_lost_answer_is_one_request_and_found(link: Link, part: Parts, fault: str) -> None:
    outgoing = link.outgoing(part("Found again"))
    link.server.add_fault("reddit", fault)
    with pytest.raises(InDoubt):
        send(link, outgoing)
    assert link.creates() == 1
    (found,) = link.network.find(link.client, outgoing, SINCE)
    assert found.receipt.id == link.server.posts("reddit")[0].id


def test_no_retry_and_no_sleep_after_a_lost_answer(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.server.add_fault("reddit", "status", times=5, accepted=False)
    started = datetime.now(UTC)
    with pytest.raises(InDoubt, match="503"):
        send(link, outgoing)
    assert (datetime.now(UTC) - started).total_seconds() < 1
    assert link.creates() == 1
    assert link.network.find(link.client, outgoing, SINCE) == []


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Another title"},
        {"text": "Another body"},
        {"subreddit": "python"},
        {"link": "https://example.com/"},
    ],
)
def test_find_takes_nothing_that_differs(link: Link, part: Parts, other: dict[str, str]) -> None:
    send(link, link.outgoing(part(**other)))
    assert link.network.find(link.client, link.outgoing(part()), SINCE) == []


def test_find_takes_nothing_that_is_older(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    send(link, outgoing)
    later = datetime.now(UTC) + timedelta(seconds=2)
    assert link.network.find(link.client, outgoing, later) == []
    assert len(link.network.find(link.client, outgoing, SINCE)) == 1


def test_find_tells_two_pictures_apart(link: Link, part: Parts, picture: Pictures) -> None:
    first = link.outgoing(part("", (picture("red"),)))
    second = link.outgoing(part("", (picture("red"),)))
    for outgoing in (first, second):
        with pytest.raises(InDoubt):
            send(link, outgoing)
    proved = [c.receipt.id for c in link.network.find(link.client, first, SINCE) if c.proof]
    assert proved == [link.server.posts("reddit")[0].id]


def test_delete_and_recent(link: Link, part: Parts) -> None:
    receipt = send(link, link.outgoing(part("One")))
    send(link, link.outgoing(part("", title="Two", link="https://example.com/")))
    newest, oldest = link.network.recent(link.client)
    assert (newest.text, oldest.text) == ("Two\n\nhttps://example.com/", "A title\n\nOne")
    assert oldest.receipt == receipt
    link.network.delete(link.client, receipt)
    link.network.delete(link.client, receipt)
    assert [post.title for post in link.server.posts("reddit")] == ["Two"]


def test_a_password_logs_in_too(script: Link, part: Parts) -> None:
    assert send(script, script.outgoing(part())).id == script.server.posts("reddit")[0].id


# Access


def test_one_login_serves_many_clients(link: Link, part: Parts) -> None:
    send(link, link.outgoing(part()))
    session, client = link.open()
    client.me()
    session.close()
    assert link.paths().count("POST /api/v1/access_token") == 1


def test_a_dead_token_is_a_login_and_renewed_once(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    session, other = link.open()
    link.server.add_fault("reddit", "expire_token")
    with pytest.raises(NeedsLogin):
        send(link, outgoing)
    link.network.refresh(link.client)
    link.network.refresh(other)
    session.close()
    send(link, outgoing)
    assert link.paths().count("POST /api/v1/access_token") == 2
    assert len(link.server.posts("reddit")) == 1


def test_a_token_that_ends_soon_is_renewed_before_the_create(link: Link, part: Parts) -> None:
    link.server.set("reddit", "token_seconds", 60)
    outgoing = link.outgoing(part())
    before = link.paths().count("POST /api/v1/access_token")
    link.outgoing(part())
    assert link.paths().count("POST /api/v1/access_token") > before
    send(link, outgoing)


def test_publish_never_logs_in(link: Link, part: Parts) -> None:
    outgoing = Outgoing(part(), {}, "key", datetime.now(UTC))
    with pytest.raises(NeedsLogin, match="before anything was sent"):
        send(link, outgoing)
    assert link.paths() == []


@pytest.mark.parametrize("field", ["refresh_token", "client_secret"])
def test_wrong_credentials_need_a_person(link: Link, field: str) -> None:
    link.vault.fields[field] = "pk_canary_wrong"
    _, client = link.open()
    with pytest.raises(NeedsLogin, match="does not accept the credentials") as caught:
        client.me()
    assert "pk_canary" not in str(caught.value)


def test_a_wrong_password_needs_a_person(script: Link) -> None:
    script.vault.fields["password"] = "pk_canary_wrong"
    _, client = script.open()
    with pytest.raises(NeedsLogin, match="invalid_grant"):
        client.me()


def test_a_missing_scope_needs_a_person(link: Link) -> None:
    link.server.set("reddit", "scopes", "read submit")
    with pytest.raises(NeedsLogin, match="lacks a scope"):
        ask(link.network, link.session, link.client.me)


def test_no_secret_shows(link: Link, part: Parts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outgoing = link.outgoing(part())
    link.server.add_fault("reddit", "reset")
    with pytest.raises(InDoubt) as caught:
        send(link, outgoing)
    shown = f"{caught.value!r} {caught.value.__cause__!r} {link.client!r} {link.session.last!r}"
    assert "pk_canary" not in caplog.text + shown


# Refusals


@pytest.mark.parametrize(
    ("subreddit", "fields", "code"),
    [
        ("nosuch_one", {}, "SUBREDDIT_NOEXIST"),
        ("private_one", {}, "SUBREDDIT_NOTALLOWED"),
        ("linksonly", {}, "NO_SELFS"),
        ("textonly", {"link": "https://example.com/"}, "NO_LINKS"),
        ("python", {"title": ""}, "NO_TEXT"),
        ("python", {"title": "x" * 301}, "TOO_LONG"),
        ("python", {"text": "x" * 40_001}, "TOO_LONG"),
    ],
)
def test_refusals_come_with_status_200(
    link: Link, part: Parts, subreddit: str, fields: dict[str, str], code: str
) -> None:
    outgoing = link.outgoing(part(**{"subreddit": subreddit, **fields}))
    with pytest.raises(Refused) as caught:
        send(link, outgoing)
    assert type(caught.value) is Refused
    assert (caught.value.code, caught.value.status) == (code, 200)
    assert link.server.posts("reddit") == []


def test_a_link_that_is_there_is_a_duplicate(link: Link, part: Parts) -> None:
    asked = part("", link="https://example.com/", options={"resubmit": False})
    send(link, link.outgoing(asked))
    with pytest.raises(Duplicate) as caught:
        send(link, link.outgoing(asked))
    assert caught.value.code == "ALREADY_SUB"


def test_a_flair_that_ended_is_refused(link: Link, part: Parts) -> None:
    outgoing = Outgoing(part(), {"flair": {"id": "gone", "text": "x"}}, "key", datetime.now(UTC))
    link.client.authorise()
    with pytest.raises(Refused) as caught:
        send(link, outgoing)
    assert caught.value.code == "BAD_FLAIR_TEMPLATE_ID"


def test_an_unknown_flair_is_refused_before_anything_is_sent(link: Link, part: Parts) -> None:
    with pytest.raises(Refused, match=r"Did you mean 'Release'\? It offers: News, Release"):
        prepared(link, part(options={"flair": "Relase"}))
    assert link.creates() == 0


def test_a_required_flair_is_told_before_anything_is_sent(link: Link, part: Parts) -> None:
    with pytest.raises(Refused, match="r/flaired_one: it requires a flair"):
        prepared(link, part(subreddit="flaired_one"))
    assert link.creates() == 0


def test_a_pause_is_obeyed_to_the_second(link: Link, part: Parts) -> None:
    link.server.set("reddit", "break_minutes", 7)
    now = datetime.now(UTC)
    with pytest.raises(Throttled) as caught:
        send(link, link.outgoing(part()))
    assert caught.value.retry_at is not None
    assert 420 <= (caught.value.retry_at - now).total_seconds() <= 430
    assert caught.value.code == "RATELIMIT"


def test_a_429_names_its_time_and_closes_the_window(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.server.add_fault("reddit", "rate_limit", seconds=30)
    for _ in range(2):
        now = datetime.now(UTC)
        with pytest.raises(Throttled) as caught:
            send(link, outgoing)
        assert caught.value.retry_at is not None
        assert 25 <= (caught.value.retry_at - now).total_seconds() <= 31
    assert link.creates() == 1


def test_an_empty_window_raises_and_does_not_sleep(link: Link, part: Parts) -> None:
    link.server.set("reddit", "calls", 2)
    link.client.me()
    link.client.me()
    before = len(link.paths())
    started = datetime.now(UTC)
    with pytest.raises(Throttled, match="no more requests") as caught:
        link.network.prepare(link.client, part(), {})
    assert (datetime.now(UTC) - started).total_seconds() < 1
    assert caught.value.retry_at is not None
    assert caught.value.retry_at > started
    assert len(link.paths()) == before


def test_a_file_that_is_too_large_is_refused(link: Link, part: Parts) -> None:
    data = bytes(20_000_001)
    big = Attachment("x", "image/png", len(data), 1, 1, "", "big.png", lambda: data)
    with pytest.raises(Refused, match="size") as caught:
        prepared(link, part("", (big,)))
    assert caught.value.code == "EntityTooLarge"


def test_a_closed_server_is_unavailable(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.server.close()
    with pytest.raises(Unavailable, match="nothing was sent"):
        send(link, outgoing)
    with pytest.raises(Unavailable):
        ask(link.network, link.session, link.client.me)


def test_the_client_reaches_no_other_host(link: Link) -> None:
    from postkit.errors import PluginError

    with pytest.raises(PluginError, match=r"elsewhere\.example"):
        link.client._requestor.request("GET", "https://elsewhere.example/")


def test_every_failure_is_a_next_step(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    for fault in ("lose_answer", "reset", "truncate", "status", "no_id", "rate_limit"):
        link.server.reset()
        link.server.add_fault("reddit", fault, **({"seconds": 0} if fault == "rate_limit" else {}))
        with pytest.raises(NetworkError) as caught:
            send(link, outgoing)
        assert caught.value.network == "reddit" or "Reddit" in caught.value.message
        assert link.creates() == 1

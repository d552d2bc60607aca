"""What Reddit refuses or puts off, as the errors that say what to do next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postkit.deliver.clients import ask
from postkit.errors import Duplicate, NetworkError, PluginError, Refused, Throttled, Unavailable
from postkit.network import Attachment, Outgoing, RenderedPart

if TYPE_CHECKING:
    from conftest import Link

Parts = Callable[..., RenderedPart]


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
        link.send(outgoing)
    assert type(caught.value) is Refused
    assert (caught.value.code, caught.value.status) == (code, 200)
    assert link.server.posts("reddit") == []


def test_a_link_that_is_there_is_a_duplicate(link: Link, part: Parts) -> None:
    asked = part("", link="https://example.com/", options={"resubmit": False})
    link.send(link.outgoing(asked))
    with pytest.raises(Duplicate) as caught:
        link.send(link.outgoing(asked))
    assert caught.value.code == "ALREADY_SUB"


def test_a_flair_that_ended_is_refused(link: Link, part: Parts) -> None:
    outgoing = Outgoing(part(), {"flair": {"id": "gone", "text": "x"}}, "key", datetime.now(UTC))
    link.client.authorise()
    with pytest.raises(Refused) as caught:
        link.send(outgoing)
    assert caught.value.code == "BAD_FLAIR_TEMPLATE_ID"


def test_an_unknown_flair_is_refused_before_anything_is_sent(link: Link, part: Parts) -> None:
    with pytest.raises(Refused, match=r"Did you mean 'Release'\? It offers: News, Release"):
        link.prepared(part(options={"flair": "Relase"}))
    assert link.creates() == 0


def test_a_required_flair_is_told_before_anything_is_sent(link: Link, part: Parts) -> None:
    with pytest.raises(Refused, match="r/flaired_one: it requires a flair"):
        link.prepared(part(subreddit="flaired_one"))
    assert link.creates() == 0


def test_a_pause_is_obeyed_to_the_second(link: Link, part: Parts) -> None:
    link.server.set("reddit", "break_minutes", 7)
    now = datetime.now(UTC)
    with pytest.raises(Throttled) as caught:
        link.send(link.outgoing(part()))
    assert caught.value.retry_at is not None
    assert 420 <= (caught.value.retry_at - now).total_seconds() <= 430
    assert caught.value.code == "RATELIMIT"


def test_a_429_names_its_time_and_closes_the_window(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.server.add_fault("reddit", "rate_limit", seconds=30)
    for _ in range(2):
        now = datetime.now(UTC)
        with pytest.raises(Throttled) as caught:
            link.send(outgoing)
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
        link.prepared(part("", (big,)))
    assert caught.value.code == "EntityTooLarge"


def test_a_closed_server_is_unavailable(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.server.close()
    with pytest.raises(Unavailable, match="nothing was sent"):
        link.send(outgoing)
    with pytest.raises(Unavailable):
        ask(link.network, link.session, link.client.me)


def test_the_client_reaches_no_other_host(link: Link) -> None:
    with pytest.raises(PluginError, match=r"elsewhere\.example"):
        link.client._requestor.request("GET", "https://elsewhere.example/")


def test_every_failure_is_a_next_step(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    for fault in ("lose_answer", "reset", "truncate", "status", "no_id", "rate_limit"):
        link.server.reset()
        link.server.add_fault("reddit", fault, **({"seconds": 0} if fault == "rate_limit" else {}))
        with pytest.raises(NetworkError) as caught:
            link.send(outgoing)
        assert caught.value.network == "reddit" or "Reddit" in caught.value.message
        assert link.creates() == 1

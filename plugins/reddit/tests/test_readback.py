"""Finding, listing and deleting our own posts; a lost answer is one request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from postkit.errors import InDoubt
from postkit.network import Attachment, RenderedPart

if TYPE_CHECKING:
    from conftest import Link

Pictures = Callable[..., Attachment]
Parts = Callable[..., RenderedPart]
SINCE = datetime.now(UTC) - timedelta(minutes=2)


@pytest.mark.parametrize("fault", ["lose_answer", "reset", "truncate", "status", "no_id"])
def test_a_lost_answer_is_one_request_and_found(link: Link, part: Parts, fault: str) -> None:
    outgoing = link.outgoing(part("Found again"))
    link.server.add_fault("reddit", fault)
    with pytest.raises(InDoubt):
        link.send(outgoing)
    assert link.creates() == 1
    (found,) = link.network.find(link.client, outgoing, SINCE)
    assert found.receipt.id == link.server.posts("reddit")[0].id


@pytest.mark.parametrize("text", ["Which?", ""])
def test_a_poll_whose_answer_is_lost_is_found_by_its_options(
    link: Link, part: Parts, text: str
) -> None:
    poll = {"options": ["Tea", "Coffee"], "minutes": 1440, "multiple": False}
    outgoing = link.outgoing(part(text, poll=poll))
    link.server.add_fault("reddit", "lose_answer")
    with pytest.raises(InDoubt):
        link.send(outgoing)
    (found,) = link.network.find(link.client, outgoing, SINCE)
    assert found.receipt.id == link.server.posts("reddit")[0].id
    for other in (
        part(text),
        part("Another", poll=poll),
        part(text, poll={**poll, "options": ["Coffee", "Tea"]}),
    ):
        assert link.network.find(link.client, link.outgoing(other), SINCE) == []


def test_no_retry_and_no_sleep_after_a_lost_answer(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.server.add_fault("reddit", "status", times=5, accepted=False)
    started = datetime.now(UTC)
    with pytest.raises(InDoubt, match="503"):
        link.send(outgoing)
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
    link.send(link.outgoing(part(**other)))
    assert link.network.find(link.client, link.outgoing(part()), SINCE) == []


def test_find_takes_nothing_that_is_older(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    link.send(outgoing)
    later = datetime.now(UTC) + timedelta(seconds=2)
    assert link.network.find(link.client, outgoing, later) == []
    assert len(link.network.find(link.client, outgoing, SINCE)) == 1


def test_find_tells_two_pictures_apart(link: Link, part: Parts, picture: Pictures) -> None:
    first = link.outgoing(part("", (picture("red"),)))
    second = link.outgoing(part("", (picture("red"),)))
    for outgoing in (first, second):
        with pytest.raises(InDoubt):
            link.send(outgoing)
    proved = [c.receipt.id for c in link.network.find(link.client, first, SINCE) if c.proof]
    assert proved == [link.server.posts("reddit")[0].id]


def test_delete_and_recent(link: Link, part: Parts) -> None:
    receipt = link.send(link.outgoing(part("One")))
    link.send(link.outgoing(part("", title="Two", link="https://example.com/")))
    newest, oldest = link.network.recent(link.client)
    assert (newest.text, oldest.text) == ("Two\n\nhttps://example.com/", "A title\n\nOne")
    assert oldest.receipt == receipt
    link.network.delete(link.client, receipt)
    link.network.delete(link.client, receipt)
    assert [post.title for post in link.server.posts("reddit")] == ["Two"]

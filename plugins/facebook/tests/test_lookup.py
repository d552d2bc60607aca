"""After a lost answer: what is found, what it proves, and what is never sent twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from postkit_facebook.plugin import Facebook, bare_link

from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.errors import InDoubt
from postkit.network import Attachment, Outgoing, Receipt, RenderedPart

Out = Callable[..., Outgoing]
Picture = Callable[..., bytes]
Attach = Callable[..., Attachment]


def send(connection: Connection, outgoing: Outgoing) -> Receipt:
    return create(connection.network, connection.client, connection.session, outgoing)


def find(connection: Connection, outgoing: Outgoing, ago: float = 60.0) -> list[Any]:
    since = datetime.now(UTC) - timedelta(seconds=ago)
    return list(connection.network.find(connection.client, outgoing, since))


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests("facebook"))


@pytest.mark.parametrize("kind", ["lose_answer", "reset", "truncate", "status", "no_id"])
@pytest.mark.parametrize("accepted", [True, False])
def test_a_spoiled_answer_leaves_doubt_and_one_create(
    connection: Connection, outgoing: Out, server: EmulatorServer, kind: str, accepted: bool
) -> None:
    ready = outgoing("did it arrive?")
    server.add_fault("facebook", kind, accepted=accepted)
    with pytest.raises(InDoubt):
        send(connection, ready)
    assert creates(server) == 1
    found = find(connection, ready)
    assert [candidate.receipt.id for candidate in found] == [
        post.id for post in server.posts("facebook")
    ]
    assert len(found) == accepted


def test_photos_prove_that_a_found_post_is_ours(
    picture: Picture, connection: Connection, outgoing: Out, attach: Attach, server: EmulatorServer
) -> None:
    twin = outgoing("same words", attach(), attach(picture("red")))
    send(connection, twin)
    ready = outgoing("same words", attach(), attach(picture("red")))
    assert find(connection, ready) == []
    server.add_fault("facebook", "lose_answer")
    with pytest.raises(InDoubt):
        send(connection, ready)
    (candidate,) = find(connection, ready)
    assert candidate.proof
    assert candidate.receipt.id == server.posts("facebook")[-1].id
    assert candidate.receipt.url == server.posts("facebook")[-1].url


def test_a_single_photo_is_proof_too(connection: Connection, outgoing: Out, attach: Attach) -> None:
    ready = outgoing("", attach())
    receipt = send(connection, ready)
    (candidate,) = find(connection, ready)
    assert candidate.proof
    assert candidate.receipt == receipt


def test_a_text_is_found_by_its_words_link_and_time(
    connection: Connection, outgoing: Out, attach: Attach
) -> None:
    ready = outgoing("  some words\n\nof ours ", link="https://www.example.com/a/?b=1")
    assert find(connection, ready) == []
    send(connection, outgoing("some words\n\nof ours", attach()))
    send(connection, outgoing("some words\n\nof ours", link="https://example.com/other"))
    send(connection, outgoing("other words", link="https://www.example.com/a/?b=1"))
    assert find(connection, ready) == []
    receipt = send(connection, ready)
    (candidate,) = find(connection, ready)
    assert candidate.receipt == receipt
    assert not candidate.proof
    assert abs((candidate.at - datetime.now(UTC)).total_seconds()) < 10
    assert find(connection, ready, ago=-60.0) == []


def test_a_text_is_found_among_more_posts_than_one_page_lists(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    ready = outgoing("the first of many")
    receipt = send(connection, ready)
    for number in range(120):
        send(connection, outgoing(f"post {number}"))
    (candidate,) = find(connection, ready)
    assert candidate.receipt == receipt
    pages = [e.query for e in server.requests("facebook") if e.path.endswith("published_posts")]
    assert ["after" in parse_qs(query) for query in pages] == [False, True]


def test_links_are_compared_without_what_readers_do_not_notice() -> None:
    assert bare_link("https://www.Example.com/a/") == bare_link("http://example.com/a")
    assert bare_link("https://example.com/a#part") == bare_link("https://example.com/a")
    assert bare_link("https://example.com/a?b=1") != bare_link("https://example.com/a?b=2")
    assert bare_link("https://example.com/a") != bare_link("https://example.com/b")


def test_the_guarantee_is_a_look_and_never_a_blind_repeat(connection: Connection) -> None:
    guarantee = Facebook().guarantee(RenderedPart("x"), connection.account)
    assert (guarantee.kind, guarantee.quiet) == ("read_back", 900.0)
    assert not guarantee.resend_when_absent

"""Refusals and lost answers over a real socket: the next step, and never a second post."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from postkit_bluesky.emulator import BlueskyEmulator

from postkit.emulator.server import EmulatorServer
from postkit.errors import (
    InDoubt,
    NetworkError,
    Refused,
    Throttled,
    Unavailable,
)
from postkit.network import Account, RenderedPart
from postkit.transport import SecondCreate

from .desk import (
    NOW,
    Desk,
    creates,
    emulator,
    new_desk,
)

# What answers mean


def test_too_many_graphemes_are_refused_with_the_servers_sentence(desk: Desk) -> None:
    with pytest.raises(Refused) as error:
        desk.post("a" * 301)
    assert (error.value.status, error.value.code) == (400, "InvalidRequest")
    assert "grapheme too big (maximum 300, got 301) at $.record.text" in error.value.message


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("lose_answer", {}),
        ("reset", {}),
        ("hang", {}),
        ("truncate", {}),
        ("no_id", {}),
        ("status", {"status": 502}),
        ("status", {"status": 404}),
    ],
)
@pytest.mark.parametrize("accepted", [True, False])
def test_a_spoiled_answer_is_in_doubt_and_a_repeat_makes_no_second_post(
    tmp_path: Path,
    server: EmulatorServer,
    fault: str,
    settings: dict[str, Any],
    accepted: bool,
) -> None:
    desk = new_desk(tmp_path, server, read_timeout=0.5)
    outgoing = desk.outgoing(RenderedPart("Perhaps"))
    server.add_fault("bluesky", fault, accepted=accepted, **settings)
    with pytest.raises(InDoubt):
        desk.send(outgoing)
    assert creates(server) == 1
    assert len(desk.network.find(desk.client, outgoing, NOW)) == int(accepted)
    receipt = desk.send(outgoing)
    assert [post.id for post in server.posts()] == [receipt.id]
    assert creates(server) == 2


def test_a_late_post_and_its_repeat_are_one(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(RenderedPart("Slow"))
    server.add_fault("bluesky", "late", seconds=60)
    with pytest.raises(InDoubt):
        desk.send(outgoing)
    assert desk.network.find(desk.client, outgoing, NOW) == ()
    desk.send(outgoing)
    assert len(server.posts()) == 1


def test_a_rate_limit_names_its_end(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(RenderedPart("Later"))
    server.add_fault("bluesky", "rate_limit", seconds=90)
    with pytest.raises(Throttled) as error:
        desk.send(outgoing)
    assert error.value.code == "RateLimitExceeded"
    assert error.value.retry_at is not None
    wait = (error.value.retry_at - datetime.now(UTC)).total_seconds()
    assert 80 < wait <= 91
    assert server.posts() == []


def test_a_server_that_does_not_listen_is_unavailable(tmp_path: Path) -> None:
    with EmulatorServer([BlueskyEmulator]) as gone:
        desk = new_desk(tmp_path, gone)
        outgoing = desk.outgoing(RenderedPart("x"))
        endpoint = gone.accounts()[0].endpoint
    closed = Desk(desk.vault, Account("a_1", "bluesky", "it", endpoint))
    with pytest.raises(Unavailable):
        closed.send(outgoing)


def test_a_second_create_is_stopped_before_its_socket(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(RenderedPart("x"))
    with desk.session.create_scope():
        desk.network.publish(desk.client, outgoing)
        with pytest.raises(SecondCreate):
            desk.network.publish(desk.client, outgoing)
    assert creates(server) == 1


def test_no_secret_is_in_an_error_or_a_repr(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server)
    desk.post("x")
    emulator(server).expire_tokens()
    with pytest.raises(NetworkError) as error:
        desk.send(desk.outgoing(RenderedPart("a" * 301)))
    secret = {v for k, v in desk.vault.get("a_1").items() if k != "handle"}
    shown = repr((error.value, desk.client, desk.secrets, server.requests(), desk.session.last))
    assert len(secret) == 3
    assert not [value for value in secret if value in shown or value in str(error.value)]

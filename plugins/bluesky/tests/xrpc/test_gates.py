"""Who may reply, by the plugin over a real socket: the post and its gate, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postkit.emulator.server import EmulatorServer
from postkit.errors import InDoubt
from postkit.network import Account, Outgoing, RenderedPart
from postkit.testing.media import OneMedium

from .caller import DID, GATE, POST, Caller
from .desk import NOW, Desk, count, creates, new_desk

FEW = ("followers", "following", "mentioned", "nobody")
APPLY = "com.atproto.repo.applyWrites"


def limited(replies: str = "nobody") -> RenderedPart:
    return RenderedPart("Not for all", fields={"replies": replies})


@pytest.mark.parametrize("replies", FEW)
def test_the_gate_is_written_with_the_post_in_one_request(
    desk: Desk, server: EmulatorServer, caller: Caller, replies: str
) -> None:
    outgoing = desk.outgoing(limited(replies))
    receipt = desk.send(outgoing)
    (live,) = server.posts()
    assert (receipt.id, live.replies) == (live.id, replies)
    gate = caller.get(outgoing.key, GATE).json()["value"]
    assert gate["post"] == f"at://{DID}/{POST}/{outgoing.key}"
    assert gate["createdAt"] == "2026-11-23T05:00:00.123Z"
    assert (creates(server), count(server, APPLY)) == (1, 1)
    assert count(server, "com.atproto.repo.putRecord") == 0


def test_where_everyone_may_reply_there_is_no_gate(desk: Desk, server: EmulatorServer) -> None:
    desk.send(desk.outgoing(limited("everyone")))
    assert count(server, APPLY) == 0
    assert [post.replies for post in server.posts()] == ["everyone"]


@pytest.mark.parametrize("fault", ["lose_answer", "reset", "hang", "truncate", "no_id", "status"])
@pytest.mark.parametrize("accepted", [True, False])
def test_a_lost_answer_is_found_with_its_gate_or_sent_again(
    tmp_path: Path, server: EmulatorServer, fault: str, accepted: bool
) -> None:
    desk = new_desk(tmp_path, server, read_timeout=0.5)
    outgoing = desk.outgoing(limited())
    server.add_fault("bluesky", fault, accepted=accepted)
    with pytest.raises(InDoubt):
        desk.send(outgoing)
    found = desk.network.find(desk.client, outgoing, NOW)
    assert [candidate.proof for candidate in found] == [True] * accepted
    if not accepted:
        assert desk.send(outgoing).data["gate"] is True
    assert [post.replies for post in server.posts()] == ["nobody"]


def test_a_repeat_makes_no_second_post_and_is_looked_up(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(limited())
    first = desk.send(outgoing)
    with pytest.raises(InDoubt):
        desk.send(Outgoing.from_json(outgoing.to_json(), OneMedium()))
    (found,) = desk.network.find(desk.client, outgoing, NOW)
    assert (found.receipt, found.proof) == (first, True)
    assert len(server.posts()) == 1
    assert len({e.bytes for e in server.requests() if e.path.endswith(APPLY)}) == 1


def test_a_late_post_and_its_repeat_are_one(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(limited())
    server.add_fault("bluesky", "late", seconds=60)
    for _ in range(2):
        with pytest.raises(InDoubt):
            desk.send(outgoing)
    assert [post.replies for post in server.posts()] == ["nobody"]
    (found,) = desk.network.find(desk.client, outgoing, NOW)
    assert found.proof


def test_the_network_is_asked_for_the_post_where_a_repeat_is_no_answer() -> None:
    from postkit_bluesky.plugin import Bluesky

    account = Account("a_1", "bluesky", "it")
    kinds = {word: Bluesky().guarantee(limited(word), account).kind for word in (*FEW, "everyone")}
    assert kinds == {**dict.fromkeys(FEW, "probe"), "everyone": "key"}


def test_a_deleted_post_leaves_no_gate_behind(
    desk: Desk, server: EmulatorServer, caller: Caller
) -> None:
    outgoing = desk.outgoing(limited())
    receipt = desk.send(outgoing)
    for _ in range(2):
        desk.connection.ask(lambda: desk.network.delete(desk.client, receipt))
    assert server.posts() == []
    assert caller.get(outgoing.key, GATE).status_code == 400


def test_a_plain_post_is_deleted_by_one_request(desk: Desk, server: EmulatorServer) -> None:
    receipt: Any = desk.post("Plain")
    desk.connection.ask(lambda: desk.network.delete(desk.client, receipt))
    assert count(server, "com.atproto.repo.deleteRecord") == 1

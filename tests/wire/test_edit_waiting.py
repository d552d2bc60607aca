"""What waits for a limit and is edited meanwhile goes out once, with the new text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from postkit.kit import Kit
from postkit.network import Outgoing, Receipt
from postkit.post import Post
from postkit.transport import Session

from .board import Board, HandClock, Server, publish, send, states

SLOW = (429, '{"error": "slow"}', {"Retry-After": "600"})


@pytest.mark.parametrize("texts", [["New"], ["New", "longer"]], ids=["text", "thread"])
def test_the_new_text_alone_and_once(
    kit: Kit, server: Server, clock: HandClock, board: Board, texts: list[str]
) -> None:
    keys: list[str] = []

    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        keys.append(outgoing.key)
        return send(client, outgoing)

    board.sending = sending
    server.script = [SLOW]
    report = publish(kit, "Old", wait=0)
    assert (report.state, server.creates) == ("scheduled", 1)
    kit.edit(report.id, Post(texts))
    kit.work(wait=0)
    assert server.creates == 1, "the limit holds for the new text too"
    clock.offset += timedelta(seconds=601)
    kit.work(wait=0)
    kit.finish(report.id)
    kit.work(wait=0)
    assert [each["text"] for each in server.posts] == texts
    assert set(states(kit, report.id)) == {"LIVE"}
    assert keys[0] != keys[1], "other content under the same key would be taken for a repeat"


def test_it_still_says_until_when_it_waits(kit: Kit, server: Server) -> None:
    server.script = [SLOW]
    before = publish(kit, "Old", wait=0)
    after = kit.edit(before.id, Post("New")).deliveries[0]
    assert after.retry_at == before.retry_at is not None
    assert after.error == before.error

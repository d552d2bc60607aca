"""One post that is bad, in whatever way, keeps no other post of its account waiting."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postkit.errors import InDoubt, Refused, StoreError
from postkit.kit import Kit
from postkit.network import Account, Guarantee, Outgoing, Receipt, RenderedPart
from postkit.transport import Session

from .board import Board, HandClock, Server, listed, publish, send, sql

GOOD = ["one", "two", "three"]
MINUTE = timedelta(minutes=1)


class Fragile(Board):
    """``breaks`` is the member that fails for the post "bad"."""

    breaks = ""

    def check(self, member: str, text: str) -> None:
        if member == self.breaks and text == "bad":
            raise ZeroDivisionError("a defect of this plugin")

    def new_key(self, part: RenderedPart) -> str:
        self.check("new_key", part.text)
        return super().new_key(part)

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        self.check("guarantee", part.text)
        return super().guarantee(part, account)


@pytest.fixture
def board() -> Fragile:
    board = Fragile()

    def preparing(client: Session, part: RenderedPart, journal: Any) -> None:
        board.check("prepare", part.text)

    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        text = outgoing.part.text
        board.check("before", text)
        if text == "bad" and board.breaks == "refused":
            raise Refused("No such words.", network="board")
        receipt = send(client, outgoing)
        board.check("after", text)
        if text == "bad" and board.breaks in ("doubt", "find"):
            raise InDoubt("The answer was lost.", network="board")
        return receipt

    def finding(client: Session, outgoing: Outgoing) -> Any:
        board.check("find", outgoing.part.text)
        return [] if board.breaks == "doubt" else listed(client, outgoing)

    board.preparing, board.sending, board.finding = preparing, sending, finding
    return board


def spoil_rendition(kit: Kit) -> None:
    sql(kit, "UPDATE part SET rendition = '{}' WHERE rendition LIKE '%bad%'")


def spoil_outgoing(kit: Kit) -> None:
    sql(kit, "UPDATE part SET outgoing = '[1]' WHERE rendition LIKE '%bad%'")


def leave(kit: Kit) -> None:
    """The store is whole."""


CASES: list[tuple[str, Callable[[Kit], None]]] = [
    ("new_key", leave),
    ("guarantee", leave),
    ("prepare", leave),
    ("before", leave),
    ("after", leave),
    ("refused", leave),
    ("doubt", leave),
    ("find", leave),
    ("rendition", spoil_rendition),
    ("outgoing", spoil_outgoing),
]


@pytest.mark.parametrize(("breaks", "spoil"), CASES, ids=[name for name, _ in CASES])
def test_the_others_go_out_in_order(
    kit: Kit,
    server: Server,
    clock: HandClock,
    board: Fragile,
    breaks: str,
    spoil: Callable[[Kit], None],
) -> None:
    for seconds, text in enumerate(["bad", *GOOD], 1):
        kit.schedule(text, ["board"], at=clock.now() + timedelta(seconds=seconds))
    spoil(kit)
    board.breaks = breaks
    clock.offset += timedelta(seconds=10)
    kit.work(wait=0)
    assert [post["text"] for post in server.posts if post["text"] != "bad"] == GOOD
    creates = server.creates
    for _ in range(20):
        clock.offset += MINUTE
        kit.work(wait=0)
    assert server.creates <= creates + 1, "it is sent again and again"


@pytest.mark.parametrize("spoiled", ["[1]", '{"part": 7}'])
def test_a_late_look_that_cannot_be_made_keeps_nobody_waiting(
    kit: Kit, server: Server, clock: HandClock, spoiled: str
) -> None:
    report = publish(kit, "bad")
    other = publish(kit, "good")
    sql(kit, f"UPDATE part SET outgoing = '{spoiled}' WHERE delivery_id = '{report.id}'")
    clock.offset += timedelta(minutes=16)
    kit.work(wait=0)
    assert any(row.event == "audit" for row in kit.history(other.id))
    kit.accept(kit.plan("next", ["board"]))
    kit.work(wait=0)
    assert [post["text"] for post in server.posts] == ["bad", "good", "next"]
    for _ in range(100):
        clock.offset += timedelta(hours=1)
        kit.work(wait=0)
    last = kit.history(report.id)[-1]
    assert last.event == "audit"
    assert last.at < clock.now() - timedelta(hours=20), "it is asked for ever"


def test_what_breaks_once_it_is_claimed_is_put_off(
    kit: Kit, server: Server, board: Fragile, clock: HandClock
) -> None:
    """The request that it would repeat cannot be read any more."""
    server.script = [(429, '{"error": "slow"}', {"Retry-After": "5"})]
    kit.accept(kit.plan("bad", ["board"]))
    kit.work(wait=0)
    part = json.dumps({"part": 7})
    sql(kit, f"UPDATE part SET outgoing = json_set('{part}', '$.key', key), doubt_at = 0")
    clock.offset += timedelta(seconds=6)
    kit.accept(kit.plan("good", ["board"]))
    kit.work(wait=0)
    assert [post["text"] for post in server.posts] == ["good"]
    [bad] = kit.queue()
    assert bad.retry_at is not None
    assert bad.retry_at > clock.now()


def test_a_look_that_needs_a_picture_that_is_gone_stops_no_worker(
    kit: Kit, server: Server, board: Fragile, clock: HandClock
) -> None:
    def finding(client: Session, outgoing: Outgoing) -> Any:
        raise StoreError("The stored picture cannot be read.")

    server.script = ["lose"]
    kit.accept(kit.plan("bad", ["board"]))
    board.finding = finding
    kit.work(wait=0)
    kit.accept(kit.plan("good", ["board"]))
    kit.work(wait=0)
    assert [post["text"] for post in server.posts] == ["bad", "good"]
    clock.offset += MINUTE
    kit.work(wait=0)
    assert [d.state for r in kit.publications() for d in r.deliveries] == ["live", "uncertain"]

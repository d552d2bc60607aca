"""The brake at each step of a delivery: what has not left is held, and nothing is held for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.deliver.ledger import Ledger
from postkit.deliver.pauses import ALL
from postkit.errors import InputError
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.post import Post
from postkit.transport import Session

from .board import TOKEN, Board, HandClock, Server, kit_of, publish, send, states


@pytest.fixture
def other(
    tmp_path: Path, kit: Kit, server: Server, board: Board, clock: HandClock
) -> Iterator[Kit]:
    """The same home once more: the person who pauses, beside the program that sends."""
    with kit_of(tmp_path, server, board, clock) as other:
        yield other


def test_between_claim_and_sending_it_is_held(
    kit: Kit, other: Kit, server: Server, board: Board
) -> None:
    listed: list[Any] = []
    board.preparing = lambda *_: listed.append(other.pause(["board"], reason="stop"))
    report = publish(kit)
    assert (report.state, report.held_reason) == ("held", "paused")
    assert listed == [[]]
    assert server.creates == 0


def test_what_has_left_is_listed_and_becomes_live(
    kit: Kit, other: Kit, server: Server, board: Board
) -> None:
    listed: list[str | None] = []

    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        listed.extend(each.id for each in other.pause())
        return send(client, outgoing)

    board.sending = sending
    report = publish(kit)
    assert listed == [report.id]
    assert report.state == "live"


def test_a_thread_stops_between_its_parts(
    kit: Kit, other: Kit, server: Server, board: Board
) -> None:
    def sending(client: Session, outgoing: Outgoing) -> Receipt:
        other.pause(["board:board"])
        board.sending = send
        return send(client, outgoing)

    board.sending = sending
    report = publish(kit, Post(["one", "two", "three"]))
    assert [part.state for part in report.parts] == ["LIVE", "HELD", "SCHEDULED"]
    kit.unpause()
    kit.release(report.id)
    assert kit.finish(report.id).ok
    assert [post["parent"] for post in server.posts] == ["", "1", "2"]


def test_a_repeat_is_held_too(kit: Kit, server: Server, board: Board, clock: HandClock) -> None:
    """In doubt, then absent: the repeat is a request like any other."""
    board.promise = Guarantee("key", quiet=0.2, resend_when_absent=True)
    server.script = ["drop"]
    report = publish(kit, wait=0)
    assert report.state == "checking"
    [listed] = kit.pause(["board"])
    assert listed.id == report.id, "its request has left: it may be live"
    assert kit.finish(report.id, wait=60).deliveries[0].state == "held"
    assert server.creates == 1
    kit.unpause(send=True)
    assert kit.finish(report.id, wait=60).ok
    assert len(server.posts) == 1


def test_finding_out_goes_on_while_paused(kit: Kit, server: Server) -> None:
    server.script = ["lose"]
    report = publish(kit, wait=0)
    kit.pause()
    assert kit.finish(report.id, wait=60).deliveries[0].state == "live"
    assert server.creates == 1


def test_what_falls_due_while_paused_is_held_by_a_worker(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = kit.schedule("Later", ["board"], at="in 1h").deliveries[0]
    kit.pause(["board"])
    kit.work(wait=0)
    assert states(kit, str(report.id)) == ["SCHEDULED"]
    clock.offset += timedelta(hours=1, seconds=1)
    kit.work(wait=0)
    assert states(kit, str(report.id)) == ["HELD"]
    kit.unpause()
    kit.work(wait=0)
    assert (states(kit, str(report.id)), server.creates) == (["HELD"], 0)
    kit.release(str(report.id))
    kit.work(wait=0)
    assert (states(kit, str(report.id)), server.creates) == (["LIVE"], 1)


def test_what_was_held_for_days_is_sent_when_a_person_says_so(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    kit.pause()
    report = publish(kit)
    clock.offset += timedelta(days=3)
    kit.work(wait=0)
    assert states(kit, report.id) == ["HELD"], "held is not missed"
    kit.unpause(send=True)
    kit.work(wait=0)
    assert states(kit, report.id) == ["LIVE"]


def test_what_falls_due_while_paused_and_unworked_is_held_and_not_missed(
    kit: Kit, clock: HandClock
) -> None:
    """The worker was stopped as well, and comes back after the post has gone stale."""
    report = kit.schedule("Later", ["board"], at="in 1h").deliveries[0]
    kit.pause()
    clock.offset += timedelta(hours=8)
    kit.work(wait=0)
    assert states(kit, str(report.id)) == ["HELD"]


def test_what_is_not_due_yet_is_sent_after_the_pause_as_ever(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = kit.schedule("Later", ["board"], at="in 1h").deliveries[0]
    kit.pause()
    with pytest.raises(InputError, match="Nothing of"):
        kit.release(str(report.id))
    assert kit.unpause() == []
    clock.offset += timedelta(hours=1, seconds=1)
    kit.work(wait=0)
    assert states(kit, str(report.id)) == ["LIVE"]


def test_how_many_wait(kit: Kit) -> None:
    kit.schedule(Post(["one", "two"]), ["board"], at="in 1h")
    kit.schedule("Another", ["board"], at="in 2h")
    publish(kit)
    assert kit.count_scheduled() == 2
    assert kit.count_scheduled(["board", "board:board"]) == 2


def test_which_pause_covers_a_delivery(kit: Kit) -> None:
    report = kit.schedule("Later", ["board"], at="in 1h").deliveries[0]
    assert kit.pause_of(str(report.id)) is None
    kit.pause(["board:board"])
    kit.pause()
    assert kit.pause_of(str(report.id)) == "board:board"
    kit.unpause(["board:board"])
    assert kit.pause_of(str(report.id)) == ALL.address


def test_one_account_is_paused_and_its_neighbour_is_not(kit: Kit, server: Server) -> None:
    kit.connect("board", {"token": TOKEN}, name="second", endpoint=server.url)
    kit.pause(["board:board"])
    report = kit.publish("Hello", ["board:board", "board:second"])
    assert [each.state for each in report.deliveries] == ["held", "live"]


# Races and accounts that come and go


def test_a_pause_that_ends_before_the_hold_is_written_holds_nothing(
    kit: Kit, other: Kit, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the gate's no and the hold the pause ends: what is held was listed, and nothing is
    held without a word."""
    kit.pause()
    hold = Ledger.hold
    listed: list[str] = []

    def late(self: Ledger, *given: Any) -> Any:
        if other.pauses():
            listed.extend(each.id or "" for each in other.unpause())
        return hold(self, *given)

    monkeypatch.setattr(Ledger, "hold", late)
    report = publish(kit)
    assert report.state == "held"
    assert listed == [report.id]
    assert server.creates == 0


def test_an_account_that_is_connected_again_stays_paused(kit: Kit, server: Server) -> None:
    kit.pause(["board:board"])
    kit.remove_account("board:board")
    kit.connect("board", {"token": TOKEN}, endpoint=server.url)
    assert [pause.scope.address for pause in kit.pauses()] == ["board:board"]
    assert publish(kit).state == "held"
    [held] = kit.unpause(["board:board"])
    assert held.state == "held"


def test_an_account_that_is_connected_again_can_be_paused_again(kit: Kit, server: Server) -> None:
    kit.pause(["board:board"])
    kit.remove_account("board:board")
    kit.connect("board", {"token": TOKEN}, endpoint=server.url)
    kit.pause(["board:board"], reason="again")
    assert publish(kit).state == "held"


def test_the_pause_of_an_account_that_is_gone_can_be_ended(kit: Kit) -> None:
    kit.pause(["board:board"])
    kit.remove_account("board:board")
    assert kit.unpause(["board:board"]) == []
    assert kit.pauses() == []


def test_what_fell_due_while_nothing_ran_is_held_too(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    kit.pause(["board"])
    due = kit.schedule("due", ["board"], at="in 1s").publication or ""
    later = kit.schedule("later", ["board"], at="in 2h").publication or ""
    clock.offset += timedelta(seconds=2)
    held = kit.unpause(["board"])
    assert [each.parts[0].text for each in held] == ["due"]
    kit.work(wait=0)
    assert server.creates == 0
    assert kit.report(due).deliveries[0].held_reason == "paused"
    assert kit.report(later).deliveries[0].state == "scheduled"
    kit.release(due)
    kit.work(wait=0)
    assert [post["text"] for post in server.posts] == ["due"]

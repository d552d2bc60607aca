"""A network that limits our looks: one call a window, and the doubt is settled in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from postkit.errors import Throttled
from postkit.kit import Kit
from postkit.network import Outgoing
from postkit.transport import Session

from .board import Board, HandClock, Server, listed, publish, states

WINDOW = timedelta(minutes=15)


class Slow(Board):
    """Refuses so many looks, each for a window."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self.clock = clock
        self.refusals = 0
        self.finding = self.look

    def look(self, client: Session, outgoing: Outgoing) -> Any:
        found = listed(client, outgoing)
        if self.refusals:
            self.refusals -= 1
            raise Throttled("Slow.", network="board", retry_at=self.clock.now() + WINDOW)
        # The board's clock is the real one, which ours leaves behind.
        return [replace(each, proof=True) for each in found]


@pytest.fixture
def board(clock: HandClock) -> Slow:
    return Slow(clock)


@pytest.fixture(autouse=True)
def _counted(kit: Kit, server: Server) -> None:
    """From here on: to connect an account is a look too."""
    server.looks = 0


@pytest.mark.parametrize("by", ["work", "finish"])
@pytest.mark.parametrize(("made", "state"), [("lose", "live"), ("drop", "uncertain")])
def test_each_window_has_one_call_and_the_end_is_right(
    kit: Kit, server: Server, board: Slow, clock: HandClock, by: str, made: str, state: str
) -> None:
    server.script, board.refusals = [made], 4
    report = publish(kit, wait=0)
    assert (report.state, server.looks) == ("checking", 1)
    # Whoever comes by within the window asks nothing.
    for window in range(1, 4):
        for _ in range(3):
            clock.offset += WINDOW / 4
            kit.work(wait=0) if by == "work" else kit.finish(report.id, wait=0)
            assert server.looks == window
        clock.offset += WINDOW / 4 + timedelta(seconds=1)
        kit.work(wait=0) if by == "work" else kit.finish(report.id, wait=0)
        assert server.looks == window + 1
    clock.offset += WINDOW + timedelta(seconds=1)
    kit.finish(report.id, wait=120)
    assert kit.report(report.id).deliveries[0].state == state
    assert server.creates == 1


def test_a_run_that_has_the_time_waits_for_the_window(
    kit: Kit, server: Server, board: Slow, clock: HandClock
) -> None:
    server.script, board.refusals = ["lose"], 3
    before = clock.now()
    assert publish(kit, wait=4 * WINDOW.total_seconds()).state == "live"
    assert clock.now() - before >= 3 * WINDOW
    assert (server.looks, server.creates) == (4, 1), "three refusals, and the look that works"


def test_several_lost_answers_share_the_window_of_their_account(
    kit: Kit, server: Server, board: Slow, clock: HandClock
) -> None:
    server.script, board.refusals = ["lose"] * 3, 3
    for text in ("one", "two", "three"):
        kit.accept(kit.plan(text, ["board"]))
    for looks in range(1, 4):
        for _ in range(3):
            kit.work(wait=0)
            assert server.looks == looks
        clock.offset += WINDOW + timedelta(seconds=1)
    kit.work(wait=4 * WINDOW.total_seconds())
    assert [d.state for r in kit.publications() for d in r.deliveries] == ["live"] * 3
    assert (server.creates, len(server.posts)) == (3, 3)


def test_a_limit_without_a_time_is_asked_less_and_less_and_then_a_person(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    calls = []

    def finding(client: Session, outgoing: Outgoing) -> Any:
        calls.append(clock.now())
        raise Throttled("Slow.", network="board")

    board.finding = finding
    server.script = ["lose"]
    report = publish(kit, wait=0)
    kit.finish(report.id, wait=3600)
    pauses = [(b - a).total_seconds() for a, b in pairwise(calls)]
    assert len(calls) <= 25
    assert pauses[-1] >= 290
    clock.offset += timedelta(days=1)
    kit.finish(report.id, wait=600)
    assert states(kit, report.id) == ["UNCERTAIN"]
    assert server.creates == 1

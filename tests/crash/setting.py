"""A machine whose clock is set in the midst of a delivery."""

from __future__ import annotations

from datetime import timedelta

from postkit.network import Candidate, Guarantee, Journal, Outgoing, RenderedPart
from postkit.transport import Session
from tests.wire.board import listed

from .hand import TimedBoard
from .leaping import LeapingClock


class SetBoard(TimedBoard):
    """A board during whose steps the clock of the machine is set, once."""

    def __init__(self, clock: LeapingClock, phase: str, by: timedelta, promise: Guarantee) -> None:
        super().__init__(clock, promise=promise)
        self.left = 1

        def step(name: str) -> None:
            if name == phase and self.left:
                self.left = 0
                clock.set(by)

        def preparing(client: Session, part: RenderedPart, journal: Journal) -> None:
            step("claimed")

        def finding(client: Session, outgoing: Outgoing) -> list[Candidate]:
            step("in doubt")
            return listed(client, outgoing)

        self.step = step
        self.preparing = preparing
        self.finding = finding

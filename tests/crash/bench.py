"""A home with one account, by a clock of its own, and what was to be sent when."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from postkit.clock import micros
from postkit.engine.worker import POLL
from tests.wire.board import TOKEN, Board

from .checker import check
from .hand import TimedBoard, opened
from .leaping import LeapingClock
from .weather import Weather

LOOK = int(POLL * 1_000_000)
"""Microseconds between two looks of an idle worker."""


class Bench:
    """A home with one account, by a clock that begins at ``start``."""

    def __init__(self, folder: Path, sky: Weather, start: datetime, board: Board | None) -> None:
        self.home = Path(tempfile.mkdtemp(dir=folder))
        self.clock = LeapingClock(self.home / "time", start)
        self.sky = sky
        sky.reset(self.clock)
        self.board = board or TimedBoard(self.clock)
        self.kit = opened(self.home, self.clock, self.board)
        self.kit.connect("board", {"token": TOKEN}, name="a", endpoint=f"{sky.url}/a")
        self.due: dict[str, datetime] = {}

    def schedule(self, text: str, at: str, zone: str | None = None, expires: str = "6h") -> str:
        [report] = self.kit.schedule(
            text, ["board:a"], at=at, zone=zone, expires=expires
        ).deliveries
        assert report.id is not None
        assert report.at is not None
        self.due[text] = report.at
        return report.id

    def work(self, hours: float) -> None:
        """A worker that runs for so long by the monotonic clock, whether or not there is work."""
        worker = self.kit.worker()
        self.clock.alarm(hours * 3600, worker.stop)
        worker.run()

    def assert_on_time(self, late: int = LOOK) -> None:
        """Each once, none early, and none later than ``late`` microseconds."""
        assert sorted(post.text for post in self.sky.made) == sorted(self.due)
        for post in self.sky.made:
            after = post.at - micros(self.due[post.text])
            assert 0 <= after <= late, f"{post.text} was sent {after / 1e6:.3f} s after its time"
        self.assert_once()

    def assert_once(self) -> None:
        assert sorted(post.text for post in self.sky.made) == sorted(self.due)
        assert len(self.sky.calls) == len(self.due)
        findings = check(self.sky.facts(self.home / "postkit.db"))
        # A line of history has the time of the wall, which may have been set in between.
        kinds = findings.kinds() - {"unannounced"}
        assert not kinds, [str(violation) for violation in findings.violations]

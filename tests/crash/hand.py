"""A worker in a process of its own, by a clock that it shares with others.

``python -m tests.crash.hand`` works until its standard input ends.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from postkit.classify import by_status
from postkit.clock import Clock
from postkit.deliver.rates import observed
from postkit.errors import NetworkError
from postkit.kit import Kit
from postkit.limits.model import Limits, Rate
from postkit.network import Account, Failure, Guarantee
from tests.wire.board import KEY, SOURCE, Board, Plugin

from .leaping import LeapingClock

ROOT = Path(__file__).parents[2]
KEYED = Guarantee("key", quiet=60.0, resend_when_absent=True)


class TimedBoard(Board):
    """A board that knows its keys, and understands a limit by the clock of the test."""

    def __init__(
        self,
        clock: Clock,
        rates: Sequence[tuple[int, int]] = (),
        promise: Guarantee = KEYED,
    ) -> None:
        super().__init__(promise)
        self.clock = clock
        declared = tuple(Rate("posts of an account", n, s, SOURCE) for n, s in rates)
        self.declared = replace(Board.limits, rates=declared)

    def limits_for(self, account: Account) -> Limits:
        return self.declared

    def classify(self, failure: Failure) -> NetworkError:
        answer = failure.exchange
        at = None
        if answer is not None and answer.status == 429:
            at = observed(429, answer.headers, self.clock.now()).retry_at
        return by_status(self.title, failure, retry_at=at)


def opened(home: Path, clock: LeapingClock, board: Board | None = None) -> Kit:
    board = board or TimedBoard(clock)
    kit = Kit(home=home, key=KEY, plugins=[Plugin(board)], clock=clock)
    clock.store = kit.home.store_path
    return kit


class Hand:
    """The process as its parent sees it."""

    def __init__(
        self, home: Path, clock: LeapingClock, rates: Sequence[tuple[int, int]] = ()
    ) -> None:
        words = json.dumps([str(home), str(clock.file), clock.stride, list(rates)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.hand", words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


def work(words: Any) -> None:
    home, file, stride, rates = words
    clock = LeapingClock(Path(file), stride=stride)
    board = TimedBoard(clock, [(n, s) for n, s in rates])
    with opened(Path(home), clock, board) as kit:
        worker = kit.worker()

        def listen() -> None:
            sys.stdin.read()
            worker.stop()

        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        threading.Thread(target=listen, daemon=True).start()
        worker.run()


if __name__ == "__main__":
    work(json.loads(sys.argv[1]))

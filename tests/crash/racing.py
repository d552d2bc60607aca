"""One process of the pause races: it sends, or it pauses, as the test tells it line by line."""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

import postkit.engine.worker
from postkit.deliver import gates, ledger
from postkit.kit import Kit
from postkit.store.rows import PartRow
from tests.wire.board import KEY, Board, Plugin

SLOWEST = 0.004
"""Seconds between claim and SENDING: so long a pause may come in between."""


def main() -> None:
    role, home, seed = sys.argv[1:4]
    board = Board()
    dice = random.Random(seed)
    # A worker that looks for work every 0.2 s would make each race as long.
    postkit.engine.worker.POLL = 0.005
    postkit.engine.worker.AGAIN = 0.005
    board.preparing = lambda *_: time.sleep(dice.uniform(0, SLOWEST))
    if role == "careless":
        # What the test must find: a gate that looks when the part is claimed, and not again.
        gate = gates.not_paused
        board.preparing = lambda *_: time.sleep(0.02)

        def careless(connection: sqlite3.Connection, part: PartRow) -> None:
            if part.state == "SCHEDULED":
                gate(connection, part)

        vars(ledger)["not_paused"] = careless
    with Kit(Path(home), key=KEY, plugins=[Plugin(board)]) as kit:
        if role == "pauser":
            pause(kit)
        else:
            work(kit)


def work(kit: Kit) -> None:
    """Send what is due, in threads, until the test closes the pipe."""
    worker = kit.worker(threads=4)
    thread = threading.Thread(target=worker.run)
    thread.start()
    say({"ready": True})
    sys.stdin.read()
    worker.stop()
    thread.join()


def pause(kit: Kit) -> None:
    """Pause at a moment, and say what was on its way; or end all pauses and send."""
    say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        if "at" in order:
            time.sleep(max(0.0, order["at"] - time.monotonic()))
            left = kit.pause(order["addresses"])
            say({"returned": time.time(), "listed": [each.id for each in left]})
        else:
            held = kit.unpause(send=order["send"])
            say({"held": [each.id for each in held]})


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

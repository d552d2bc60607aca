"""Several processes at one account, each with several threads that publish at once.

Run as a program it is one of them.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from postkit.deliver.clients import Connection
from postkit.kit import Kit
from postkit.post import Post

from .ring import RingPlugin

ROOT = Path(__file__).parents[2]
KEY = b"k" * 32
TITLE = "A day at the lake"
LINE = "at once, by thread {thread} of process {process}"
THREADS = 4


class Crew:
    """Processes that each open the home and wait; ``say`` tells all of them the same."""

    def __init__(self, count: int) -> None:
        command = [sys.executable, "-m", "tests.crash.crew"]
        pipe = subprocess.PIPE
        self.processes = [
            subprocess.Popen(
                [*command, str(number)], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
            )
            for number in range(count)
        ]

    def say(self, *words: str) -> list[str]:
        """Tell everybody, then hear everybody: one line of JSON each."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
        return [process.stdout.readline() for process in self.processes if process.stdout]

    def close(self) -> str:
        """End all; what they wrote to standard error."""
        written = "".join(process.communicate(timeout=30)[1] for process in self.processes)
        assert [process.returncode for process in self.processes] == [0] * len(self.processes)
        return written


def work(process: str) -> None:
    """``["open", HOME, LABEL]`` connects four clients and keeps them in hand; ``["ask"]`` has all
    of them ask the network something at once and lays them down; ``["publish", ADDRESS]``."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    kit: Kit | None = None
    taken: list[Connection] = []
    for line in sys.stdin:
        verb, *words = json.loads(line)
        if verb == "open":
            kit = Kit(home=words[0], key=KEY, plugins=[RingPlugin()])
            account = kit.account(words[1])
            taken = [kit.clients.take(account) for _ in range(THREADS)]
            # Used once, so that each holds the access that is about to end.
            answer = ask_at_once(taken)
        elif verb == "ask":
            assert kit is not None
            answer = ask_at_once(taken)
            for connection in taken:
                kit.clients.give(connection)
        else:
            assert kit is not None
            answer = publish_at_once(kit, words[0], process)
            kit.close()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def ask_at_once(connections: Sequence[Connection]) -> list[str]:
    def one(number: int) -> str:
        connection = connections[number]
        return connection.ask(partial(connection.network.identify, connection.client)).name

    return at_once(one)


def publish_at_once(kit: Kit, address: str, process: str) -> list[str]:
    def one(thread: int) -> str:
        post = Post([LINE.format(thread=thread, process=process)], title=TITLE)
        return kit.publish(post, [address], wait=30).deliveries[0].state

    return at_once(one)


def at_once(what: Callable[[int], str]) -> list[str]:
    answers: list[str] = []

    def one(number: int) -> None:
        answers.append(what(number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


if __name__ == "__main__":
    work(sys.argv[1])

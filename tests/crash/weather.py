"""A network of many accounts whose weather a test makes: every answer is a test's, by a clock."""

from __future__ import annotations

import itertools
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Protocol

from postkit.clock import moment

from .facts import Accepted, Create, Facts, read


class Time(Protocol):
    """What the network needs of a clock: microseconds of the wall and of the monotonic one."""

    @property
    def wall(self) -> int: ...

    @property
    def passed(self) -> int: ...


class RealTime:
    """Of this machine."""

    @property
    def wall(self) -> int:
        return time.time_ns() // 1000

    @property
    def passed(self) -> int:
        return time.monotonic_ns() // 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One create request. ``at``: microseconds of the wall clock when it came; ``passed``: of the
    monotonic one; ``status`` 0: no answer."""

    account: str
    text: str
    key: str
    at: int
    passed: int
    status: int
    remote_id: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a create. ``status`` 0 closes the connection without a byte."""

    status: int = 200
    accepted: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


OK = Answer()
LOST = Answer(0)
DROPPED = Answer(0, accepted=False)


def limited(**headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(429, accepted=False, headers=named)


@dataclass
class Weather:
    """``calls`` is everything that came, ``made`` the posts that are there. ``keyed``: a known key
    makes no second post. ``ahead``: how far the network's clock is before ours."""

    clock: Time
    url: str = ""
    answer: Callable[[str, str], Answer] = lambda account, text: OK
    keyed: bool = False
    ahead: timedelta = timedelta()
    calls: list[Call] = field(default_factory=list)
    made: list[Call] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    listener: socket.socket | None = None

    def reset(self, clock: Time) -> None:
        self.clock = clock
        self.answer, self.keyed, self.ahead = lambda account, text: OK, False, timedelta()
        self.calls, self.made = [], []

    def take(self, account: str, body: Mapping[str, str]) -> tuple[Answer, Call]:
        said = self.answer(account, body["text"])
        with self.guard:
            call = Call(
                account, body["text"], body["key"], self.clock.wall, self.clock.passed,
                said.status, parent=body.get("parent", ""),
            )  # fmt: skip
            known = [post for post in self.made if self.keyed and post.key == call.key]
            if said.accepted:
                call = replace(call, remote_id=f"{len(self.made) + 1}")
            if known:
                call = replace(call, remote_id=known[0].remote_id)
            elif said.accepted:
                self.made.append(call)
            self.calls.append(call)
        return said, call

    def of(self, account: str) -> list[Call]:
        """The posts of an account in the order in which they were made."""
        return [post for post in self.made if post.account == account]

    def calls_of(self, account: str) -> list[Call]:
        return [call for call in self.calls if call.account == account]

    def refuse(self) -> None:
        """From now on nobody can connect."""
        assert self.listener is not None
        self.listener.shutdown(socket.SHUT_RDWR)

    def listen(self) -> None:
        assert self.listener is not None
        self.listener.listen(64)

    def facts(self, store: Path) -> Facts:
        """The store's rows, and what is here, by the store's ids of the accounts."""
        facts = read(store)
        ids = _ids(store)
        accepted = [
            Accepted("board", ids[p.account], p.text, p.parent, p.remote_id, p.at, p.key)
            for p in self.made
        ]
        return replace(
            facts,
            accepted=accepted,
            creates=[Create(ids[call.account], call.at) for call in self.calls],
        )


def _ids(store: Path) -> dict[str, str]:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return {name: key for key, name in connection.execute("SELECT id, name FROM account")}
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    weather: ClassVar[Weather]

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"] or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        said, call = self.weather.take(self.path.split("/")[1], body)
        if said.status == 0:
            self.close_connection = True
            return
        good = said.status < 400
        self._answer(said.status, self._row(call) if good else {"error": "no"}, said.headers)

    def do_GET(self) -> None:
        self._answer(200, [self._row(post) for post in self.weather.of(self.path.split("/")[1])])

    def _answer(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _row(self, post: Call) -> dict[str, str]:
        at = moment(post.at) + self.weather.ahead
        return {"id": post.remote_id, "text": post.text, "at": at.isoformat()}

    def date_time_string(self, timestamp: float | None = None) -> str:
        """By the network's clock, which is not set when ours is."""
        return format_datetime(moment(self.weather.clock.wall) + self.weather.ahead, usegmt=True)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def weather(clock: Time) -> Iterator[Weather]:
    made = Weather(clock)
    handler = type("Handler", (_Handler,), {"weather": made})
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Bound by its number, so that the kernel leaves it to us while nobody listens.
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    server.socket.listen(128)  # all accounts come at once
    made.listener = server.socket
    made.url = f"http://127.0.0.1:{port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def seconds_between(calls: Sequence[Call]) -> list[float]:
    """Between one call and the next, by the monotonic clock."""
    times = [call.passed for call in calls]
    return [(after - before) / 1e6 for before, after in itertools.pairwise(times)]


def most_within(calls: Sequence[Call], seconds: float) -> int:
    """The most calls in any span of that length."""
    times = sorted(call.passed for call in calls)
    span = int(seconds * 1e6)
    return max((sum(start <= t < start + span for t in times) for start in times), default=0)

"""Where a process can be struck: every persisted change and every step at the socket, by name.

``install`` wraps sqlite3 and the HTTP connection of this process. Each event has a name that is
the same in every run ("commit accepted 2: in"), is written to the trace when it is reached, and
kills or stops the process there if that was ordered.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import re
import resource
import signal
import socket
import sqlite3
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import requests
import urllib3.connection

from .facts import WITNESS

Strike = Literal["kill", "stop"]
NUMBER = re.compile(r"\d[\w-]{4,}")
CHANGE = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)
INSIDE_PAGE = 2000
"""Bytes of the first page of a commit that reach the file before the process dies."""


class Points:
    """The events of this process. ``at`` is the name of the one where it is struck."""

    def __init__(self, trace: Path, at: str | None, strike: Strike) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._at = at
        self._signal = signal.SIGKILL if strike == "kill" else signal.SIGSTOP
        self._strike = strike
        self._seen: Counter[str] = Counter()
        self._guard = threading.Lock()

    def reach(self, what: str) -> None:
        if self._named(what):
            # To this very thread: another one would take the signal a moment later, and this one
            # go on meanwhile.
            signal.pthread_kill(threading.get_ident(), self._signal)

    def reach_commit(self, what: str, store: str) -> None:
        """In the midst of a COMMIT: its first page is cut off by the kernel, which ends us."""
        if self._strike == "stop":
            return  # a process cannot be stopped in there; before and after are the same
        if self._named(what):
            tear(store)

    def note(self, text: str) -> None:
        """A line in the trace that is no point."""
        os.write(self._trace, f"# {' '.join(text.split())}\n".encode("utf-8", "replace"))

    def _named(self, what: str) -> bool:
        with self._guard:
            self._seen[what] += 1
            name = f"{what} {self._seen[what]}"
            os.write(self._trace, f"{name}\n".encode())
        return name == self._at


def tear(store: str) -> None:
    """From now on this process dies when it writes past the midst of the log's next page."""
    with Path(f"{store}-shm").open("rb") as index:
        header = index.read(48)
    (page,) = struct.unpack_from("=H", header, 14)
    (frames,) = struct.unpack_from("=I", header, 16)
    size = 32 + frames * (24 + (65_536 if page == 1 else page)) + 24 + INSIDE_PAGE
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def traced(trace: Path) -> tuple[list[str], list[str]]:
    """The points that a process reached, in order, and the notes that it left."""
    lines = trace.read_text("utf-8", "replace").splitlines() if trace.exists() else []
    points = [line for line in lines if not line.startswith("#")]
    return points, [line[2:] for line in lines if line.startswith("#")]


def install(points: Points) -> None:
    """Wrap what this process talks through. There is no way back: it is for a child."""
    # Python ignores it, and only the main thread may change that.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _watch_store(points)
    _watch_wire(points)
    _watch_log(points)


def _watch_store(points: Points) -> None:
    class Watched(sqlite3.Connection):
        """Names each change by what it writes into the history."""

        _changes = 0
        _events: list[str]
        _file = ""
        _is_witness = False

        def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
            if sql == "BEGIN IMMEDIATE":
                self._changes, self._events = 0, []
                self._testify()
            elif sql == "COMMIT" and self._changes:
                return self._commit()
            change = CHANGE.match(sql)
            if change is None or not self.in_transaction:
                return super().execute(sql, values)
            row: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
            named = str(row.get("event") or row.get("after") or "")
            if self._changes:
                points.reach(f"inside, before {change[1]} {change[2]} {named}".strip())
            self._changes += 1
            if change[2] == "history":
                self._events.append(named)
            return super().execute(sql, values)

        def _commit(self) -> sqlite3.Cursor:
            name = f"commit {'+'.join(self._events) or 'other'}"
            points.reach(f"{name}: before")
            points.reach_commit(f"{name}: in", self._file)
            done = super().execute("COMMIT")
            points.reach(f"{name}: after")
            return done

        def _testify(self) -> None:
            """Each line of history gets the process that wrote it, and the fences it wrote at."""
            if self._is_witness:
                return
            self._is_witness = True
            self._file = str(super().execute("PRAGMA database_list").fetchone()[2])
            columns = {row[1] for row in super().execute("PRAGMA table_info(account)")}
            fence = "fence" if "fence" in columns else "0"
            account = f"coalesce((SELECT {fence} FROM main.account WHERE id = NEW.account_id), 0)"
            super().execute(
                "CREATE TEMP TRIGGER testify AFTER INSERT ON main.history BEGIN "
                f"INSERT INTO {WITNESS} (line, writer, part_fence, account_fence) VALUES (NEW.id, "
                f"'{os.getpid()}', coalesce((SELECT fence FROM main.part WHERE id = NEW.part_id), "
                f"0), {account}); END"
            )

    plain = sqlite3.connect

    def connect(*args: Any, **settings: Any) -> sqlite3.Connection:
        return plain(*args, factory=Watched, **settings)

    setattr(sqlite3, "connect", connect)  # noqa: B010 - mypy forbids the plain way


def _watch_wire(points: Points) -> None:
    now = threading.local()

    def label() -> str:
        return str(getattr(now, "label", "?"))

    send_request = requests.Session.send
    open_socket = urllib3.connection.HTTPConnection._new_conn
    write = http.client.HTTPConnection.send
    answer = http.client.HTTPConnection.getresponse

    def session_send(self: requests.Session, request: Any, **settings: Any) -> Any:
        path = (request.url or "").partition("?")[0].split("/", 3)[-1]
        now.label, now.pieces = f"{request.method} /{NUMBER.sub('*', path)}", 0
        response = send_request(self, request, **settings)
        points.reach(f"{label()}: answered")
        return response

    def new_connection(self: Any) -> Any:
        points.reach(f"{label()}: before connect")
        return open_socket(self)

    def written(self: http.client.HTTPConnection, data: Any) -> None:
        if self.sock is None:
            self.connect()
        points.reach(f"{label()}: before {'body' if now.pieces else 'headers'}")
        write(self, data)
        now.pieces += 1
        points.reach(f"{label()}: {'body' if now.pieces > 1 else 'headers'} written")

    def first_byte(self: http.client.HTTPConnection) -> Any:
        with contextlib.suppress(OSError):
            self.sock.recv(1, socket.MSG_PEEK)
        points.reach(f"{label()}: first byte")
        return answer(self)

    for owner, name, method in (
        (requests.Session, "send", session_send),
        (urllib3.connection.HTTPConnection, "_new_conn", new_connection),
        (http.client.HTTPConnection, "send", written),
        (http.client.HTTPConnection, "getresponse", first_byte),
    ):
        setattr(owner, name, method)


def _watch_log(points: Points) -> None:
    from postkit.deliver.ledger import Fenced

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            points.note(f"log {record.levelname} {record.name} {record.getMessage()}")

    logger = logging.getLogger("postkit")
    logger.setLevel(logging.INFO)
    logger.addHandler(Noting())
    begin = Fenced.__init__

    def fenced(self: Fenced, *args: Any, **settings: Any) -> None:
        begin(self, *args, **settings)
        points.note(f"fenced {self.message}")

    setattr(Fenced, "__init__", fenced)  # noqa: B010 - mypy forbids the plain way

"""A notice board: a small network with its own server, bent by a test at each point."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from postkit.accounts.secrets import Secrets
from postkit.hookspecs import hookimpl
from postkit.kit import Kit
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import Limits, Source, TextLimit
from postkit.network import (
    Account,
    Candidate,
    Credential,
    CredentialSet,
    Guarantee,
    Identity,
    Journal,
    Network,
    Outgoing,
    Receipt,
    RemotePost,
    RenderedPart,
)
from postkit.transport import Session

TOKEN = "pk_canary_board_token"
SOURCE = Source("a test", date(2026, 11, 23))


class HandClock:
    """The real time, moved by hand; a sleep moves it and takes none."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.offset += timedelta(seconds=max(0.0, seconds))


@dataclass
class Server:
    """``posts`` is the truth. ``script`` says what becomes of a create: ``ok``, ``lose`` (made,
    no answer), ``drop`` (not made, no answer), or status, body and headers of a refusal."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    creates: int = 0
    script: list[Any] = field(default_factory=list)
    hidden: bool = False
    looks: int = 0
    tokens: list[str] = field(default_factory=list)
    """What each create came with."""


class _Handler(BaseHTTPRequestHandler):
    state: ClassVar[Server]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        state = self.state
        state.creates += 1
        state.tokens.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
        step = state.script.pop(0) if state.script else "ok"
        if isinstance(step, tuple):
            return self._answer(*step)
        if callable(step):
            step = step() or "ok"
        if step == "drop":
            self.close_connection = True
            return None
        post = {"id": str(len(state.posts) + 1), "at": datetime.now(UTC).isoformat(), **body}
        state.posts.append(post)
        if step == "lose":
            self.close_connection = True
            return None
        return self._answer(200, json.dumps(post))

    def do_GET(self) -> None:
        self.state.looks += 1
        self._answer(200, json.dumps([] if self.state.hidden else self.state.posts))

    def do_DELETE(self) -> None:
        wanted = self.path.rpartition("/")[2]
        before = len(self.state.posts)
        self.state.posts[:] = [post for post in self.state.posts if post["id"] != wanted]
        gone = len(self.state.posts) == before
        self._answer(404 if gone else 200, "{}")

    def _answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def serving() -> Iterator[Server]:
    state = Server()
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class Board(Network[Session]):
    """Honest unless a test replaces one of its four callables."""

    name = "board"
    title = "Board"
    hosts: ClassVar[tuple[str, ...]] = ()
    credentials = (CredentialSet("token", (Credential("token", "the board's settings"),)),)
    limits = Limits(
        source=SOURCE,
        text=(TextLimit(CodePoints(), 200, SOURCE),),
        rules=EntityRules(urls=True),
        threads=True,
        media_count=0,
    )

    def __init__(self, guarantee: Guarantee | None = None) -> None:
        self.promise = guarantee or Guarantee("read_back", quiet=0.2)
        self.preparing: Callable[[Session, RenderedPart, Journal], None] = lambda *_: None
        self.sending: Callable[[Session, Outgoing], Any] = send
        self.finding: Callable[[Session, Outgoing], Any] = listed
        self.connecting: Callable[[Secrets], None] = lambda secrets: None

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Session:
        secrets["token"]
        self.connecting(secrets)
        return session

    def identify(self, client: Session) -> Identity:
        return Identity("1", "board")

    def prepare(self, client: Session, part: RenderedPart, journal: Journal) -> None:
        self.preparing(client, part, journal)

    def publish(self, client: Session, outgoing: Outgoing) -> Receipt:
        receipt: Receipt = self.sending(client, outgoing)
        return receipt

    def find(self, client: Session, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        found: Sequence[Candidate] = self.finding(client, outgoing)
        return found

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return self.promise

    def delete(self, client: Session, receipt: Receipt) -> None:
        client.delete(f"{client.base}/posts/{receipt.id}").raise_for_status()

    def recent(self, client: Session, count: int = 20) -> Sequence[RemotePost]:
        rows = client.get(client.base + "/posts").json()
        return [RemotePost(receipt_of(row), row["text"], moment_of(row)) for row in rows]


def send(client: Session, outgoing: Outgoing) -> Receipt:
    body = {"text": outgoing.part.text, "key": outgoing.key}
    body["parent"] = outgoing.parent.id if outgoing.parent else ""
    response = client.post(client.base + "/posts", json=body)
    response.raise_for_status()
    return receipt_of(response.json())


def listed(client: Session, outgoing: Outgoing) -> list[Candidate]:
    rows = client.get(client.base + "/posts").json()
    return [
        Candidate(receipt_of(row), moment_of(row))
        for row in rows
        if row["text"] == outgoing.part.text
    ]


def receipt_of(row: dict[str, Any]) -> Receipt:
    return Receipt(row["id"], row.get("url", f"https://board.example/{row['id']}"))


def moment_of(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["at"])


class Plugin:
    """One board as a plugin object."""

    def __init__(self, board: Board) -> None:
        self.board = board

    @hookimpl
    def postkit_networks(self) -> Iterable[Network[Any]]:
        return [self.board]


KEY = b"k" * 32


def kit_of(home: Path, server: Server, board: Board, clock: Any = None) -> Kit:
    """A Kit with one account at the board; a second call opens the same home again."""
    kit = Kit(home=home, key=KEY, plugins=[Plugin(board)], clock=clock)
    if not kit.accounts:
        kit.connect("board", {"token": TOKEN}, endpoint=server.url)
    return kit


def states(kit: Kit, name: str) -> list[str]:
    return [part.state for part in kit.report(name).deliveries[0].parts]


def publish(kit: Kit, post: Any = "Hello", wait: float = 10) -> Any:
    return kit.publish(post, ["board"], wait=wait).deliveries[0]


def sql(kit: Kit, statement: str) -> None:
    with sqlite3.connect(kit.home.store_path) as raw:
        raw.execute(statement)
    raw.close()

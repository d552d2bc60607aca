"""A proxy on loopback that breaks one chosen request or answer off at a byte, and no other.

It stands between a client and a server. A request that ``is_create`` knows by its first line
meets the ``Break`` that was armed; everything else passes as it is.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

PIECE = 65_536
PATIENCE = 20.0
"""Seconds. No pass takes as long, so that a test which hangs here fails in time."""
HEAD_END = b"\r\n\r\n"

End = Literal["reset", "close"]
Framing = Literal["length", "until_close", "chunked"]


@dataclass(frozen=True, slots=True)
class Cut:
    """Break off after ``after`` bytes of the request or of the answer to it.

    ``end``: by a reset (RST), or by a close in good order (FIN). ``framing`` is how the answer
    says where it ends: by its Content-Length, by the end of the connection, or in chunks.
    ``padding`` is sent behind the body; in JSON, white space there means nothing.
    """

    side: Literal["request", "answer"]
    after: int
    end: End = "reset"
    framing: Framing = "length"
    padding: bytes = b""


@dataclass(frozen=True, slots=True)
class Drip:
    """Send the first ``at_once`` bytes of the answer, and then the rest in pieces of ``piece``
    bytes with ``pause`` seconds before each. Where ``endless`` is given, that is sent in place
    of the rest, again and again, until the client goes or ``longest`` seconds have passed.
    """

    at_once: int = 0
    pause: float = 0.0
    piece: int = 1
    endless: bytes = b""
    longest: float = 10.0


Break = Cut | Drip


@dataclass(slots=True)
class Seen:
    """What went by while a break was at work. ``request`` is what the server was given of it,
    ``answer`` what the client would have been sent in full, ``sent`` the bytes of it that were."""

    request: bytes = b""
    answer: bytes = b""
    sent: int = 0


class Gone(Exception):
    """One of the two sides has closed its connection."""


class Cutter:
    """The proxy. Threads of its own, one for each connection; a context manager."""

    def __init__(self, port: int, is_create: Callable[[bytes], bool]) -> None:
        self._port = port
        self._is_create = is_create
        self._guard = threading.Lock()
        self._armed: Break | None = None
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._open: set[socket.socket] = set()
        self.seen = Seen()
        self.creates = 0
        # It listens to nothing: it keeps the port while nobody listens there.
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]
        self._listener: socket.socket | None = None
        self.listen()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def arm(self, what: Break | None) -> Seen:
        """Break the next create so, and count and note from here; None lets it pass."""
        with self._guard:
            self._armed = what
            self.creates = 0
            self.seen = Seen()
            return self.seen

    # Being reached, or not

    def listen(self) -> None:
        self._listener = _bound(self.port)
        self._listener.listen(64)
        self._run(self._accept, self._listener)

    def refuse(self) -> None:
        """Refuse every new connection until ``listen``; those that are open are closed."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A shutdown wakes the accept; a close alone would not on every kernel.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in self._connections():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closing.set()
        self.refuse()
        self._place.close()
        for thread in list(self._threads):
            thread.join(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Threads

    def _run(self, work: Callable[[socket.socket], None], connection: socket.socket) -> None:
        def whole() -> None:
            try:
                work(connection)
            finally:
                with self._guard:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=whole, name="cutter", daemon=True)
        with self._guard:
            self._threads.add(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._run(self._serve, connection)

    def _connections(self) -> list[socket.socket]:
        with self._guard:
            return list(self._open)

    @contextlib.contextmanager
    def _kept(self, connection: socket.socket) -> Iterator[socket.socket]:
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._open.add(connection)
        try:
            with connection:
                yield connection
        finally:
            with self._guard:
                self._open.discard(connection)

    # One connection

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(self._kept(connection))
            client.settimeout(None)
            server: socket.socket | None = None
            with contextlib.suppress(OSError, Gone):
                while True:
                    line = _first_line(client)
                    breaking = self._break_for(line)
                    if server is None:
                        upstream = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
                        server = stack.enter_context(self._kept(upstream))
                    if isinstance(breaking, Cut) and breaking.side == "request":
                        return self._cut_request(client, server, breaking)
                    request = _message(client)
                    server.sendall(request)
                    answer = _message(server)
                    if breaking is None:
                        client.sendall(answer)
                        continue
                    self.seen.request = request
                    if isinstance(breaking, Cut):
                        return self._cut_answer(client, answer, breaking)
                    return self._drip(client, answer, breaking)

    def _break_for(self, line: bytes) -> Break | None:
        if not self._is_create(line):
            return None
        with self._guard:
            self.creates += 1
            breaking, self._armed = self._armed, None
        return breaking

    def _cut_request(self, client: socket.socket, server: socket.socket, cut: Cut) -> None:
        """What is behind the cut stays unread, so that the client may fail while it writes."""
        left = cut.after
        while left:
            piece = client.recv(min(left, PIECE))
            if not piece:
                break
            self.seen.request += piece
            server.sendall(piece)
            left -= len(piece)
        _end(server, cut.end)
        _end(client, cut.end)

    def _cut_answer(self, client: socket.socket, answer: bytes, cut: Cut) -> None:
        whole = framed(answer, cut.framing, cut.padding)
        self.seen.answer = whole
        client.sendall(whole[: cut.after])
        self.seen.sent = min(cut.after, len(whole))
        _end(client, cut.end)

    def _drip(self, client: socket.socket, answer: bytes, drip: Drip) -> None:
        """Ends with a close, which the client may meet in place of its own patience."""
        self.seen.answer = answer
        client.sendall(answer[: drip.at_once])
        until = time.monotonic() + drip.longest
        rest = drip.endless or answer[drip.at_once :]
        while True:
            for start in range(0, len(rest), drip.piece):
                if self._closing.wait(drip.pause) or time.monotonic() > until:
                    return
                piece = rest[start : start + drip.piece]
                client.sendall(piece)
                self.seen.sent += len(piece)
            if not drip.endless:
                return


def framed(answer: bytes, framing: Framing, padding: bytes = b"") -> bytes:
    """The same answer, with another way to say where it ends."""
    if framing == "length" and not padding:
        return answer
    head, _, body = answer.partition(HEAD_END)
    body += padding
    lines = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"content-length:", b"connection:"))
    ]
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    if framing == "until_close":
        lines.append(b"Connection: close")
    if framing == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        pieces = [body[n : n + 32] for n in range(0, len(body), 32)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return b"\r\n".join(lines) + HEAD_END + body


def _bound(port: int) -> socket.socket:
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind(("127.0.0.1", port))
    return place


def _first_line(client: socket.socket) -> bytes:
    """The first line of the next request, which stays unread. Raises Gone."""
    while True:
        waiting = client.recv(PIECE, socket.MSG_PEEK)
        if not waiting:
            raise Gone
        line, found, _ = waiting.partition(b"\r\n")
        if found:
            return line


def _message(peer: socket.socket) -> bytes:
    """One whole request or answer that tells its length. Raises Gone where it ends before."""
    data = b""
    end = -1
    while end < 0:
        data += _received(peer)
        end = data.find(HEAD_END)
    length = 0
    for line in data[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        # The servers of these tests tell the length; one that does not would be cut short here.
        assert name.lower() != b"transfer-encoding", data
    while len(data) < end + len(HEAD_END) + length:
        data += _received(peer)
    return data


def _received(peer: socket.socket) -> bytes:
    piece = peer.recv(PIECE)
    if not piece:
        raise Gone
    return piece


def _end(peer: socket.socket, how: End) -> None:
    if how == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        return
    peer.shutdown(socket.SHUT_WR)
    # A close with unread bytes would send a reset after all.
    with contextlib.suppress(OSError):
        while peer.recv(PIECE):
            pass
    peer.close()

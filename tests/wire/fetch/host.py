"""A host on loopback that says byte for byte what a test tells it to, over TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

Answer = bytes | Callable[[socket.socket], None]
"""What is sent for a path: bytes, or a function that is handed the connection."""


class Host:
    """``accepted`` counts the connections, ``asked`` has the heads of the requests."""

    def __init__(self, context: ssl.SSLContext | None, address: str = "127.0.0.1") -> None:
        self.answers: dict[str, Answer] = {}
        self.accepted = 0
        self.asked: list[str] = []
        self._context = context
        self._closed = threading.Event()
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        # Wakes the accept, which a close alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            sock.settimeout(10)
            if self._context is None:
                return
            with self._context.wrap_socket(sock, server_side=True) as secure:
                head = b""
                while b"\r\n\r\n" not in head and (piece := secure.recv(65_536)):
                    head += piece
                self.asked.append(head.decode("latin-1"))
                path = head.split(b" ")[1].decode("latin-1") if b" " in head else "/"
                answer = self.answers.get(path, page(b"", status="404 Not Found"))
                if isinstance(answer, bytes):
                    secure.sendall(answer)
                else:
                    answer(secure)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def page(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole answer; ``length`` is what it says of its size where that is not the truth."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def moved(to: str, status: str = "302 Found") -> bytes:
    return page(b"", f"Location: {to}", status=status)


def dripping(start: bytes, drop: bytes, pause: float) -> Callable[[socket.socket], None]:
    """An answer that goes on for ever, one ``drop`` every ``pause`` seconds."""

    def drip(sock: socket.socket) -> None:
        sock.sendall(start)
        while True:
            time.sleep(pause)
            sock.sendall(drop)

    return drip


@contextlib.contextmanager
def counting() -> Iterator[Host]:
    """A host that never answers; it is there to count who comes."""
    with Host(None) as host:
        yield host

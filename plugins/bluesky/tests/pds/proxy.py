"""A proxy before a server that can lose a request or its answer, and says what came by."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# Headers that belong to one connection (RFC 9110, section 7.6.1), and the length, which the body
# decides anew.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server behind the proxy answered, its body as it came (perhaps compressed)."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Loss:
    """A fault to come: the next request to `nsid` gets no answer.

    `accepted`: the server gets the request and acts on it first.
    """

    nsid: str
    accepted: bool


class LosingProxy:
    """An HTTP proxy on a free port of 127.0.0.1; a context manager.

    `url` is its address without a trailing slash. The journal holds `(method, path)` of every
    request in the order of arrival, lost ones too; the path is without its query.
    """

    def __init__(self, upstream_url: str, *, timeout: float = 30) -> None:
        """`timeout` is how long the server may take for one answer, in seconds."""
        parts = urlsplit(upstream_url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"{upstream_url} is not http://HOST:PORT")
        self._host, self._port, self._timeout = parts.hostname, parts.port, timeout
        self._guard = threading.Lock()
        self._losses: deque[Loss] = deque()
        self._journal: list[tuple[str, str]] = []
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def lose_next(self, nsid: str, *, accepted: bool) -> None:
        """Close the connection of the next request to `nsid` without an answer.

        With `accepted` the server acts first; without, it never sees the request. Each call arms
        one loss; several wait in line.
        """
        with self._guard:
            self._losses.append(Loss(nsid, accepted))

    @property
    def armed(self) -> int:
        """How many losses have not happened yet."""
        with self._guard:
            return len(self._losses)

    @property
    def journal(self) -> list[tuple[str, str]]:
        """A copy: `(method, path)` of every request until now."""
        with self._guard:
            return list(self._journal)

    def count(self, nsid: str) -> int:
        """How many requests to `nsid` came by."""
        return sum(path == f"/xrpc/{nsid}" for _, path in self.journal)

    def arrived(self, method: str, path: str) -> Loss | None:
        """Note a request; the loss that it suffers, or None. For the server of this proxy."""
        with self._guard:
            self._journal.append((method, path))
            for loss in self._losses:
                if path == f"/xrpc/{loss.nsid}":
                    self._losses.remove(loss)
                    return loss
        return None

    def forward(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Ask the server and read its whole answer. For the server of this proxy."""
        upstream = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        with closing(upstream):
            upstream.request(method, target, body or None, headers)
            answer = upstream.getresponse()
            return Answer(answer.status, answer.reason, answer.getheaders(), answer.read())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client may keep its connection open; the end of a test must not wait for it.
    block_on_close = False

    def __init__(self, proxy: LosingProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), Request)


class Request(BaseHTTPRequestHandler):
    """One request on its way through."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def pass_on(self) -> None:
        """Forward, and answer unless a loss is armed for this path."""
        if "transfer-encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        # Also for a request that is lost: to close with bytes unread would be a reset.
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        proxy = self.server.proxy
        loss = proxy.arrived(self.command, urlsplit(self.path).path)
        if loss is None or loss.accepted:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            try:
                answer = proxy.forward(self.command, self.path, headers, body)
            except (OSError, http.client.HTTPException) as error:
                self.send_error(HTTPStatus.BAD_GATEWAY, explain=f"the server behind: {error!r}")
                return
            if loss is None:
                self._give(answer)
                return
        self.close_connection = True

    def _give(self, answer: Answer) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = pass_on  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: the journal is the log."""

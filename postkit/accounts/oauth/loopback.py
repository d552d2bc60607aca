"""Where the browser comes back to: 127.0.0.1, for one answer, for five minutes (RFC 8252)."""

from __future__ import annotations

import hmac
import os
import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from ...errors import PostkitError
from .page import page

ADDRESS = "127.0.0.1"
PORT = 8712
"""Fixed, since most networks compare the redirect's address whole."""
PATIENCE = 300.0
"""Seconds for a person to log in and agree."""
MOST_CONNECTIONS = 16
"""At once. A browser opens two or three; whoever opens more is none."""
SILENCE = 5.0
"""Seconds that a connection may say nothing."""
MOST_FIELDS = 20


def path_of(network: str, server: str | None = None) -> str:
    """The path of the redirect's address: one for each network, and for each server of one whose
    users have servers of their own. So no server can send a browser on to another one's consent
    page and have its answer taken for its own (mix-up, RFC 9700 section 4.4)."""
    if server is None:
        return f"/{network}"
    return f"/{network}/{quote(urlsplit(server).netloc, safe=':')}"


class Unanswered(PostkitError):
    """The browser did not come back; nothing was kept."""

    kind = "unanswered"
    exit_status = 75


class PortTaken(PostkitError):
    """Another program listens there."""

    kind = "port_taken"


class Loopback:
    """Listens from the beginning, so that the browser cannot be faster; a context manager.

    ``port`` 0 takes a free one; ``host`` is the spelling of the redirect's address. Raises
    PortTaken.
    """

    def __init__(self, port: int = PORT, host: str = ADDRESS, path: str = "/") -> None:
        self._answers: queue.Queue[dict[str, str]] = queue.Queue()
        try:
            self._server = _Server((ADDRESS, port), self)
        except OSError as error:
            raise PortTaken(
                f"Port {port} of {ADDRESS} cannot be used ({error.strerror}): end the program that "
                "has it, or take another one with --port N (and register that address at the "
                "network), or use --no-browser."
            ) from error
        self.port = int(self._server.server_address[1])
        self.host = host
        self.path = path
        self._state: str | None = None
        self._is_answered = False
        self._guard = threading.Lock()
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="postkit-redirect", daemon=True
        )
        self._thread.start()

    @property
    def redirect_uri(self) -> str:
        return f"http://{self.host}:{self.port}{self.path}"

    def expect(self, state: str) -> None:
        """From now on, the answer with this state is taken; all others are refused."""
        self._state = state

    def wait(self, seconds: float = PATIENCE) -> dict[str, str]:
        """The query of the answer. Raises Unanswered."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            raise Unanswered(
                f"The browser did not come back within {seconds / 60:g} minutes; nothing was kept. "
                "Connect again; if the browser runs on another machine, use --no-browser."
            ) from None

    def answer(self, method: str, target: str, headers: Any) -> tuple[int, str]:
        """What a request gets: the status and the sentence of its page."""
        if _foreign(headers, self.port):
            return 403, "This address is for the browser of this machine alone."
        if method != "GET":
            return 405, "This address takes the answer of a network, and nothing else."
        path, _, query = target.partition("?")
        if path != self.path:
            return 404, "There is nothing here."
        pairs = _pairs(query)
        params = dict(pairs or ())
        if pairs is None or len(params) != len(pairs):
            return 400, "This answer cannot be read: begin again in the terminal."
        with self._guard:
            if self._is_answered:
                return 410, "The answer was taken already: go on in the terminal."
            state, given = self._state, params.get("state", "")
            if state is None or not hmac.compare_digest(
                state.encode("utf-8", "replace"), given.encode("utf-8", "replace")
            ):
                return 400, (
                    "This is not the answer that postkit waits for, so it was refused. It still "
                    "waits: go through the page that the terminal names."
                )
            self._is_answered = True
        self._answers.put(params)
        if "error" in params:
            return 200, "The network gave no access. The terminal says why; close this page."
        return 200, (
            "Go back to the terminal: it shows which account this is, and asks whether it is the "
            "right one. You can close this page."
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(SILENCE)

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Without it a second connect fails for a minute; on Windows it lets two programs listen.
    allow_reuse_address = os.name == "posix"

    def __init__(self, address: tuple[str, int], loopback: Loopback) -> None:
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, lambda *given: _Handler(loopback.answer, *given))

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up is no news, and a traceback would show the query."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE
    server_version = "postkit"
    sys_version = ""

    def __init__(self, answer: Callable[[str, str, Any], tuple[int, str]], *given: Any) -> None:
        self._answer = answer
        super().__init__(*given)

    def handle_one_request(self) -> None:
        super().handle_one_request()
        self.close_connection = True

    def _reply(self) -> None:
        status, sentence = self._answer(self.command, self.path, self.headers)
        body = page(sentence, is_good=status == 200)
        self.send_response(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        # Every method there is, so that none gets the base class's page.
        if name.startswith("do_"):
            return self._reply
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """The request line holds the code."""


def _foreign(headers: Any, port: int) -> bool:
    """Whether it comes through a foreign name (DNS rebinding), or is a script's of another page
    and no navigation."""
    hosts = headers.get_all("Host") or []
    if len(hosts) != 1 or hosts[0].lower() not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return True
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != hosts[0].lower():
        return True
    return bool(headers.get("Sec-Fetch-Mode", "navigate") != "navigate")


def _pairs(query: str) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except (ValueError, UnicodeDecodeError):
        return None

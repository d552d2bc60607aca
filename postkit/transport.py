"""The HTTP session that every plugin is handed: timeouts, redaction, one create request.

SDKs retry, follow redirects and wait without a limit; whatever they do goes through the
adapter in here, which sees each request before its socket.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from .accounts.secret import Redactor
from .errors import NeedsLogin, PluginError
from .proxies import proxies_for

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
"""Seconds. A read timeout of a create request means in doubt, so it is generous."""

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes, unpacked: more than any list of posts; a small packed body can be a huge one."""
LONGEST_ANSWER = 4
"""Read timeouts, from the last byte of the request on (an upload may take long): a
read timeout ends a silence, this one an answer that drips for ever."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Exchange:
    """One request and what came back. ``wrote`` is True once a byte may have left."""

    method: str
    url: str
    size: int | None = None
    """Bytes of the request's body; None where they are not known before they leave."""
    wrote: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    response: requests.Response | None = field(default=None, repr=False)
    seconds: float = 0.0
    patience: float = float("inf")
    """Seconds for the answer, from the end of the request on."""
    until: float = float("inf")
    """On the monotonic clock: after it, nothing more of the answer is taken."""
    send_by: float = float("inf")
    """On the monotonic clock: after it, nothing of the request may begin to leave."""

    @property
    def body(self) -> bytes:
        """What was received of the answer; empty where nothing came."""
        if self.response is None:
            return b""
        try:
            return self.response.content or b""
        except (requests.RequestException, RuntimeError):
            return b""

    def json(self) -> Any:
        """The answer as JSON, or None where it is none."""
        if self.response is None:
            return None
        try:
            return self.response.json()
        except (ValueError, requests.RequestException, RuntimeError):
            return None


class SecondCreate(PluginError):
    """A second request that may create something was stopped before its socket."""


class RedirectRefused(requests.exceptions.RequestException):
    """The network answered with a redirect; following it could turn a create into a read."""


@dataclass(slots=True)
class CreateScope:
    """What ``publish`` sent: at most one request that is not a read."""

    create: Exchange | None = None
    reads: list[Exchange] = field(default_factory=list)
    stopped: int = 0
    send_by: float = float("inf")


_current: ContextVar[Exchange | None] = ContextVar("postkit_exchange", default=None)


class TooLate(OSError):
    """This process was stopped for so long that another one may have taken the post over."""


def _mark_written() -> None:
    exchange = _current.get()
    if exchange is None:
        return
    if not exchange.wrote and time.monotonic() > exchange.send_by:
        raise TooLate("the claim has run out")
    exchange.wrote = True


class _Incoming(io.RawIOBase):
    """What the socket gives, but not for ever: its own timeout begins anew with each byte."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        self._raw = raw
        self._sock = sock
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The answer did not come to its end.")
        timeout = self._sock.gettimeout()
        if timeout is None or timeout > left:
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        exchange = _current.get()
        if exchange is not None:
            # From here on: what goes out may be a long film.
            exchange.until = time.monotonic() + exchange.patience
            self.fp = io.BufferedReader(_Incoming(self.fp.detach(), sock, exchange.until))


class _Connection(HTTPConnection):
    response_class = _Answer

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _mark_written()
        super().send(data)


class _SecureConnection(HTTPSConnection):
    response_class = _Answer

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _mark_written()
        super().send(data)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def __init__(self, session: Session) -> None:
        self._session = session
        super().__init__(pool_connections=4, pool_maxsize=4, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        session = self._session
        request.url = session.rewrite(request.url or "")
        _check_sendable(request.headers.get("Authorization", ""))
        exchange = session.begin(request.method or "GET", request.url)
        length = request.headers.get("Content-Length", "" if request.body else "0")
        exchange.size = int(length) if str(length).isdecimal() else None
        if session.is_create(exchange):
            # A kept connection may have been closed by the other side at this very moment, and a
            # request that is lost so cannot be told from one that was accepted: take a new one.
            self.poolmanager.clear()
        token = _current.set(exchange)
        started = time.monotonic()
        exchange.patience = LONGEST_ANSWER * session.read_timeout
        try:
            response = super().send(
                request,
                stream=stream,
                timeout=(session.connect_timeout, session.read_timeout),
                verify=session.ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True,
                cert=cert,
                proxies=proxies_for(request.url),
            )
        finally:
            exchange.seconds = time.monotonic() - started
            _current.reset(token)
        exchange.status = response.status_code
        exchange.headers = response.headers
        exchange.response = response
        try:
            # Read it here, so that a broken body is seen with its exchange and leaves no socket.
            _read(response, exchange.until)
        except BaseException:
            response.close()
            raise
        if 300 <= response.status_code < 400 and response.status_code != 304:
            raise RedirectRefused(
                f"{urlsplit(request.url).netloc} redirects to {_server_in(response)}; "
                "connect the account to the final address.",
                request=request,
                response=response,
            )
        return response


class Session(requests.Session):
    """A requests.Session for one account and one thread.

    ``hosts`` are the origins that the network declares; with ``endpoint`` each of them is
    rewritten to it, but for ``services``. Any other origin is refused before its socket.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        endpoint: str | None = None,
        *,
        services: tuple[str, ...] = (),
        ca_bundle: str | None = None,
        auth_paths: tuple[str, ...] = (),
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc would overwrite the account's own header
        self.hosts = tuple(host.rstrip("/") for host in hosts)
        self.services = tuple(host.rstrip("/") for host in services)
        self.endpoint = endpoint.rstrip("/") if endpoint else None
        self.ca_bundle = ca_bundle
        self.auth_paths = auth_paths
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.calls = 0
        self.last: Exchange | None = None
        self.created: Exchange | None = None
        """The one request of the newest create scope, once that is closed."""
        self._scope: CreateScope | None = None
        adapter = _Adapter(self)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    @property
    def base(self) -> str:
        """Where this account's network answers: its endpoint, else the first declared host."""
        if self.endpoint:
            return self.endpoint
        if not self.hosts:
            raise PluginError("This network has no host of its own: connect with --endpoint URL.")
        return self.hosts[0]

    def rewrite(self, url: str) -> str:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if self.endpoint is None:
            if origin in self.hosts:
                return url
        else:
            end = urlsplit(self.endpoint)
            if origin in (f"{end.scheme}://{end.netloc}", *self.services):
                return url
            if origin in self.hosts:
                path = end.path + parts.path
                return urlunsplit((end.scheme, end.netloc, path, parts.query, ""))
        raise PluginError(f"The plugin asked for {origin}, which is not among its network's hosts.")

    def begin(self, method: str, url: str) -> Exchange:
        exchange = Exchange(method.upper(), Redactor.redact(url))
        scope = self._scope
        if scope is not None:
            path = urlsplit(url).path
            if exchange.method in SAFE_METHODS or path.endswith(self.auth_paths):
                scope.reads.append(exchange)
            elif scope.create is not None:
                scope.stopped += 1
                raise SecondCreate(
                    f"A second {exchange.method} was stopped: publishing sends one create request."
                )
            else:
                scope.create = exchange
                exchange.send_by = scope.send_by
        self.calls += 1
        self.last = exchange
        return exchange

    def is_create(self, exchange: Exchange) -> bool:
        """Whether it is the one request of an open create scope."""
        return self._scope is not None and self._scope.create is exchange

    @contextlib.contextmanager
    def create_scope(self) -> Iterator[CreateScope]:
        """While it is open, one request that is not a read may leave; the next one raises."""
        if self._scope is not None:
            raise PluginError("A create scope is open already.")
        self._scope = scope = CreateScope()
        self.created = None
        try:
            yield scope
        finally:
            self._scope = None
            self.created = scope.create


def _server_in(redirect: requests.Response) -> str:
    """Where a redirect leads; no more of its address, which may hold a token."""
    try:
        where = urlsplit(redirect.headers.get("location", ""))
        return where.hostname or "elsewhere"
    except ValueError:  # brackets that are none
        return "elsewhere"


def _check_sendable(access: str | bytes) -> None:
    """Raises NeedsLogin for what no header can carry: it was copied with a character too many, such
    as a zero-width space."""
    try:
        if isinstance(access, str):
            access.encode("latin-1")
    except UnicodeEncodeError:
        raise NeedsLogin(
            "The access holds a character that no request can carry: copy it again, without what "
            "stands around it."
        ) from None


def _read(response: requests.Response, until: float) -> None:
    """Take in the body, but not for ever and not without end."""
    pieces: list[bytes] = []
    size = 0
    for piece in _pieces(response, until):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise requests.exceptions.ContentDecodingError(
                f"The answer is larger than {LARGEST_ANSWER:,} bytes.", response=response
            )
        if time.monotonic() > until:
            raise requests.ReadTimeout("The answer did not come to its end.", response=response)
    # What requests itself does once a body is read; it has no public way to say so.
    response._content = b"".join(pieces)


def _pieces(response: requests.Response, until: float) -> Iterator[bytes]:
    try:
        yield from response.iter_content(65_536)
    except requests.ConnectionError as error:
        if time.monotonic() < until:
            raise
        late = "The answer did not come to its end."
        raise requests.ReadTimeout(late, response=response) from error


def is_transport_error(error: BaseException) -> bool:
    """Whether a failure came from the wire, also where an SDK has wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, requests.RequestException | OSError):
            return True
        inner = seen.__cause__ or seen.__context__
        seen = inner if inner is not seen else None
    return False

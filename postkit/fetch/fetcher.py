"""Fetch a stranger's URL: https alone, public addresses alone, bounded in time and size.

The name of a host is resolved once. All its addresses must be public, and the connection goes to
one of these very addresses, so that a second answer of its name server changes nothing. Each
redirect is a new URL that is checked in the same way. No proxy, no cookie, no `.netrc`.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .addresses import is_within, networks, why_not_public
from .errors import Forbidden, NotFetched
from .fetched import Body, Fetched
from .resolve import Resolve, resolve_within, system_resolve
from .target import Target, follow, read_target

if TYPE_CHECKING:
    from .pinned import PinnedConnection

REDIRECTS = 3
TRIED = 3
"""Addresses of a host that are tried, one after the other."""

_PIECE = 64 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})
_LATER = "try again later, or give a file"
_OTHER = "give another address or a file"
_ANSWERS = "check that it is there for everyone, or give a file"


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that is taken: bytes, and seconds to connect (TLS included), of silence, and in
    all, from the first question to the name server to the last byte. ``cut``: of a longer body
    the beginning is wanted; else it is refused."""

    size: int
    connect: float = 10.0
    read: float = 15.0
    total: float = 120.0
    cut: bool = False


MEDIA = Caps(100 * 1024 * 1024)
"""As much as is read of a file; see ``adapt/reader.py``."""


class Fetches(Protocol):
    """Whatever fetches; tests and programs may give a Kit another one."""

    def fetch(self, url: str, caps: Caps = MEDIA) -> Fetched:
        """The bytes behind ``url``. Raises NotFetched."""


class Fetcher:
    """Fetches from the public internet.

    ``folder`` is where large bodies are written (default: the system's for temporary files).
    ``resolve`` and ``trust`` (a context, or a file of certificates in PEM) replace the system's
    resolver and requests' certificates. ``allow`` are blocks of addresses that are no part of the
    public internet and are reached all the same, ``ports`` the ports that a URL may name: both
    are for programs that know their network, and nothing in a post can set them.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        resolve: Resolve = system_resolve,
        trust: ssl.SSLContext | str | Path | None = None,
        allow: Iterable[str] = (),
        ports: Iterable[int] = (443,),
    ) -> None:
        self._folder = folder
        self._resolve = resolve
        self._trust = trust
        self._allow = networks(allow)
        self._ports = frozenset(ports)

    def fetch(self, url: str, caps: Caps = MEDIA) -> Fetched:
        """The bytes behind ``url``. Raises Forbidden where it leads to where nothing is fetched
        from, NotFetched for everything else that goes wrong."""
        until = time.monotonic() + caps.total
        target = read_target(url, self._ports)
        for _ in range(REDIRECTS + 1):
            found = self._get(url, target, caps, until)
            if isinstance(found, Fetched):
                return found
            target = follow(target, found, self._ports)
        raise NotFetched(url, f"it redirects more than {REDIRECTS} times", _OTHER)

    def _get(self, url: str, target: Target, caps: Caps, until: float) -> Fetched | str:
        """What is there, or the address that a redirect names."""
        from .pinned import HEAD, Bounds, PinnedConnection, TooMuch

        # Marks of chunks and the head come on top of the body; twice the body is generous.
        bounds = Bounds(until, 2 * caps.size + HEAD)
        failed = NotFetched(url, f"{target.host} has no address", _OTHER)
        for address in self._addresses(url, target, caps, until):
            connection = PinnedConnection(
                target,
                address,
                trust=self._context(),
                connect=caps.connect,
                read=caps.read,
                bounds=bounds,
            )
            try:
                try:
                    connection.connect()
                except OSError as error:
                    # Another address of the host may do; a bad certificate will not change.
                    failed = _unreached(url, target, error)
                    if _is_certificate(error) or time.monotonic() > until:
                        break
                    continue
                return self._exchange(connection, url, target, caps)
            except TooMuch:
                raise _too_large(url, caps) from None
            except (OSError, http.client.HTTPException) as error:
                raise _broken(url, target, error) from None
            finally:
                connection.close()
        raise failed

    def _addresses(self, url: str, target: Target, caps: Caps, until: float) -> list[str]:
        """The checked addresses of the host. Raises Forbidden where one of them is not public."""
        host = target.host
        if target.is_address:
            found = [host]
        else:
            left = min(caps.connect, until - time.monotonic())
            try:
                found = resolve_within(self._resolve, host, left)
            except TimeoutError:
                raise NotFetched(url, f"the name server of {host} did not answer", _LATER) from None
            except OSError:
                raise NotFetched(url, f"there is no host {host}", _OTHER) from None
        for address in found:
            why = why_not_public(address)
            if why is not None and not is_within(address, self._allow):
                # Not which address it is: a stranger's question could be what an inner name is.
                raise Forbidden(
                    url,
                    f"{host} is not on the public internet: {why}",
                    "give the address of a public host, or a file",
                )
        return found[:TRIED]

    def _context(self) -> ssl.SSLContext:
        if isinstance(self._trust, ssl.SSLContext):
            return self._trust
        from requests.utils import DEFAULT_CA_BUNDLE_PATH
        from urllib3.util.ssl_ import create_urllib3_context

        context = create_urllib3_context()
        given = self._trust or os.environ.get("REQUESTS_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
        context.load_verify_locations(str(given))
        self._trust = context
        return context

    def _exchange(
        self, connection: PinnedConnection, url: str, target: Target, caps: Caps
    ) -> Fetched | str:
        from .. import __version__

        headers = {
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": f"postkit/{__version__}",
        }
        connection.request("GET", target.path, headers=headers)
        with contextlib.closing(connection.answer()) as answer:
            location = answer.headers.get("location")
            if answer.status in _MOVED and location:
                return _text(location)
            announced = _announced(url, target, answer, caps)
            body = Body(self._folder)
            try:
                cut = _take(url, answer, body, caps)
            except BaseException:
                body.discard()
                raise
            # The parser gives what came as if it were all.
            if not cut and body.size < (announced or 0):
                body.discard()
                raise NotFetched(url, f"{target.host} broke off", _LATER)
            if not body.size:
                raise NotFetched(url, "it is empty (0 bytes)", _OTHER)
            declared = _text(answer.headers.get("content-type") or "")
            return body.fetched(url, target.url, declared, cut=cut)


def _announced(
    url: str, target: Target, answer: http.client.HTTPResponse, caps: Caps
) -> int | None:
    """The size that the head announces. Raises NotFetched where the body is not wanted."""
    if answer.status != 200:
        raise NotFetched(url, f"{target.host} answers {answer.status}", _ANSWERS)
    encodings = {
        *(answer.headers.get_all("content-encoding") or ()),
        *(answer.headers.get_all("transfer-encoding") or ()),
    }
    if any(text.strip().lower() not in ("", "identity", "chunked") for text in encodings):
        # A small packed body can be a huge one, and nobody asked for a packed one.
        raise NotFetched(url, f"{target.host} answers in a packed form", _OTHER)
    length = answer.length
    if length is not None and length > caps.size and not caps.cut:
        raise _too_large(url, caps)
    return length


def _take(url: str, answer: http.client.HTTPResponse, body: Body, caps: Caps) -> bool:
    """Read the body, at most as much as is wanted; whether there was more."""
    while piece := answer.read(_PIECE):
        room = caps.size - body.size
        if len(piece) > room:
            if not caps.cut:
                raise _too_large(url, caps)
            body.write(piece[:room])
            return True
        body.write(piece)
    return False


def _text(value: str) -> str:
    """A header as UTF-8, where it is: the parser takes every byte for a Latin-1 letter."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _too_large(url: str, caps: Caps) -> NotFetched:
    return NotFetched(
        url,
        f"it has more than {caps.size // 1024:,} KiB, the most that is read",
        "make it smaller",
    )


def _unreached(url: str, target: Target, error: Exception) -> NotFetched:
    if _is_certificate(error):
        return NotFetched(url, f"the certificate of {target.host} is not valid for it", _OTHER)
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return NotFetched(url, f"{target.host} does not speak TLS", _OTHER)
    return NotFetched(url, f"{target.host} did not answer", _LATER)


def _broken(url: str, target: Target, error: Exception) -> NotFetched:
    if isinstance(error, TimeoutError):
        return NotFetched(url, f"{target.host} did not answer in time", _LATER)
    if isinstance(error, http.client.HTTPException) and not isinstance(
        error, http.client.IncompleteRead | http.client.RemoteDisconnected
    ):
        return NotFetched(url, f"{target.host} does not speak HTTP", _OTHER)
    return NotFetched(url, f"{target.host} broke off", _LATER)


def _is_certificate(error: Exception) -> bool:
    return isinstance(error, ssl.SSLCertVerificationError)

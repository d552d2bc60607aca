"""An HTTPS connection to one address that was checked, and no other.

The name is not resolved again: it is for the certificate, SNI and the Host header alone.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any

from urllib3.connection import HTTPSConnection

from .target import Target

HEAD = 256 * 1024
"""Bytes that status, headers, chunk marks and trailers may take beside the body."""


class TooMuch(OSError):
    """More came over the wire than the answer may have."""


class Bounds:
    """How long and how much: ``until`` on the monotonic clock, ``left`` bytes."""

    def __init__(self, until: float, size: int) -> None:
        self.until = until
        self.left = size

    def seconds(self, most: float) -> float:
        """What is left of the time, at most ``most``. Raises TimeoutError where nothing is."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The time is over.")
        return min(left, most)


class _Incoming(io.RawIOBase):
    """What the socket gives, within the bounds: its own timeout begins anew with each byte."""

    def __init__(self, raw: Any, sock: socket.socket, read: float, bounds: Bounds) -> None:
        self._raw = raw
        self._sock = sock
        self._read = read
        self._bounds = bounds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._bounds.seconds(self._read))
        count: int | None = self._raw.readinto(buffer)
        self._bounds.left -= count or 0
        if self._bounds.left < 0:
            raise TooMuch("More came than is read.")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class PinnedConnection(HTTPSConnection):
    """Connects to ``address``, where ``target`` was found to live."""

    def __init__(
        self,
        target: Target,
        address: str,
        *,
        trust: ssl.SSLContext,
        connect: float,
        read: float,
        bounds: Bounds,
    ) -> None:
        super().__init__(target.host, target.port, ssl_context=trust, timeout=connect)
        self._address = address
        self._bounds = bounds
        self._connect = connect

        class Answer(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
                super().__init__(sock, *args, **named)
                raw = self.fp.detach()
                self.fp = io.BufferedReader(_Incoming(raw, sock, read, bounds))

        self.response_class = Answer

    def answer(self) -> http.client.HTTPResponse:
        """The head of the answer; its body is still to be read. Past urllib3, which logs the
        address of an odd head, its query included."""
        return http.client.HTTPConnection.getresponse(self)

    def _new_conn(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        opening = Bounds(time.monotonic() + self._connect, 0)
        try:
            sock.settimeout(self._bounds.seconds(opening.seconds(self._connect)))
            sock.connect((self._address, self.port))
            # The handshake that follows has the rest of it, as a whole: so Python counts there.
            sock.settimeout(self._bounds.seconds(opening.seconds(self._connect)))
        except BaseException:
            sock.close()
            raise
        return sock

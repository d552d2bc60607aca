"""The HTTP server under the emulators: uvicorn, with hands on the connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from .spoil import TRANSPORT

_KEEP_ALIVE = 120
"""Seconds. An idle connection that the server closes while the client sends would look like a
lost answer, so it stays open longer than any client of a test keeps it."""


TURNS = 10
"""Turns of the loop: accepting takes asyncio three, closing one."""


class _Protocol(H11Protocol):
    """Hands each request its transport, so that a fault can break the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """Ends at once: nobody waits for a rehearsal's open requests."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._ready = ready
        self._stopped = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 10  # every tick refreshes the Date header, once a second
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First nothing more is accepted, then the server is closed: asyncio loses the socket of a
        # connection that it accepted and whose server is closed before the next turns.
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listening in server.sockets:
                loop.remove_reader(listening.fileno())
        # A connection that was accepted this very moment shows itself some turns of the loop
        # later, and one that is aborted gives its socket back a turn later.
        for _ in range(TURNS):
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        if self.server_state.tasks:
            _, late = await asyncio.wait(set(self.server_state.tasks), timeout=1)
            for task in late:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()

    def stop(self) -> None:
        """Call it in the server's own loop."""
        self.should_exit = True
        self._stopped.set()


class Wire:
    """An application served on a socket that is bound at once; its thread is a daemon.

    Raises OSError where the port is taken.
    """

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Only where the protocol is named does asyncio turn Nagle's algorithm off, which
        # costs 40 ms an answer.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(128)
        except OSError:
            self._socket.close()
            raise
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, app: ASGIApp) -> None:
        """Serve in a thread; returns once requests are answered."""
        settings: dict[str, Any] = {
            "http": _Protocol,
            "ws": "none",
            "loop": "asyncio",
            "lifespan": "off",
            "log_config": None,
            "log_level": "critical",
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,
            "timeout_keep_alive": _KEEP_ALIVE,
        }
        ready = threading.Event()
        self._server = _Server(uvicorn.Config(app, **settings), ready)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="postkit-emulator", daemon=True
        )
        self._thread.start()
        while not ready.wait(0.1):
            if not self._thread.is_alive():
                raise RuntimeError("The emulator's server ended before it could answer.")

    def join(self, seconds: float | None = None) -> bool:
        """Wait for the server to end; whether it has."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Break every connection, end the thread, free the port. May be called twice."""
        server = self._server
        if server is not None and server.loop is not None and not self.join(0):
            server.loop.call_soon_threadsafe(server.stop)
            self.join(10)
        self._socket.close()

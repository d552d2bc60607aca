"""Answers that go wrong: what a fault does to the request that makes a post live."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .faults import Fault
from .journal import Entry
from .timeline import Delay, delay

if TYPE_CHECKING:
    from .base import Emulator

ENTRY = "postkit.entry"
TRANSPORT = "postkit.transport"

_PROXY_PAGE = "<html><head><title>{0} {1}</title></head><body><h1>{0} {1}</h1></body></html>\n"


class Dropped(Response):
    """No answer at all: the connection ends after ``seconds``, or when the client goes."""

    def __init__(self, *, seconds: float = 0.0, reset: bool = False) -> None:
        super().__init__()
        self.seconds = seconds
        self.reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        if self.seconds:
            try:
                await asyncio.wait_for(gone(receive), self.seconds)
            except TimeoutError:
                pass
            else:
                return
        transport = _transport(scope)
        if self.reset:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
        await gone(receive)


class Slow(Response):
    """A good answer after ``seconds``, unless the client goes before."""

    def __init__(self, answer: Response, seconds: float) -> None:
        super().__init__(status_code=answer.status_code)
        self.answer = answer
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.wait_for(gone(receive), self.seconds)
        except TimeoutError:
            await self.answer(scope, receive, send)


class Truncated(Response):
    """The headers of an answer, half of its body, then the end of the connection."""

    def __init__(self, whole: Response) -> None:
        super().__init__(status_code=whole.status_code)
        self.body = bytes(whole.body)
        self.raw_headers = list(whole.raw_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        _transport(scope).close()
        await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the client has gone or the connection was closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


def note_create(request: Request) -> None:
    """Mark the request in the journal as one that makes a post live."""
    entry = request.scope.get(ENTRY)
    if isinstance(entry, Entry):
        entry.create = True


async def create(
    emulator: Emulator, request: Request, handler: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Run a create request under whatever fault is due for this network."""
    strike = emulator.world.faults.strike(emulator.network)
    fault = strike.fault
    entry = request.scope.get(ENTRY)
    if isinstance(entry, Entry) and fault is not None:
        entry.fault = fault.kind
    if fault is None:
        response, accepted = await emulator.answer(request, handler)
        if not accepted:
            strike.undo()
        return response
    if fault.kind == "rate_limit":
        return emulator.rate_limited(fault.duration)
    if fault.kind == "expire_token":
        emulator.expire_tokens()
        return emulator.token_expired()
    if not fault.accepted:
        return _refuse(fault)
    token = delay.set(_delay(fault))
    try:
        response, accepted = await emulator.answer(request, handler)
    finally:
        delay.reset(token)
    if not accepted:
        strike.undo()
        if isinstance(entry, Entry):
            entry.fault = None
        return response
    return _spoil(fault, response)


def _delay(fault: Fault) -> Delay | None:
    if fault.kind == "late":
        return Delay(live=fault.duration)
    return Delay(listed=fault.duration) if fault.kind == "index_lag" else None


def _refuse(fault: Fault) -> Response:
    """The post is not made; the client cannot know that."""
    if fault.kind == "slow":
        return Slow(_proxy(fault.status), fault.duration)
    if fault.kind == "no_id":
        return Response("{}", 200, media_type="application/json")
    if fault.kind == "truncate":
        return Truncated(Response('{"request": "received"}', 200, media_type="application/json"))
    return _spoil(fault, Response())


def _spoil(fault: Fault, response: Response) -> Response:
    if fault.kind == "slow":
        return Slow(response, fault.duration)
    if fault.kind == "status":
        return _proxy(fault.status)
    if fault.kind == "truncate":
        return Truncated(response)
    if fault.kind == "no_id":
        return Response("{}", response.status_code, media_type="application/json")
    if fault.kind == "hang":
        return Dropped(seconds=fault.duration)
    return Dropped(reset=fault.kind == "reset")


def _proxy(status: int) -> Response:
    """An error page as a gateway in front of the network would send: HTML, not its JSON."""
    import http

    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    headers = {"Location": "/"} if 300 <= status < 400 else None
    return Response(_PROXY_PAGE.format(status, phrase), status, headers, media_type="text/html")


def _transport(scope: Scope) -> asyncio.Transport:
    transport = scope["state"][TRANSPORT]
    assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
    return transport

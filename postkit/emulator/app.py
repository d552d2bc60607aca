"""The application: mounts, journal, and what is answered where nothing is emulated."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..logs import logger
from .base import Emulator
from .journal import Entry, redact_query
from .page import Page
from .spoil import ENTRY
from .strict import MOST_BYTES, TooLarge
from .world import World

CONTROL = "_postkit"

_log = logger("emulator")


class App:
    """Sends each request to the page, the control API or a network, and writes it down."""

    def __init__(self, world: World, emulators: Mapping[str, Emulator], control: ASGIApp) -> None:
        self._world = world
        self._emulators = emulators
        self._routes = {name: list(one.routes()) for name, one in emulators.items()}
        self._control = control
        self._page = Page(world, emulators)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        head, _, rest = scope["path"].removeprefix("/").partition("/")
        local = _local_host(Request(scope).headers.get("host", ""))
        if not local:
            text = "This server answers to 127.0.0.1 and localhost only.\n"
            await PlainTextResponse(text, 421)(scope, receive, send)
        elif head == CONTROL:
            await self._control(_below(scope, CONTROL), receive, send)
        elif head in self._routes:
            await self._network(head, f"/{rest}", scope, receive, send)
        else:
            await self._page.answer(Request(scope))(scope, receive, send)

    async def _network(
        self, name: str, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        query = redact_query(scope["query_string"].decode("latin-1"))
        entry = Entry(name, scope["method"], path, query, self._world.clock.now())
        self._world.journal.add(entry)

        async def counting() -> Message:
            message = await receive()
            entry.bytes += len(message.get("body", b""))
            if entry.bytes > MOST_BYTES:
                raise TooLarge
            return message

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        scope = {**_below(scope, name), ENTRY: entry}
        try:
            await self._dispatch(name, path, scope, counting, noting)
        except ClientDisconnect:
            return  # the client went before its request was whole
        except TooLarge:
            refused = self._emulators[name].refuse_http(413, "The body of the request is too large")
            await refused(scope, counting, noting)
        except Exception as error:  # noqa: BLE001 - shown as the answer, and logged
            _log.exception("the emulator failed at %s %s", scope["method"], path)
            if entry.status is None:
                text = f"The emulator itself failed: {type(error).__name__}"
                await JSONResponse({"postkit_emulator": text}, 500)(scope, counting, noting)

    async def _dispatch(
        self, name: str, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        for route in self._routes[name]:
            match, more = route.matches(scope)
            if match is Match.FULL:
                scope.update(more)
                await route.handle(scope, receive, send)
                return
        answer = self._permalink(name, scope) or self._not_emulated(name, path, scope)
        await answer(scope, receive, send)

    def _permalink(self, name: str, scope: Scope) -> Response | None:
        """The page of a post whose ``url`` is the one that was asked for."""
        if scope["method"] not in ("GET", "HEAD"):
            return None
        for post in self._world.timeline.live(name):
            if post.url and urlsplit(post.url).path == scope["path"]:
                return self._page.post(post)
        return None

    def _not_emulated(self, name: str, path: str, scope: Scope) -> Response:
        others = sorted({m for route in self._routes[name] for m in _methods(route, scope)})
        text = f"{scope['method']} {path} of {name} is not emulated."
        more: dict[str, Any] = {"method": scope["method"], "path": path}
        if others:
            more["emulated_methods"] = others
        return self._emulators[name].not_emulated(text, **more)


def _methods(route: BaseRoute, scope: Scope) -> set[str]:
    return (
        set(getattr(route, "methods", ())) if route.matches(scope)[0] is not Match.NONE else set()
    )


def _below(scope: Scope, mount: str) -> Scope:
    return {**scope, "root_path": f"{scope.get('root_path', '')}/{mount}"}


def _local_host(host: str) -> bool:
    """Whether a Host header names this machine.

    A foreign name that resolves to loopback is how a web page would reach in.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

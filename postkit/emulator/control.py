"""The control API under ``/_postkit/``: look at the posts, arm faults, start over."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from postkit.suggest import did_you_mean

from .base import Emulator
from .faults import BadFault, Fault
from .world import World


class UnknownSetting(ValueError):
    """There is no such network or setting, or the value is of another type."""


class Control:
    """State is changed by POST and DELETE only, and by requests from this server's own pages."""

    def __init__(self, world: World, emulators: Mapping[str, Emulator]) -> None:
        self._world = world
        self._emulators = emulators
        self._routes: list[BaseRoute] = [
            Route("/", self._about, methods=["GET"]),
            Route("/posts", self._posts, methods=["GET"]),
            Route("/requests", self._requests, methods=["GET"]),
            Route("/accounts", self._accounts, methods=["GET"]),
            Route("/media/{sha256}", self._media, methods=["GET"]),
            Route("/faults", self._list_faults, methods=["GET"]),
            Route("/faults", self._add_faults, methods=["POST"]),
            Route("/faults", self._clear_faults, methods=["DELETE"]),
            Route("/settings", self._set, methods=["POST"]),
            Route("/reset", self._reset, methods=["POST"]),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if refused := self._foreign(request):
            return refused
        for route in self._routes:
            match, more = route.matches(request.scope)
            if match is Match.FULL and isinstance(route, Route):
                request.scope.update(more)
                endpoint: Callable[[Request], Awaitable[Response]] = route.endpoint
                return await endpoint(request)
        known = ", ".join(f"{', '.join(_verbs(route))} {_path(route)}" for route in self._routes)
        return _error(404, f"There is no {request.method} here. There is: {known}.")

    def _foreign(self, request: Request) -> Response | None:
        own = urlsplit(self._world.base_url).port
        try:
            port = urlsplit(f"//{request.headers.get('host', '')}").port or 80
        except ValueError:
            port = None
        if port != own:
            return _error(421, f"The Host header must name port {own}.")
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{request.headers.get('host', '')}":
            return _error(403, "A page of another origin may not use the control API.")
        return None

    async def _about(self, _request: Request) -> Response:
        return _json(
            {
                "postkit_emulator": True,
                "version": _version(),
                "networks": sorted(self._emulators),
                "quiet": {name: one.quiet for name, one in self._emulators.items()},
            }
        )

    async def _posts(self, request: Request) -> Response:
        network = request.query_params.get("network")
        posts = reversed(self._world.timeline.live(network))
        return _json({"posts": [post.to_json() for post in posts]})

    async def _requests(self, request: Request) -> Response:
        entries = self._world.journal.list(request.query_params.get("network"))
        return _json({"requests": [entry.to_json() for entry in entries]})

    async def _accounts(self, _request: Request) -> Response:
        """Where each network is. The credentials are not shown: any local page could read them."""
        base = self._world.base_url
        rows = [
            {"network": name, "title": one.title, "endpoint": one.endpoint(base)}
            for name, one in self._emulators.items()
        ]
        return _json({"accounts": rows})

    async def _media(self, request: Request) -> Response:
        stored = self._world.media.get(request.path_params["sha256"])
        if stored is None:
            return _error(404, "There is no media with that SHA-256.")
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Accept-Ranges": "bytes",
        }
        data, size = stored.data, len(stored.data)
        span = _span(request.headers.get("range", ""), size)
        if span is None:
            return Response(data, media_type=stored.mime, headers=headers)
        first, last = span
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return Response(data[first : last + 1], 206, headers, stored.mime)

    async def _list_faults(self, _request: Request) -> Response:
        return _json({"faults": self._world.faults.to_json()})

    async def _add_faults(self, request: Request) -> Response:
        data, refused = await _read(request)
        if refused is not None:
            return refused
        rows = data if isinstance(data, list) and data else [data]
        faults, problems = [], []
        for number, row in enumerate(rows, 1):
            try:
                faults.append(Fault.from_json(row, self._emulators))
            except BadFault as error:
                where = f"Fault {number}: " if len(rows) > 1 else ""
                problems += [where + problem for problem in error.problems]
        if problems:
            return _json({"error": " ".join(problems), "problems": problems}, 422)
        for fault in faults:
            self._world.faults.add(fault)
        return _json({"faults": self._world.faults.to_json()}, 201)

    async def _clear_faults(self, _request: Request) -> Response:
        self._world.faults.clear()
        return _json({"faults": []})

    async def _set(self, request: Request) -> Response:
        data, refused = await _read(request)
        if refused is not None:
            return refused
        if not isinstance(data, dict) or set(data) != {"network", "name", "value"}:
            return _error(422, "A setting is a JSON object {network, name, value}.")
        try:
            change_setting(self._emulators, data["network"], data["name"], data["value"])
        except UnknownSetting as error:
            return _error(422, str(error))
        return _json({"settings": self._emulators[data["network"]].settings})

    async def _reset(self, _request: Request) -> Response:
        reset(self._world, self._emulators)
        return _json({"reset": True})


def reset(world: World, emulators: Mapping[str, Emulator]) -> None:
    """Forget everything; connected accounts go on working."""
    world.reset()
    for emulator in emulators.values():
        emulator.reset()


def change_setting(
    emulators: Mapping[str, Emulator], network: object, name: object, value: object
) -> None:
    """Change a setting that the emulator declares. Raises UnknownSetting."""
    emulator = emulators.get(str(network))
    if emulator is None:
        hint = did_you_mean(str(network), sorted(emulators))
        raise UnknownSetting(f"There is no network {network!r} here.{hint}")
    declared = emulator.defaults
    if not isinstance(name, str) or name not in declared:
        known = ", ".join(sorted(declared)) or "none"
        raise UnknownSetting(f"There is no setting {name!r}. Known: {known}.")
    if type(value) is not type(declared[name]):
        kind = type(declared[name]).__name__
        raise UnknownSetting(f"The setting {name!r} is of type {kind}, not {value!r}.")
    emulator.settings[name] = value


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a Range header asks for; None for the whole. Without
    ranges some players play no video at all."""
    match = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", header)
    if match is None:
        return None
    first, last = int(match[1]), min(int(match[2] or size), size - 1)
    return (first, last) if first <= last else None


async def _read(request: Request) -> tuple[Any, Response | None]:
    try:
        return json.loads(await request.body()), None
    except (ValueError, RecursionError):
        return None, _error(422, "The body is not JSON.")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("postkit-social")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def _json(data: object, status: int = 200) -> Response:
    """ASCII, since a text may hold a lone surrogate, which has no other encoding."""
    return Response(json.dumps(data), status, media_type="application/json")


def _error(status: int, text: str) -> Response:
    return _json({"error": text}, status)


def _verbs(route: BaseRoute) -> Sequence[str]:
    return sorted(set(getattr(route, "methods", ())) - {"HEAD"})


def _path(route: BaseRoute) -> str:
    return f"/_postkit{getattr(route, 'path', '')}"

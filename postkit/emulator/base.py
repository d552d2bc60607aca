"""The contract of an emulator: one class for each network, mounted at ``/<network>``.

An emulator is checked against facts: its refusals, shapes, headers and limits come from the
network's documentation, and what it does not cover is left out of ``routes`` (the server then
answers 501 and names it). This one shows the shape; the conformance suite also wants a door
(``enter``) that refuses wrong and expired tokens, limits that are kept, and a list for ``find``.
``examples/postkit-chat`` has a whole one in a single file::

    class ChatEmulator(Emulator):
        network = "chat"
        title = "Chat"

        def routes(self) -> Sequence[BaseRoute]:
            return [self.route("/posts", self.post, methods=("POST",), create=True)]

        def credentials(self) -> Mapping[str, str]:
            return {"access_token": self.token}

        async def post(self, request: Request) -> Response:
            data = await request.json()
            if not data.get("text"):
                raise Refusal(JSONResponse({"error": "Text is missing"}, 422))
            number = str(self.world.number())
            post = self.world.timeline.add(
                LivePost(self.network, number, account="emulated", text=data["text"])
            )
            return JSONResponse({"id": post.id})

Posts live in ``world.timeline``, bytes in ``world.media``, ids come from ``world.number()``, time
from ``world.clock``: faults, the page and the tests look there. Faults happen around a create
handler, which therefore knows nothing of them; a server that honours an idempotency key calls
``world.timeline.hasten`` for a repeat, since the first request may still be on its way.
"""

from __future__ import annotations

import copy
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from json import JSONDecodeError
from typing import Any, ClassVar

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .spoil import create, note_create
from .strict import UNREADABLE, StrictRequest
from .world import World

Handler = Callable[[Request], Awaitable[Response]]
IsCreate = Callable[[Request], Awaitable[bool]]


class Refusal(Exception):
    """Raise it anywhere in a handler to answer with ``response`` and make no post.

    A refused create request uses up no fault. Raise it also where the network says no with a
    status of 200, so that the core does not take the answer for a success.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with status {response.status_code}")
        self.response = response


class Emulator(ABC):
    """One emulated network. Instances belong to one server; its loop runs all handlers.

    ``network`` is the name of the network and of the mount, ``title`` its name for people.
    ``quiet`` is declared for tests and rehearsals: seconds after which a post that is not in
    a list was never made (unless a fault holds it back longer).
    ``sample_target`` is a target that exists, where every post needs one; the page shows it.
    ``defaults`` are the settings that a test may change (``server.set(...)`` or
    ``POST /_postkit/settings``); read them as ``self.settings[name]``. ``reset`` restores them.
    ``mends_surrogates`` is true where the network stores U+FFFD for a lone surrogate in JSON;
    elsewhere such a body is refused.
    """

    network: ClassVar[str]
    title: ClassVar[str]
    quiet: ClassVar[float] = 1.0
    sample_target: ClassVar[str | None] = None
    defaults: ClassVar[Mapping[str, Any]] = {}
    mends_surrogates: ClassVar[bool] = False

    def __init__(self, world: World) -> None:
        self.world = world
        self.settings: dict[str, Any] = copy.deepcopy(dict(self.defaults))

    @abstractmethod
    def routes(self) -> Sequence[BaseRoute]:
        """The network's endpoints, relative to the mount; build each with ``self.route``."""

    @abstractmethod
    def credentials(self) -> Mapping[str, str]:
        """What ``postkit connect`` asks for, valid now; make every secret with ``canary``.

        After ``expire_tokens`` these are the new ones that a person would get.
        """

    def app(self) -> Mapping[str, str]:
        """The credentials of an app that is registered here, by the names of the network's
        ``oauth.app``; empty where apps register themselves, or there is no consent page."""
        return {}

    def endpoint(self, base_url: str) -> str:
        """What ``postkit connect --endpoint`` gets; ``base_url`` has no slash at its end."""
        return f"{base_url}/{self.network}"

    def expire_tokens(self) -> None:  # noqa: B027 - a network without expiry has nothing to do
        """The access token is dead from now on; a refresh, where there is one, makes a new one."""

    def rate_limited(self, seconds: float) -> Response:
        """The network's own 429, with the headers that name a reset in ``seconds``."""
        return JSONResponse({"error": "Too many requests"}, 429, {"Retry-After": f"{seconds:.0f}"})

    def token_expired(self) -> Response:
        """The network's own answer to a request with an expired token."""
        return JSONResponse({"error": "The access token has expired"}, 401)

    def refuse_http(self, status: int, detail: str) -> Response:
        """The network's shape for a request that cannot be read (broken JSON or form)."""
        return JSONResponse({"error": detail}, status)

    def not_emulated(self, text: str, **more: Any) -> Response:
        """The 501 that names what is missing. Override it where the network's clients look for
        an error in the body and not at the status."""
        return JSONResponse({"postkit_emulator": text, **more}, 501)

    async def enter(self, request: Request) -> None:  # noqa: B027 - an open door by default
        """Runs before every handler of ``route``: authentication, rate limits.

        Raise Refusal to answer at once. Override it; the default lets everything in.
        """

    def leave(self, request: Request, response: Response) -> None:  # noqa: B027
        """Runs on every answer that comes from the network itself, also on a refusal.

        Override it to add headers. Not called for an answer that a fault makes up.
        """

    def reset(self) -> None:
        """Forget the emulator's own state. The world is reset by the core.

        Tokens that were handed out stay good, so that connected accounts go on working. An
        override calls this one, which restores the settings.
        """
        self.settings = copy.deepcopy(dict(self.defaults))

    def canary(self, kind: str) -> str:
        """A fresh secret that tests look for in every output: ``pk_canary_<network>_...``."""
        return f"pk_canary_{self.network}_{kind}_{secrets.token_hex(12)}"

    def route(
        self,
        path: str,
        handler: Handler,
        *,
        methods: Sequence[str] = ("GET",),
        create: bool | IsCreate = False,
    ) -> Route:
        """One endpoint. ``path`` is Starlette's (``/statuses/{id}``), ``handler`` a coroutine.

        ``create`` marks the request that makes a post live, which faults hit: true, or a
        coroutine that decides by the request (one endpoint for posts and likes). Uploads,
        drafts, logins, edits and deletions are none. The body can be read any number of times
        (``await request.body()``, ``.json()``, ``.form()``).
        """

        async def endpoint(given: Request) -> Response:
            request = StrictRequest(given, mends=self.mends_surrogates)
            await request.body()
            is_create = create if isinstance(create, bool) else await self._judge(create, request)
            if is_create:
                note_create(request)
            try:
                await self.enter(request)
            except _NO as error:
                response = self._refused(error)
                self.leave(request, response)
                return response
            if is_create:
                return await run_create(self, request, handler)
            response, _ = await self.answer(request, handler)
            return response

        return Route(path, endpoint, methods=list(methods))

    async def answer(self, request: Request, handler: Handler) -> tuple[Response, bool]:
        """Run a handler for the core: its answer, and whether it was a yes."""
        try:
            response = await handler(request)
            accepted = response.status_code < 400
        except _NO as error:
            response, accepted = self._refused(error), False
        self.leave(request, response)
        return response, accepted

    async def _judge(self, is_create: IsCreate, request: Request) -> bool:
        try:
            return await is_create(request)
        except _NO:
            return False

    def _refused(self, error: Exception) -> Response:
        if isinstance(error, Refusal):
            return error.response
        if isinstance(error, HTTPException):
            return self.refuse_http(error.status_code, error.detail)
        if isinstance(error, MultiPartException):
            return self.refuse_http(400, error.message)
        return self.refuse_http(400, UNREADABLE)


_NO = (
    Refusal,
    HTTPException,
    MultiPartException,
    JSONDecodeError,
    UnicodeDecodeError,
    RecursionError,
)
"""What a handler may raise on a request that cannot be served; all else is a mistake here."""

run_create = create

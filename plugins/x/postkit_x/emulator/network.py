"""The emulator of X: its endpoints, who may call them, and how often."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from postkit.emulator.base import Emulator, Handler, Refusal
from postkit.emulator.consent import Consent, loopback
from postkit.emulator.rates import FixedWindow, RateState
from postkit.emulator.world import World

from .access import Access
from .chunks import Chunks
from .lists import Lists
from .posts import NETWORK, Posts
from .problems import problem, unauthorized
from .uploads import Uploads

QUARTER = 900
"""Seconds of X's usual rate limit window."""
STATE = "postkit_x.rate"


class XEmulator(Emulator):
    """Settings: ``credits`` false answers creates with 402, as when the money is spent;
    ``redirect_uri`` is the address that the emulated apps have registered."""

    network = NETWORK
    title = "X"
    quiet = 1.0
    defaults: ClassVar[Mapping[str, Any]] = {"credits": True, "redirect_uri": loopback("x")}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        consent = Consent(
            self.title, "@emulated", world.clock, registered=self._redirects, needs_pkce=True
        )
        self.access = Access(world.clock, self.canary, consent)
        self.uploads = Uploads(world)
        self.chunks = Chunks(world, self.uploads)
        self.posts = Posts(world, self.uploads, self.settings_of)
        self.lists = Lists(world)
        self._windows: dict[object, FixedWindow] = {}
        self._open: set[object] = set()

    def settings_of(self, name: str) -> Any:
        return self.settings[name]

    def _redirects(self) -> Sequence[str]:
        return [str(self.settings["redirect_uri"])]

    def routes(self) -> Sequence[BaseRoute]:
        posts, lists, uploads, chunks = self.posts, self.lists, self.uploads, self.chunks
        access = self.access
        doors = [
            self.route("/i/oauth2/authorize", access.consent.page),
            self.route("/i/oauth2/authorize", access.consent.decide, methods=("POST",)),
            self.route("/2/oauth2/token", access.token, methods=("POST",)),
            self.route("/2/oauth2/revoke", access.revoke, methods=("POST",)),
        ]
        self._open.update(door.endpoint for door in doors)
        return [
            *doors,
            self._limited("/2/tweets", posts.create, 100, "POST", create=True),
            self._limited("/2/tweets/{id}", posts.delete, 50, "DELETE"),
            self._limited("/2/tweets", lists.several, 5000),
            self._limited("/2/tweets/{id}", lists.one, 900),
            self._limited("/2/users/me", lists.me, 75),
            self._limited("/2/users/{id}/tweets", lists.own, 900),
            self._limited("/2/media/upload", uploads.upload, 500, "POST"),
            self._limited("/2/media/metadata", uploads.metadata, 500, "POST"),
            self._limited("/2/media/upload/initialize", chunks.initialize, 1875, "POST"),
            self._limited("/2/media/upload/{id}/append", chunks.append, 1875, "POST"),
            self._limited("/2/media/upload/{id}/finalize", chunks.finalize, 1875, "POST"),
            self._limited("/2/media/upload", chunks.status, 1000),
        ]

    def _limited(
        self, path: str, handler: Handler, calls: int, method: str = "GET", *, create: bool = False
    ) -> Route:
        route = self.route(path, handler, methods=(method,), create=create)
        self._windows[route.endpoint] = self.world.rate_limit(calls, QUARTER)
        return route

    def credentials(self) -> Mapping[str, str]:
        token, refresh = self.access.issue()
        return {
            "access_token": token,
            "refresh_token": refresh,
            "client_id": self.access.client_id,
            "client_secret": self.access.client_secret,
        }

    def app(self) -> Mapping[str, str]:
        return {"client_id": self.access.client_id, "client_secret": self.access.client_secret}

    def public_client_credentials(self) -> Mapping[str, str]:
        """An OAuth 2 client without a secret."""
        token, refresh = self.access.issue()
        return {
            "access_token": token,
            "refresh_token": refresh,
            "client_id": self.access.public_client_id,
        }

    def oauth1_credentials(self) -> Mapping[str, str]:
        """The other way to connect; these tokens never end."""
        return {
            "api_key": self.access.api_key,
            "api_secret": self.access.api_secret,
            "access_token": self.access.user_token,
            "access_token_secret": self.access.user_secret,
        }

    def expire_tokens(self) -> None:
        self.access.expire()

    def token_expired(self) -> Response:
        return unauthorized().response

    def rate_limited(self, seconds: float) -> Response:
        opens = self.world.clock.now() + timedelta(seconds=seconds)
        answer = problem(429, "Too Many Requests", "Too Many Requests", "rate-limit-exceeded")
        answer.headers.update(_headers(RateState(100, 0, opens, allowed=False)))
        return answer

    def refuse_http(self, status: int, detail: str) -> Response:
        return problem(status, "Invalid Request", detail, "invalid-request")

    async def enter(self, request: Request) -> None:
        endpoint = request.scope["endpoint"]
        if endpoint in self._open:
            return
        self.access.check(request)
        window = self._windows.get(endpoint)
        if window is not None:
            state = window.take()
            request.scope[STATE] = state
            if not state.allowed:
                answer = problem(
                    429, "Too Many Requests", "Too Many Requests", "rate-limit-exceeded"
                )
                raise Refusal(answer)

    def leave(self, request: Request, response: Response) -> None:
        state = request.scope.get(STATE)
        if isinstance(state, RateState):
            response.headers.update(_headers(state))

    def reset(self) -> None:
        super().reset()
        self.uploads.clear()
        self.chunks.clear()


def _headers(state: RateState) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(state.limit),
        "x-rate-limit-remaining": str(state.remaining),
        "x-rate-limit-reset": str(math.ceil(state.reset_at.timestamp())),
    }

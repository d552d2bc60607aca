"""The emulated server: its endpoints, its token, its rate limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator
from postkit.emulator.consent import Consent
from postkit.emulator.rates import RateState
from postkit.emulator.world import World

from . import answers
from .access import CODE_LIFE, Access
from .answers import error
from .media import Uploads
from .statuses import Statuses

_CALLS, _CALLS_SECONDS = 300, 300
_COSTLY, _COSTLY_SECONDS = 30, 1800
_APPS, _APPS_SECONDS = 5, 600
"""Registrations from one address (config/initializers/rack_attack.rb, checked 2026-11-29)."""
_OPEN = ("/api/v2/instance", "/api/v1/apps", "/oauth/authorize", "/oauth/token", "/oauth/revoke")


class MastodonEmulator(Emulator):
    """One Mastodon server, version 4.5, with one account. Apps register themselves at it.

    Settings: ``max_characters`` as forks raise it; ``idempotency`` false ignores the
    Idempotency-Key, as some servers do that only speak the API; ``version`` as they state it;
    ``rate_limits`` false lets a long test run through; ``video_size_limit`` in bytes, as the
    instance states it; ``processing`` is how many seconds the server works on a video or an
    animated GIF, and ``processing_fails`` says how that ends.
    """

    network = "mastodon"
    title = "Mastodon"
    defaults: ClassVar[Mapping[str, Any]] = {
        "max_characters": 500,
        "idempotency": True,
        "version": "4.5.0",
        "rate_limits": True,
        "video_size_limit": 103_809_024,
        "processing": 0.3,
        "processing_fails": False,
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        consent = Consent(self.title, f"@{answers.HANDLE}", world.clock, life=CODE_LIFE)
        self._access = Access(world, self.canary, consent)
        self._uploads = Uploads(world, self.settings_value)
        self._statuses = Statuses(self.network, world, self._uploads, self.settings_value)
        self._calls = world.rate_limit(_CALLS, _CALLS_SECONDS)
        self._media_calls = world.rate_limit(_COSTLY, _COSTLY_SECONDS)
        self._app_calls = world.rate_limit(_APPS, _APPS_SECONDS)
        self._delete_calls = world.rate_limit(_COSTLY, _COSTLY_SECONDS)

    def settings_value(self, name: str) -> Any:
        return self.settings[name]

    def routes(self) -> Sequence[BaseRoute]:
        statuses, uploads = self._statuses, self._uploads
        one = "/api/v1/statuses/{id}"
        access = self._access
        return [
            self.route("/api/v1/apps", access.register, methods=("POST",)),
            self.route("/oauth/authorize", access.consent.page),
            self.route("/oauth/authorize", access.consent.decide, methods=("POST",)),
            self.route("/oauth/token", access.token, methods=("POST",)),
            self.route("/oauth/revoke", access.revoke, methods=("POST",)),
            self.route("/api/v2/instance", self._instance),
            self.route("/api/v1/accounts/verify_credentials", self._verify),
            self.route("/api/v1/accounts/{id}/statuses", statuses.of_account),
            self.route("/api/v2/media", uploads.upload, methods=("POST",)),
            self.route("/api/v1/media/{id}", uploads.show),
            self.route("/api/v1/media/{id}", uploads.change, methods=("PUT",)),
            self.route("/api/v1/statuses", statuses.create, methods=("POST",), create=True),
            self.route(one, statuses.show),
            self.route(one, statuses.delete, methods=("DELETE",)),
            self.route(f"{one}/source", statuses.source),
            self.route(f"{one}/context", statuses.context),
        ]

    def credentials(self) -> Mapping[str, str]:
        return {"access_token": self._access.own}

    def expire_tokens(self) -> None:
        self._access.expire()

    def forget_apps(self) -> None:
        """As servers before 4.3 did with apps that nobody had used."""
        self._access.consent.apps.clear()

    def reset(self) -> None:
        super().reset()
        self._access.revive()
        self._uploads.clear()
        self._statuses.clear()

    def token_expired(self) -> Response:
        return JSONResponse(
            {"error": "The access token is invalid"},
            401,
            {"WWW-Authenticate": 'Bearer realm="Doorkeeper", error="invalid_token"'},
        )

    def rate_limited(self, seconds: float) -> Response:
        """No Retry-After: the reset is an ISO time in a header of its own."""
        reset = self.world.clock.now() + timedelta(seconds=seconds)
        response = JSONResponse({"error": "Too many requests"}, 429)
        answers.rate_headers(response, RateState(_CALLS, 0, reset, allowed=False))
        return response

    async def enter(self, request: Request) -> None:
        path = request.scope["path"].removeprefix(request.scope["root_path"])
        token = self._access.token_of(request)
        rates = [self._calls.take(token or "address")]
        if path == "/api/v2/media":
            rates.append(self._media_calls.take(token or ""))
        if path == "/api/v1/apps":
            rates.append(self._app_calls.take("address"))
        if request.method == "DELETE":
            rates.append(self._delete_calls.take(token or ""))
        request.state.rate = min(rates, key=lambda rate: (rate.allowed, rate.remaining))
        if self.settings["rate_limits"] and not request.state.rate.allowed:
            raise error(429, "Too many requests")
        if path in _OPEN:
            return
        if token is None:
            refusal = error(401, "The access token is invalid")
            refusal.response.headers["WWW-Authenticate"] = (
                'Bearer realm="Doorkeeper", error="invalid_token"'
            )
            raise refusal
        self._access.check_scope(token, request.method, path)

    def leave(self, request: Request, response: Response) -> None:
        rate: RateState | None = getattr(request.state, "rate", None)
        if rate is not None:
            answers.rate_headers(response, rate)

    async def _instance(self, _request: Request) -> Response:
        domain = urlsplit(self.world.base_url).netloc
        settings = self.settings
        stated = ("version", "max_characters", "video_size_limit")
        return JSONResponse(answers.instance(domain, **{name: settings[name] for name in stated}))

    async def _verify(self, _request: Request) -> Response:
        me = answers.account(self._statuses.root, self._statuses.count())
        source = {"privacy": "public", "sensitive": False, "language": "en", "note": ""}
        return JSONResponse(me | {"source": source})

"""Logins: the grants that postkit uses, access tokens that end, and their scopes.

The answers: github.com/reddit-archive/reddit, r2/r2/controllers/oauth2.py (a wrong code is refused
with a status of 200, a client with 401, an unknown token is revoked with 204; checked 2026-11-29).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.clock import Clock
from postkit.emulator.base import Refusal
from postkit.emulator.consent import App, Consent, Denied

from .answers import USER, http_error

SCOPES = "identity read submit flair history edit"
CODE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. ``refresh`` is the refresh token that it came from."""

    ends: datetime
    scopes: str
    refresh: str | None = None


class Access:
    """The application, its user, and the access tokens that are alive."""

    def __init__(self, clock: Clock, canary: Callable[[str], str], consent: Consent) -> None:
        self.consent = consent
        self._clock = clock
        self._canary = canary
        self._tokens: dict[str, Token] = {}
        self._granted: dict[str, str] = {}
        self.client_id = "postkit_emulated_app"
        self.client_secret = canary("client_secret")
        self.refresh_token = canary("refresh_token")
        self.password = canary("password")
        known = tuple(SCOPES.split())
        consent.add(App(self.client_id, secret=self.client_secret, scopes=known))

    def expire(self) -> None:
        self._tokens.clear()

    async def token(self, request: Request, seconds: int, scopes: str) -> Response:
        """POST /api/v1/access_token. ``scopes`` are those of the app's own refresh token."""
        fields = await self._form(request)
        app = self._client(request)
        grant = fields.get("grant_type")
        if grant == "authorization_code":
            return self._redeemed(app, fields, seconds)
        if grant == "refresh_token":
            given = fields.get("refresh_token", "")
            if _same(given, self.refresh_token):
                return self._new(seconds, scopes, given)
            if given in self._granted:
                return self._new(seconds, self._granted[given], given)
            return http_error(400, "Bad Request")
        if grant == "password":
            known = fields.get("username", "").lower() == USER
            if not known or not _same(fields.get("password", ""), self.password):
                # With the status of a success; prawcore knows it.
                return JSONResponse({"error": "invalid_grant"})
            return self._new(seconds, "*")
        return JSONResponse({"error": "unsupported_grant_type"})

    async def revoke(self, request: Request) -> Response:
        """POST /api/v1/revoke_token; a refresh token takes its access tokens along."""
        fields = await self._form(request)
        self._client(request)
        given = fields.get("token", "")
        if _same(given, self.refresh_token):
            self.refresh_token = self._canary("refresh_token")
        self._granted.pop(given, None)
        self._tokens = {
            token: held
            for token, held in self._tokens.items()
            if token != given and held.refresh != given
        }
        return Response(status_code=204)

    def scopes_of(self, header: str) -> str | None:
        """The scopes of a living token in an Authorization header."""
        scheme, _, token = header.partition(" ")
        held = self._tokens.get(token.strip())
        if scheme.lower() != "bearer" or held is None or held.ends <= self._clock.now():
            return None
        return held.scopes

    def _redeemed(self, app: App, fields: dict[str, str], seconds: int) -> Response:
        if not fields.get("code") or not fields.get("redirect_uri"):
            return JSONResponse({"error": "invalid_request"})
        try:
            code = self.consent.redeemed(app, fields)
        except Denied:
            return JSONResponse({"error": "invalid_grant"})
        scopes = " ".join(code.scopes)
        if code.query.get("duration") != "permanent":
            return self._new(seconds, scopes)
        refresh = self._canary("refresh_token")
        self._granted[refresh] = scopes
        return self._new(seconds, scopes, refresh, refresh_token=refresh)

    def _new(self, seconds: int, scopes: str, refresh: str | None = None, **more: str) -> Response:
        token = self._canary("access_token")
        ends = self._clock.now() + timedelta(seconds=seconds)
        self._tokens[token] = Token(ends, scopes, refresh)
        body: dict[str, Any] = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": seconds,
            "scope": scopes,
            **more,
        }
        return JSONResponse(body)

    def _client(self, request: Request) -> App:
        """The app, which proves itself by HTTP Basic alone. Raises Refusal."""
        try:
            return self.consent.client(request, {})
        except Denied as denied:
            answer = http_error(401, "Unauthorized")
            answer.headers["www-authenticate"] = 'Basic realm="reddit"'
            raise Refusal(answer) from denied

    async def _form(self, request: Request) -> dict[str, str]:
        async with request.form() as form:
            return {name: str(value) for name, value in form.items()}


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())

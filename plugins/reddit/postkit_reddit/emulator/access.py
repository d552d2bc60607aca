"""Logins: the two grants that postkit uses, access tokens that end, and their scopes."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.clock import Clock

from .answers import USER, http_error

SCOPES = "identity read submit flair history edit"


class Access:
    """The application, its user, and the access tokens that are alive."""

    def __init__(self, clock: Clock, canary: Callable[[str], str]) -> None:
        self._clock = clock
        self._canary = canary
        self._tokens: dict[str, tuple[datetime, str]] = {}
        self.client_id = "postkit_emulated_app"
        self.client_secret = canary("client_secret")
        self.refresh_token = canary("refresh_token")
        self.password = canary("password")

    def expire(self) -> None:
        self._tokens.clear()

    async def token(self, request: Request, seconds: int, scopes: str) -> Response:
        """POST /api/v1/access_token."""
        if not self._is_client(request.headers.get("authorization", "")):
            return http_error(401, "Unauthorized")
        async with request.form() as form:
            fields = {name: str(value) for name, value in form.items()}
        grant = fields.get("grant_type")
        if grant == "refresh_token":
            if not _same(fields.get("refresh_token", ""), self.refresh_token):
                return http_error(400, "Bad Request")
            return self._new(seconds, scopes)
        if grant == "password":
            known = fields.get("username", "").lower() == USER
            if not known or not _same(fields.get("password", ""), self.password):
                # With the status of a success; prawcore knows it.
                return JSONResponse({"error": "invalid_grant"})
            return self._new(seconds, "*")
        return JSONResponse({"error": "unsupported_grant_type"})

    def scopes_of(self, header: str) -> str | None:
        """The scopes of a living token in an Authorization header."""
        scheme, _, token = header.partition(" ")
        until, scopes = self._tokens.get(token.strip(), (None, ""))
        if scheme.lower() != "bearer" or until is None or until <= self._clock.now():
            return None
        return scopes

    def _new(self, seconds: int, scopes: str) -> Response:
        token = self._canary("access_token")
        self._tokens[token] = (self._clock.now() + timedelta(seconds=seconds), scopes)
        body: dict[str, Any] = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": seconds,
            "scope": scopes,
        }
        return JSONResponse(body)

    def _is_client(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return False
        name, _, secret = pair.partition(":")
        return (
            scheme.lower() == "basic"
            and name == self.client_id
            and _same(secret, self.client_secret)
        )


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())

"""Sessions of the one account: tokens that end, and are renewed by their refresh token."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from starlette.requests import Request

from postkit.emulator.base import Refusal
from postkit.emulator.world import World

from .answers import DID, problem

ACCESS_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=90)
Scope = Literal["access", "refresh"]


class Tokens:
    """Every token handed out, with its end. ``canary`` makes the part that must not be guessed."""

    def __init__(self, world: World, canary: Callable[[str], str]) -> None:
        self._world = world
        self._canary = canary
        self._ends: dict[Scope, dict[str, datetime]] = {"access": {}, "refresh": {}}
        self._next: dict[str, str] = {}
        self.revoked: set[str] = set()
        self._services: dict[str, tuple[str, str | None, datetime]] = {}

    def open(self) -> dict[str, str]:
        return self._pair(self._make("refresh", REFRESH_LIFE))

    def renewed(self, refresh: str) -> dict[str, str]:
        """A second use of one refresh token answers with the same next one."""
        if refresh not in self._next:
            self._next[refresh] = self._make("refresh", REFRESH_LIFE)
        return self._pair(self._next[refresh])

    def revoke(self, refresh: str) -> None:
        self.revoked.add(refresh)

    def require(self, request: Request, scope: Scope) -> str:
        """The request's token. Raises Refusal."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise problem(401, "AuthMissing", "Authentication Required")
        end = self._ends[scope].get(token)
        if end is None:
            raise problem(400, "InvalidToken", "Token could not be verified")
        if token in self.revoked:
            raise problem(400, "ExpiredToken", "Token has been revoked")
        if end <= self._world.clock.now():
            raise expired()
        return token

    def for_service(self, audience: str, method: str | None, end: datetime) -> str:
        """A token with which a service may call ``method`` of ``audience`` in our name."""
        head = {"typ": "JWT", "alg": "ES256K"}
        claims = {"iss": DID, "aud": audience, "exp": int(end.timestamp()), "lxm": method}
        token = ".".join((_encoded(head), _encoded(claims), self._canary("service")))
        self._services[token] = (audience, method, end)
        return token

    def require_service(self, request: Request, audience: str, method: str) -> None:
        """That the request has a token for this. Raises Refusal."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise problem(401, "AuthMissing", "missing authorization")
        held = self._services.get(token)
        if held is None:
            raise problem(401, "BadJwt", "poorly formatted jwt")
        for is_wrong, error, message in (
            (held[2] <= self._world.clock.now(), "JwtExpired", "jwt expired"),
            (held[0] != audience, "BadJwtAudience", "jwt audience does not match service did"),
            (held[1] != method, "BadJwtLexiconMethod", f"bad jwt lexicon method: {held[1]}"),
        ):
            if is_wrong:
                raise problem(401, error, message)

    def expire(self, scope: Scope) -> None:
        """All tokens of this kind are dead from now on; those made later are good."""
        now = self._world.clock.now()
        self._ends[scope] = dict.fromkeys(self._ends[scope], now)

    def _pair(self, refresh: str) -> dict[str, str]:
        return {"accessJwt": self._make("access", ACCESS_LIFE), "refreshJwt": refresh}

    def _make(self, scope: Scope, life: timedelta) -> str:
        now = self._world.clock.now()
        end = now + life
        kinds = {"access": "at+jwt", "refresh": "refresh+jwt"}
        names = {"access": "com.atproto.appPass", "refresh": "com.atproto.refresh"}
        head = {"typ": kinds[scope], "alg": "HS256"}
        claims = {
            "scope": names[scope],
            "aud": "did:web:localhost",
            "sub": DID,
            "iat": int(now.timestamp()),
            "exp": int(end.timestamp()),
        }
        token = ".".join((_encoded(head), _encoded(claims), self._canary(scope)))
        self._ends[scope][token] = end
        return token


def expired() -> Refusal:
    return problem(400, "ExpiredToken", "Token has expired")


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

"""The OAuth 2 part of the stand-in: an app, the consent page, and what a code is good for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.consent import App, Consent, Denied, loopback
from postkit.emulator.world import World

CODE_LIFE = timedelta(minutes=1)


class Login:
    """``tokens`` are those that the door lets in; ``canary`` makes secrets."""

    def __init__(self, world: World, tokens: list[str], canary: Callable[[str], str]) -> None:
        self._tokens = tokens
        self._canary = canary
        self.consent = Consent("Chat", "@emulated", world.clock, life=CODE_LIFE, needs_pkce=True)
        self.app = App("emulated-app", (loopback("chat"),), secret=canary("client_secret"))
        self.consent.add(self.app)

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        try:
            code = self.consent.redeemed(self.consent.client(request, form), form)
        except Denied as denied:
            raise _no(denied) from denied
        # Before the token that a person made by hand, which stays the newest.
        self._tokens.insert(0, self._canary("access_token"))
        return JSONResponse(
            {
                "access_token": self._tokens[0],
                "token_type": "Bearer",
                "scope": " ".join(code.scopes),
            }
        )

    async def revoke(self, request: Request) -> Response:
        form = await _form(request)
        try:
            self.consent.client(request, form)
        except Denied as denied:
            raise _no(denied) from denied
        if form.get("token") in self._tokens[:-1]:
            self._tokens.remove(form["token"])
        return Response()


async def _form(request: Request) -> dict[str, str]:
    async with request.form() as form:
        return {name: str(value) for name, value in form.items()}


def _no(denied: Denied) -> Refusal:
    body = {"error": denied.error, "error_description": denied.description}
    return Refusal(JSONResponse(body, 401 if denied.reason == "client" else 400))

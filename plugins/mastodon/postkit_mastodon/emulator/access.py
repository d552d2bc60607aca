"""Who may call: apps that register themselves, and the tokens that they are given.

Sources: docs.joinmastodon.org/methods/apps, methods/oauth, api/oauth-scopes; the server's settings
of Doorkeeper (a code lives ten minutes, a token does not end, and the same app and person get the
same token again), all checked 2026-11-29.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.consent import App, Consent, Denied
from postkit.emulator.world import World

from .answers import error, invalid, not_emulated

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")
KNOWN = frozenset((*SCOPES, "read", "write", "profile", "follow", "push"))
"""Those that an app may register here. A server knows many more of the same two families."""
CODE_LIFE = timedelta(minutes=10)
_FAMILY = re.compile(r"(read|write):[a-z_]+")
_ENDPOINTS = (
    (r"GET /api/v1/accounts/verify_credentials", ("read:accounts", "profile")),
    (r"GET /api/v1/(accounts|statuses)/.*", ("read:statuses",)),
    (r"(POST|DELETE) /api/v1/statuses.*", ("write:statuses",)),
    (r"[A-Z]+ /api/v[12]/media.*", ("write:media",)),
)
"""What a token must be allowed, one of each row."""
_SAID = {
    "invalid_client": "Client authentication failed due to unknown client, no client "
    "authentication included, or unsupported authentication method.",
    "invalid_grant": "The provided authorization grant is invalid, expired, revoked, does not "
    "match the redirection URI used in the authorization request, or was issued to another client.",
    "unsupported_grant_type": "The authorization grant type is not supported by the "
    "authorization server.",
    "unauthorized_client": "You are not authorized to revoke this token",
    "invalid_request": "Missing required parameter: grant_type.",
}


@dataclass(frozen=True, slots=True)
class Token:
    """``client_id`` None: a person made it in the settings."""

    client_id: str | None
    scopes: tuple[str, ...]


class Access:
    """The tokens of the one account."""

    def __init__(self, world: World, canary: Callable[[str], str], consent: Consent) -> None:
        self.consent = consent
        self._world = world
        self._canary = canary
        self._tokens: dict[str, Token] = {}
        self._dead: set[str] = set()
        self.own = self._new(None, SCOPES)

    def expire(self) -> None:
        """A token of a Mastodon server ends only by revocation; a person makes the next one."""
        self._dead.update(self._tokens)
        self.own = self._new(None, SCOPES)

    def revive(self) -> None:
        self._dead.clear()

    def token_of(self, request: Request) -> str | None:
        """The request's token, where it is good."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        return token if token in self._tokens and token not in self._dead else None

    def check_scope(self, token: str, method: str, path: str) -> None:
        """Raises Refusal where the token may do other things than this."""
        for pattern, any_of in _ENDPOINTS:
            if re.fullmatch(pattern, f"{method} {path}"):
                held = self._tokens[token].scopes
                if not any(name in held or name.partition(":")[0] in held for name in any_of):
                    raise error(403, "This action is outside the authorized scopes")
                return

    async def register(self, request: Request) -> Response:
        """POST /api/v1/apps."""
        given = await _form(request)
        name, scopes = given.get("client_name", ""), given.get("scopes", "read").split()
        uris = tuple(given.get("redirect_uris", "").split())
        problems = []
        if not name.strip():
            problems.append("Application name can't be blank")
        if not uris or not all(_is_absolute(uri) for uri in uris):
            problems.append("Redirect URI must be an absolute URI.")
        if not all(scope in KNOWN or _FAMILY.fullmatch(scope) for scope in scopes):
            problems.append("Scopes doesn't match configured on the server.")
        if problems:
            raise invalid(*problems)
        number = str(self._world.number())
        # A client_id is no secret: it stands in the address of the consent page.
        app = App(f"emulated_app_{number}", uris, self._canary("client"), name, tuple(scopes))
        self.consent.add(app)
        return JSONResponse(
            {
                "id": number,
                "name": name,
                "website": given.get("website"),
                "scopes": scopes,
                "redirect_uri": "\n".join(uris),
                "redirect_uris": list(uris),
                "client_id": app.client_id,
                "client_secret": app.secret,
                "client_secret_expires_at": 0,
            }
        )

    async def token(self, request: Request) -> Response:
        """POST /oauth/token."""
        form = await _form(request)
        grant = form.get("grant_type")
        if not grant:
            raise _oauth(400, "invalid_request")
        if grant == "client_credentials":
            raise not_emulated("A token of an app alone")
        if grant != "authorization_code":
            raise _oauth(400, "unsupported_grant_type")
        app = self._client(request, form)
        try:
            code = self.consent.redeemed(app, form)
        except Denied as denied:
            raise _oauth(400, denied.error) from denied
        wanted = Token(app.client_id, code.scopes)
        token = self._same(wanted) or self._new(app.client_id, code.scopes)
        return JSONResponse(
            {
                "access_token": token,
                "token_type": "Bearer",
                "scope": " ".join(code.scopes),
                "created_at": int(self._world.clock.now().timestamp()),
            }
        )

    async def revoke(self, request: Request) -> Response:
        """POST /oauth/revoke: only of a token of the app's own; one that is gone is fine."""
        form = await _form(request)
        try:
            app = self.consent.client(request, form)
        except Denied as denied:
            raise _oauth(403, "unauthorized_client") from denied
        given = form.get("token", "")
        held = self._tokens.get(given)
        if not given or (held is not None and held.client_id != app.client_id):
            raise _oauth(403, "unauthorized_client")
        self._tokens.pop(given, None)
        return JSONResponse({})

    def _client(self, request: Request, form: Mapping[str, str]) -> App:
        try:
            return self.consent.client(request, form)
        except Denied as denied:
            raise _oauth(401, "invalid_client") from denied

    def _same(self, wanted: Token) -> str | None:
        """The living token of the same app, person and scopes."""
        return next(
            (
                token
                for token, held in self._tokens.items()
                if held == wanted and token not in self._dead
            ),
            None,
        )

    def _new(self, client_id: str | None, scopes: tuple[str, ...]) -> str:
        token = self._canary("access")
        self._tokens[token] = Token(client_id, scopes)
        return token


async def _form(request: Request) -> dict[str, str]:
    """A form or a JSON object; a list is its entries, one a line."""
    if request.headers.get("content-type", "").startswith("application/json"):
        data = await request.json()
        if not isinstance(data, dict):
            raise error(400, "The request must be a JSON object")
        return {
            name: "\n".join(map(str, value)) if isinstance(value, list) else str(value)
            for name, value in data.items()
            if value is not None
        }
    async with request.form() as read:
        return {name: str(value) for name, value in read.items()}


def _is_absolute(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.scheme == "urn")) and not parts.fragment


def _oauth(status: int, word: str) -> Refusal:
    return Refusal(JSONResponse({"error": word, "error_description": _SAID[word]}, status))

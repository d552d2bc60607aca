"""Who may call: OAuth 2 user tokens that end and rotate, and OAuth 1 signatures.

The OAuth 2 endpoints: docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code (a code
lives 30 seconds, a token two hours, a refresh token works once; checked 2026-11-23).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.clock import Clock
from postkit.emulator.base import Refusal
from postkit.emulator.consent import App, Consent, Denied

from .problems import app_only, unauthorized

LIFE = timedelta(hours=2)
"""How long an OAuth 2 access token lives."""
SCOPES = "tweet.read tweet.write users.read media.write offline.access"
HOSTS = ("https://api.x.com", "https://api.twitter.com")
"""A client signs the address that it knows, whatever host the request is then sent to."""
DRIFT = timedelta(minutes=5)
Canary = Callable[[str], str]


@dataclass(slots=True)
class Access:
    """The tokens of one emulated user, and of the app that acts for them."""

    clock: Clock
    canary: Canary
    consent: Consent
    client_id: str = "emulated-confidential-client"
    public_client_id: str = "emulated-public-client"
    tokens: dict[str, datetime] = field(default_factory=dict)
    refresh_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Each with its access token and its scopes."""
    nonces: set[str] = field(default_factory=set)
    client_secret: str = ""
    app_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    user_token: str = ""
    user_secret: str = ""

    def __post_init__(self) -> None:
        self.client_secret = self.canary("client_secret")
        self.app_token = self.canary("app_token")
        self.api_key = self.canary("api_key")
        self.api_secret = self.canary("api_secret")
        self.user_token = self.canary("access_token_1")
        self.user_secret = self.canary("access_token_secret")
        self.consent.add(App(self.client_id, secret=self.client_secret))
        self.consent.add(App(self.public_client_id))

    def issue(self, scopes: str = SCOPES) -> tuple[str, str]:
        """A new access token and the refresh token that goes with it."""
        token, refresh = self.canary("access_token"), self.canary("refresh_token")
        self.tokens[token] = self.clock.now() + LIFE
        self.refresh_tokens[refresh] = token, scopes
        return token, refresh

    def expire(self) -> None:
        self.tokens = dict.fromkeys(self.tokens, self.clock.now())

    def check(self, request: Request) -> None:
        """Raises Refusal with the answer that X gives."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if hmac.compare_digest(rest.encode(), self.app_token.encode()):
                raise app_only()
            end = self.tokens.get(rest)
            if end is None or end <= self.clock.now():
                raise unauthorized()
        elif scheme.lower() != "oauth" or not self._signed(request, rest):
            raise unauthorized()

    def _signed(self, request: Request, header: str) -> bool:
        """Whether the header has our key and token, is fresh, and its signature is right.

        RFC 5849, section 3.4: HMAC-SHA1 over the method, the address and all parameters.
        """
        fields = {}
        for pair in header.split(","):
            name, _, value = pair.strip().partition("=")
            fields[unquote(name)] = unquote(value.strip('"'))
        signature = fields.pop("oauth_signature", "")
        fields.pop("realm", None)
        nonce = fields.get("oauth_nonce", "")
        stamp = fields.get("oauth_timestamp", "")
        if (
            fields.get("oauth_consumer_key") != self.api_key
            or fields.get("oauth_token") != self.user_token
            or fields.get("oauth_signature_method") != "HMAC-SHA1"
            or not (stamp.isdecimal() and len(stamp) < 20)
            or abs(int(stamp) - self.clock.now().timestamp()) > DRIFT.total_seconds()
            or not nonce
            or nonce in self.nonces
        ):
            return False
        query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        right = any(
            hmac.compare_digest(
                self._signature(request.method, host + path, [*query, *fields.items()]),
                signature.encode(),
            )
            for host in HOSTS
        )
        if right:
            self.nonces.add(nonce)
        return right

    def _signature(self, method: str, address: str, parameters: list[tuple[str, str]]) -> bytes:
        pairs = sorted((_quoted(name), _quoted(value)) for name, value in parameters)
        listed = "&".join(f"{name}={value}" for name, value in pairs)
        base = f"{method}&{_quoted(address)}&{_quoted(listed)}"
        key = f"{_quoted(self.api_secret)}&{_quoted(self.user_secret)}"
        digest = hmac.digest(key.encode(), base.encode(), "sha1")
        return base64.b64encode(digest)

    async def token(self, request: Request) -> Response:
        """POST /2/oauth2/token, for a code or a refresh token."""
        form = await _form(request)
        app = self._client(request, form)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            try:
                scopes = " ".join(self.consent.redeemed(app, form).scopes)
            except Denied as denied:
                raise _oauth(400, "invalid_request", denied.description) from denied
        elif grant == "refresh_token":
            try:
                _, scopes = self.refresh_tokens.pop(form.get("refresh_token", ""))
            except KeyError:
                said = "Value passed for the token was invalid."
                raise _oauth(400, "invalid_request", said) from None
        else:
            raise _oauth(400, "unsupported_grant_type", "The grant_type is none of X's.")
        token, refresh = self.issue(scopes)
        answer = {
            "token_type": "bearer",
            "expires_in": int(LIFE.total_seconds()),
            "access_token": token,
            "scope": scopes,
        }
        if "offline.access" in scopes.split():
            answer["refresh_token"] = refresh
        else:
            del self.refresh_tokens[refresh]
        return JSONResponse(answer)

    async def revoke(self, request: Request) -> Response:
        """POST /2/oauth2/revoke; a refresh token takes its access token along."""
        form = await _form(request)
        self._client(request, form)
        given = form.get("token", "")
        access, _ = self.refresh_tokens.pop(given, (given, ""))
        self.tokens.pop(access, None)
        return JSONResponse({"revoked": True})

    def _client(self, request: Request, form: dict[str, str]) -> App:
        """A confidential client proves itself by HTTP Basic, a public one names itself."""
        try:
            return self.consent.client(request, form)
        except Denied as denied:
            if request.headers.get("authorization") or form.get("client_id") == self.client_id:
                said = "Missing valid authorization header"
                raise _oauth(401, "unauthorized_client", said) from denied
            said = "Value passed for the client id was invalid."
            raise _oauth(400, "invalid_request", said) from denied


async def _form(request: Request) -> dict[str, str]:
    async with request.form() as read:
        return {name: str(value) for name, value in read.items()}


def _oauth(status: int, error: str, description: str) -> Refusal:
    return Refusal(JSONResponse({"error": error, "error_description": description}, status))


def _quoted(text: str) -> str:
    return quote(text, safe="~")

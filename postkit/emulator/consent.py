"""An OAuth 2 server's part of an emulator: the consent page, its codes, and what they are good for.

The emulator of a network has the addresses, the shapes of the errors and the tokens; this has the
rules that are the same everywhere: the redirect's address is compared whole, a code lives shortly,
works once and is bound to app, address and PKCE challenge (RFC 6749, RFC 7636, RFC 9700).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from postkit.clock import Clock
from postkit.pages.markup import Markup, escape, isolated


def loopback(network: str, host: str = "127.0.0.1") -> str:
    """What an app of ``network`` has registered for ``postkit connect``, if nobody asks for
    another port."""
    return f"http://{host}:8712/{network}"


@dataclass(frozen=True, slots=True)
class App:
    """A registered client. ``secret`` None: a public one. ``scopes`` are all that it may ask for;
    None: whatever it likes."""

    client_id: str
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    name: str = "postkit"
    scopes: tuple[str, ...] | None = None


Reason = Literal["client", "unknown", "used", "old", "foreign", "redirect", "verifier"]


class Denied(Exception):
    """A token request that is refused: ``error`` is RFC 6749's word for it (section 5.2),
    ``reason`` ours, for networks that tell more."""

    def __init__(self, reason: Reason, description: str) -> None:
        super().__init__(description)
        self.error = "invalid_client" if reason == "client" else "invalid_grant"
        self.reason = reason
        self.description = description


@dataclass(frozen=True, slots=True)
class Code:
    """What a code was given for. ``query`` is that of the consent page."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None = field(repr=False)
    ends: datetime
    query: Mapping[str, str] = field(repr=False)


class Consent:
    """``apps`` are the registered ones, ``user`` who is logged in at the emulated network.

    ``registered`` tells the addresses of all apps' redirects beside their own; ``life`` is how
    long a code lives; ``separator`` stands between scopes; ``needs_pkce`` refuses a request
    without a challenge; ``any_port`` leaves the port of a loopback address free. Scopes that are
    unticked on the page are not granted.
    """

    def __init__(
        self,
        title: str,
        user: str,
        clock: Clock,
        *,
        registered: Callable[[], Iterable[str]] = tuple,
        life: timedelta = timedelta(seconds=30),
        separator: str = " ",
        needs_pkce: bool = False,
        any_port: bool = False,
    ) -> None:
        self.apps: dict[str, App] = {}
        self.user = user
        self._title = title
        self._clock = clock
        self._registered = registered
        self._life = life
        self._separator = separator
        self._needs_pkce = needs_pkce
        self._any_port = any_port
        self._codes: dict[str, Code] = {}
        self._used: dict[str, App] = {}
        self._forms: dict[str, dict[str, str]] = {}

    def add(self, app: App) -> None:
        self.apps[app.client_id] = app

    async def page(self, request: Request) -> Response:
        """GET of the consent page: what is asked for, and the two buttons."""
        query = dict(request.query_params)
        app = self.apps.get(query.get("client_id", ""))
        if app is None:
            return _wrong(self._title, "client_id: there is no such app.")
        uri = query.get("redirect_uri", "")
        if not self._is_registered(app, uri):
            # Never back to an address that is not registered: it may be anybody's.
            return _wrong(self._title, "redirect_uri is not one that the app has registered.")
        problem = self._problem(app, query)
        if problem is not None:
            return RedirectResponse(_with(uri, {**problem, **_state(query)}), 302)
        ticket = secrets.token_urlsafe(16)
        self._forms[ticket] = query
        return HTMLResponse(
            _page(self._title, self.user, app.name, ticket, self._asked(query)), headers=_HEADERS
        )

    async def decide(self, request: Request) -> Response:
        """POST of the page's form: back to the app, with a code or with a no."""
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return _wrong(self._title, "Another page has sent this form.")
        async with request.form() as form:
            ticket = str(form.get("ticket", ""))
            agreed = form.get("decision") == "allow"
            ticked = tuple(str(scope) for scope in form.getlist("scope"))
        query = self._forms.pop(ticket, None)
        if query is None:
            return _wrong(self._title, "This page is too old; begin again.")
        uri = query["redirect_uri"]
        if not agreed:
            no = {"error": "access_denied", "error_description": "The user denied access"}
            return RedirectResponse(_with(uri, {**no, **_state(query)}), 302)
        scopes = tuple(scope for scope in self._asked(query) if scope in ticked)
        code = f"pk_canary_code_{secrets.token_urlsafe(24)}"
        self._codes[code] = Code(
            self.apps[query["client_id"]],
            uri,
            scopes,
            query.get("code_challenge"),
            self._clock.now() + self._life,
            query,
        )
        return RedirectResponse(_with(uri, {"code": code, **_state(query)}), 302)

    def client(self, request: Request, form: Mapping[str, str]) -> App:
        """The app that a token request comes from, by its header or its form. Raises Denied."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(rest, validate=True).decode().partition(":")
            except (ValueError, UnicodeDecodeError):
                client_id = ""
        app = self.apps.get(client_id)
        if app is None or (
            app.secret is not None
            and not hmac.compare_digest((secret or "").encode(), app.secret.encode())
        ):
            raise Denied("client", "The app is unknown, or did not prove itself.")
        return app

    def redeemed(self, app: App, form: Mapping[str, str]) -> Code:
        """What the form's code was given for; it is used up. Raises Denied."""
        given = form.get("code", "")
        code = self._codes.pop(given, None)
        if code is None:
            if given in self._used:
                raise Denied("used", "The code was used already.")
            raise Denied("unknown", "There is no such code.")
        self._used[given] = app
        if code.app != app:
            raise Denied("foreign", "The code was given to another app.")
        if code.ends <= self._clock.now():
            raise Denied("old", "The code is too old.")
        if code.redirect_uri != form.get("redirect_uri"):
            raise Denied("redirect", "redirect_uri is another one than that of the code.")
        if code.challenge is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if not hmac.compare_digest(shown, code.challenge):
                raise Denied("verifier", "code_verifier does not fit the challenge.")
        return code

    def _is_registered(self, app: App, uri: str) -> bool:
        known = {*app.redirect_uris, *self._registered()}
        return uri in known or (self._any_port and _portless(uri) in map(_portless, known))

    def _problem(self, app: App, query: Mapping[str, str]) -> dict[str, str] | None:
        if query.get("response_type") != "code":
            return {"error": "unsupported_response_type"}
        asked = self._asked(query)
        if not asked or (app.scopes is not None and not set(asked) <= set(app.scopes)):
            said = "The requested scope is invalid, unknown, or malformed."
            return {"error": "invalid_scope", "error_description": said}
        if query.get("code_challenge_method", "S256") != "S256" or (
            self._needs_pkce and not query.get("code_challenge")
        ):
            return {"error": "invalid_request", "error_description": "PKCE with S256 is needed"}
        return None

    def _asked(self, query: Mapping[str, str]) -> Sequence[str]:
        return [scope for scope in query.get("scope", "").split(self._separator) if scope]


_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}
_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: #f2f4f7; color: #17191c; }
main { max-width: 28rem; margin: 3rem auto; padding: 1.5rem 2rem; background: #fff;
  border: 1px solid #d5d9de; border-radius: .5rem; }
h1 { font-size: 1.25rem; }
small { color: #4a4f57; }
ul { list-style: none; padding: 0; }
li { padding: .25rem 0; }
button { font: inherit; padding: .5rem 1.25rem; border-radius: .375rem; border: 1px solid #17191c;
  background: #fff; color: #17191c; cursor: pointer; }
button[value=allow] { background: #17191c; color: #fff; }
"""


def _page(title: str, user: str, app: str, ticket: str, scopes: Sequence[str]) -> Markup:
    boxes = "".join(
        f'<li><label><input type="checkbox" name="scope" value="{escape(scope)}" checked> '
        f"<code>{escape(scope)}</code></label></li>"
        for scope in scopes
    )
    return Markup(
        f"{_head(title)}<h1>{isolated(app)} wants to act for {isolated(user)} at "
        f"{isolated(title)}</h1>"
        "<p><small>This is the emulator: the account is not real.</small></p>"
        f'<form method="post"><input type="hidden" name="ticket" value="{escape(ticket)}">'
        f"<ul>{boxes}</ul>"
        '<p><button name="decision" value="allow">Allow</button> '
        '<button name="decision" value="deny">Cancel</button></p></form></main></body></html>'
    )


def _wrong(title: str, sentence: str) -> Response:
    body = f"{_head(title)}<h1>{escape(title)}</h1><p>{escape(sentence)}</p></main></body></html>"
    return HTMLResponse(body, 400, headers=_HEADERS)


def _head(title: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: consent</title><style>{_STYLE}</style></head><body><main>"
    )


def _with(uri: str, query: Mapping[str, str]) -> str:
    parts = urlsplit(uri)
    joined = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, joined, ""))


def _state(query: Mapping[str, str]) -> dict[str, str]:
    return {"state": query["state"]} if "state" in query else {}


def _portless(uri: str) -> tuple[str, str, str] | None:
    """A loopback address without its port; None, which equals nothing registered, for others."""
    parts = urlsplit(uri)
    if parts.hostname not in ("127.0.0.1", "::1"):
        return None
    return parts.scheme, parts.hostname, parts.path

"""Facebook Login: the dialog, its codes, the tokens of a person, and those of their Pages.

Sources: developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow and
/access-tokens/get-long-lived (a person's token lives an hour or two, a long-lived one about 60
days, a Page's token from the latter has no end); the errors as clients quote them; checked
2026-11-29. How long a code lives is not documented.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.consent import App, Consent, Denied, Reason
from postkit.emulator.world import World

from .answers import expired, not_emulated, refusal
from .fields import parse, select
from .owners import APP, PAGE, PAGES, USER, Owner
from .params import params_of

PERMISSIONS = ("pages_show_list", "pages_read_engagement", "pages_manage_posts")
OFFERED = (
    *PERMISSIONS,
    *("pages_manage_engagement", "pages_read_user_content", "read_insights", "public_profile"),
)
CODE_LIFE = timedelta(minutes=10)
SHORT = timedelta(hours=2)
MONTH = timedelta(days=30)
"""A person's token that lives shorter than this is none of the long-lived ones."""
_REFUSED: Mapping[Reason, tuple[str, int | None]] = {
    "used": ("This authorization code has been used.", 36009),
    "old": ("This authorization code has expired.", 36007),
    "redirect": (
        "Error validating verification code. Please make sure your redirect_uri is identical to "
        "the one you used in the OAuth dialog request",
        36008,
    ),
}


@dataclass(frozen=True, slots=True)
class Token:
    """``permissions`` None: those of the emulator's settings. ``ends`` None: it has no end."""

    owner: Owner
    permissions: tuple[str, ...] | None = None
    ends: datetime | None = None
    is_long: bool = True


class Login:
    """All tokens, and who may have them. ``settings`` are the emulator's."""

    def __init__(
        self,
        world: World,
        canary: Callable[[str], str],
        consent: Consent,
        settings: Callable[[str], Any],
    ) -> None:
        self.consent = consent
        self._world = world
        self._canary = canary
        self._settings = settings
        self._tokens: dict[str, Token] = {}
        self._expired: set[str] = set()
        self._of_pages: dict[tuple[str, str], str] = {}
        self._asked: tuple[str, ...] = ()
        self.page_token = self._new("page", Token(PAGE))
        self.user_token = self._new("user", Token(USER))
        self.app_token = self._new("app", Token(APP))
        self.app = App(APP.id, secret=canary("client_secret"), scopes=OFFERED)
        consent.add(self.app)

    def expire(self) -> None:
        """The Page's tokens are dead; ``page_token`` is a new one, as a new login would give."""
        self._expired.update(t for t, held in self._tokens.items() if held.owner.kind == "page")
        self.page_token = self._new("page", Token(PAGE))

    def revive(self) -> None:
        self._expired.clear()

    def held(self, given: str) -> Token:
        """Raises Refusal for a token that is none, or none any more."""
        found = self._tokens.get(given)
        if found is None:
            raise refusal("Invalid OAuth access token - Cannot parse access token", 190)
        if given in self._expired or (found.ends and found.ends <= self._world.clock.now()):
            raise Refusal(expired())
        return found

    def owner_of(self, given: str) -> Owner | None:
        found = self._tokens.get(given)
        return found.owner if found is not None else None

    async def token(self, request: Request) -> Response:
        """/oauth/access_token, by GET or by POST: for a code, or for a short token a long one."""
        params = {name: str(value) for name, value in (await params_of(request)).items()}
        app = self._app(request, params)
        grant = params.get("grant_type", "authorization_code")
        if grant == "fb_exchange_token":
            return self._exchanged(params)
        if grant != "authorization_code":
            raise not_emulated(f"A grant of the type {grant}")
        if not params.get("code"):
            raise refusal("Missing authorization code", 1)
        try:
            code = self.consent.redeemed(app, params)
        except Denied as denied:
            said, subcode = _REFUSED.get(denied.reason, ("Invalid verification code format.", None))
            raise refusal(said, 100, subcode=subcode) from denied
        self._asked = tuple(code.query.get("scope", "").split(","))
        return self._of_user(code.scopes, is_long=False)

    async def permissions(self, request: Request) -> Response:
        """GET /me/permissions: what was asked for, and what became of it."""
        held = self._user(request, "permissions")
        granted = self._granted(held)
        rows = [
            {"permission": name, "status": "granted" if name in granted else "declined"}
            for name in dict.fromkeys((*self._asked, *granted))
        ]
        return JSONResponse({"data": rows})

    async def accounts(self, request: Request) -> Response:
        """GET /me/accounts: the Pages at which the person has a task, with tokens for them."""
        held = self._user(request, "accounts")
        query = request.query_params
        limit = query.get("limit", "25")
        if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:
            raise refusal("(#100) For field 'accounts': limit must be 1 to 100", 100)
        size = min(int(limit), int(self._settings("accounts_listed")))
        tasks: Mapping[str, Sequence[str]] = self._settings("tasks")
        pages = [page for page in PAGES.values() if tasks.get(page.id)]
        if "pages_show_list" not in self._granted(held):
            pages = []
        ids = [page.id for page in pages]
        after = query.get("after")
        start = ids.index(after) + 1 if after in ids else 0
        shown = pages[start : start + size]
        token = request.scope["facebook.token"]
        tree = parse(query.get("fields", "access_token,category,name,id,tasks"))
        rows = [
            select(
                {**page.node, "access_token": self._page(token, held, page),
                 "tasks": list(tasks[page.id])},
                "PageAccess",
                tree,
            )
            for page in shown
        ]  # fmt: skip
        body: dict[str, Any] = {"data": rows}
        if shown:
            body["paging"] = {"cursors": {"before": shown[0].id, "after": shown[-1].id}}
            if start + size < len(pages):
                again = request.url.include_query_params(access_token=token, after=shown[-1].id)
                body["paging"]["next"] = str(again)
        return JSONResponse(body)

    def _user(self, request: Request, field: str) -> Token:
        held: Token = request.scope["facebook.held"]
        if held.owner.kind != "user":
            kind = held.owner.kind.capitalize()
            raise refusal(
                f"(#100) Tried accessing nonexisting field ({field}) on node type ({kind})", 100
            )
        return held

    def _granted(self, held: Token) -> Sequence[str]:
        found: Sequence[str] = (
            self._settings("permissions") if held.permissions is None else held.permissions
        )
        return found

    def _app(self, request: Request, params: Mapping[str, str]) -> App:
        if params.get("client_id", "") not in self.consent.apps:
            raise refusal(
                "Error validating application. Cannot get application info due to a system error.",
                101,
            )
        secret = params.get("client_secret", "")
        if not hmac.compare_digest(secret.encode(), str(self.app.secret).encode()):
            raise refusal("Error validating client secret.", 1)
        return self.consent.client(request, params)

    def _exchanged(self, params: Mapping[str, str]) -> Response:
        held = self.held(params.get("fb_exchange_token", ""))
        if held.owner.kind != "user":
            raise refusal("Invalid OAuth access token - Cannot parse access token", 190)
        return self._of_user(tuple(self._granted(held)), is_long=True)

    def _of_user(self, permissions: tuple[str, ...], *, is_long: bool) -> Response:
        days = int(self._settings("long_days"))
        life = timedelta(days=days or 60) if is_long else SHORT
        ends = self._world.clock.now() + life
        token = self._new("user", Token(USER, permissions, ends, is_long and life > MONTH))
        answer: dict[str, Any] = {"access_token": token, "token_type": "bearer"}
        if days or not is_long:
            answer["expires_in"] = int(life.total_seconds())
        return JSONResponse(answer)

    def _page(self, user_token: str, held: Token, page: Owner) -> str:
        key = (user_token, page.id)
        if key not in self._of_pages:
            ends = None if held.is_long else held.ends
            self._of_pages[key] = self._new("page", Token(page, held.permissions, ends))
        return self._of_pages[key]

    def _new(self, kind: str, held: Token) -> str:
        token = self._canary(kind)
        self._tokens[token] = held
        return token

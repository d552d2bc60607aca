"""How a Page is connected in the browser: a person agrees, and their login leads to its token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from postkit.accounts.grant import EXPIRES_AT, SCOPES
from postkit.accounts.oauth.answer import end_of, granted
from postkit.accounts.secret import Secret
from postkit.errors import Refused
from postkit.network import Choice, OAuth, Scope
from postkit.transport import Session

from .client import GRAPH, VERSION, WEB, UnexpectedAnswerError

TASK = "CREATE_CONTENT"
"""What a person must be allowed at a Page, in the network's word."""
LISTED = 100
MOST_REQUESTS = 10
"""Of the list of Pages: no person looks after more than a thousand."""
LONG = 30 * 86_400
"""Seconds. A long-lived token has about twice as much; a Page's token that comes from one has no
end, and one that comes from another ends with it."""
_TOKEN = f"{GRAPH}/{VERSION}/oauth/access_token"
OAUTH = OAuth(
    authorize=f"{WEB}/{VERSION}/dialog/oauth",
    token=_TOKEN,
    scopes=(
        Scope("pages_show_list", "see which Pages you look after"),
        Scope("pages_read_engagement", "look for a post whose answer got lost"),
        Scope("pages_manage_posts", "publish and delete the Page's posts"),
    ),
    register=(
        "At developers.facebook.com/apps, create an app (type Business) with Facebook Login for "
        "Business. Leave it in development mode while you connect: only then is {redirect} let in "
        "(an address without https must be http://localhost, and needs no entry; another goes "
        "under Valid OAuth Redirect URIs). Then copy App ID and App secret from App settings, "
        "Basic. Switch the app to Live afterwards: until then, people without a role in the app "
        "see none of its posts."
    ),
    source="developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow",
    checked=date(2026, 11, 29),
    needs_secret=True,
    # In a form: it takes both, and an address is written down on its way.
    proof="form",
    host="localhost",
    pkce=False,
    separator=",",
    # Else a permission that was once declined is never asked for again.
    parameters=MappingProxyType({"auth_type": "rerequest"}),
)


def choices(title: str, session: Session, fields: Mapping[str, str]) -> Sequence[Choice]:
    """The Pages that a person may publish at, each with its own token.

    ``fields`` are the app's and those of the person's short-lived access, of which nothing is
    kept. Raises NeedsLogin for a permission that is missing, and Refused where no Page is left.
    """
    graph = _Graph(session)
    answer = graph.post(
        "oauth/access_token",
        grant_type="fb_exchange_token",
        client_id=fields["client_id"],
        client_secret=fields["client_secret"],
        fb_exchange_token=fields["access_token"],
    )
    graph.token = _token(answer)
    end = end_of(answer, time.time())
    scopes = granted(title, OAUTH, " ".join(graph.permissions()) or "none")
    kept = {
        "client_id": fields["client_id"],
        SCOPES: " ".join(scopes),
        EXPIRES_AT: end if end and int(end) < time.time() + LONG else "",
    }
    pages = list(graph.pages())
    found = [
        Choice(
            str(page["id"]),
            str(page.get("name") or page["id"]),
            {**kept, "page_id": str(page["id"]), "access_token": _token(page).reveal()},
        )
        for page in pages
        if TASK in (page.get("tasks") or ())
    ]
    if not found:
        names = ", ".join(str(page.get("name") or page["id"]) for page in pages)
        why = (
            f"at {names} this person lacks the task {TASK}; ask whoever manages the Page for it"
            if pages
            else "this login was given no Page. Tick yours on the consent page, under choosing "
            "what the app may use; if there is none, ask for a role at it"
        )
        raise Refused(f"{title}: {why}, and connect again.", network="facebook")
    return found


class _Graph:
    """The few calls in a person's name. The token goes into a header, never into an address."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.token: Secret | None = None

    def post(self, path: str, **form: str) -> dict[str, Any]:
        return self._answer(self._session.post(self._address(path), data=form))

    def get(self, path: str, **query: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token.reveal()}"} if self.token else {}
        return self._answer(self._session.get(self._address(path), params=query, headers=headers))

    def permissions(self) -> list[str]:
        return [
            str(row.get("permission"))
            for row in _rows(self.get("me/permissions"))
            if row.get("status") == "granted"
        ]

    def pages(self) -> Iterator[dict[str, Any]]:
        query = {"fields": "id,name,access_token,tasks", "limit": str(LISTED)}
        for _ in range(MOST_REQUESTS):
            answer = self.get("me/accounts", **query)
            yield from (row for row in _rows(answer) if row.get("id"))
            paging = answer.get("paging")
            paging = paging if isinstance(paging, dict) else {}
            after = (paging.get("cursors") or {}).get("after")
            # `next` is a whole address with the token in it, so only the cursor is used.
            if not paging.get("next") or not after:
                return
            query["after"] = str(after)

    def _address(self, path: str) -> str:
        return f"{self._session.base}/{VERSION}/{path}"

    def _answer(self, response: Any) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not response.ok or not isinstance(answer, dict) or "error" in answer:
            raise UnexpectedAnswerError(f"The network answered HTTP {response.status_code}.")
        return answer


def _rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = answer.get("data")
    if not isinstance(rows, list):
        raise UnexpectedAnswerError("The network answered without the list that was asked for.")
    return [row for row in rows if isinstance(row, dict)]


def _token(row: Mapping[str, Any]) -> Secret:
    token = row.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise UnexpectedAnswerError("The network answered without a token that can be sent.")
    return Secret(token)

"""How an account of a Mastodon server is connected in the browser."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from postkit.errors import Refused
from postkit.network import OAuth, Scope

if TYPE_CHECKING:
    from requests import Response

    from postkit.transport import Session

APPS = "/api/v1/apps"
REVOKE = "/oauth/revoke"
NAME = "postkit"
OAUTH = OAuth(
    authorize="/oauth/authorize",
    token="/oauth/token",
    revoke=REVOKE,
    scopes=(
        Scope("read:accounts", "see which account this is"),
        Scope("read:statuses", "look for a post whose answer got lost"),
        Scope("write:statuses", "publish and delete your posts"),
        Scope("write:media", "upload pictures and videos"),
    ),
    register="Nothing: postkit registers itself at your server.",
    source="docs.joinmastodon.org/methods/oauth and methods/apps",
    checked=date(2026, 11, 29),
    needs_secret=True,
    proof="form",
    # A server older than 4.3 leaves the challenge out of account.
    pkce=True,
)


def register(session: Session, redirect_uri: str) -> dict[str, str]:
    """An app of this server, good for ``redirect_uri`` alone. Raises Refused where the server
    has none to give."""
    asked = {
        "client_name": NAME,
        "redirect_uris": redirect_uri,
        "scopes": " ".join(scope.name for scope in OAUTH.scopes),
    }
    response = session.post(session.base + APPS, data=asked)
    if response.status_code in (404, 405):
        raise Refused(
            f"{session.base} takes no apps (HTTP {response.status_code} for {APPS}): is it a "
            "Mastodon server? Check --endpoint.",
            network="mastodon",
            status=response.status_code,
        )
    response.raise_for_status()
    app = _object(response)
    if not all(isinstance(app.get(name), str) for name in OAUTH.app):
        raise Refused(
            f"{session.base} registered an app and told no {' and '.join(OAUTH.app)}; with a token "
            "from its settings it works all the same: --credential access_token=-.",
            network="mastodon",
            status=response.status_code,
        )
    return {name: app[name] for name in OAUTH.app}


def _object(response: Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}

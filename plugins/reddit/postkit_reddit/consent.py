"""How Reddit is connected in the browser."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

from postkit.network import OAuth, Scope

from .agent import user_agent

REVOKE_PATH = "/api/v1/revoke_token"
OAUTH = OAuth(
    authorize="https://www.reddit.com/api/v1/authorize",
    token="https://www.reddit.com/api/v1/access_token",
    revoke="https://www.reddit.com" + REVOKE_PATH,
    scopes=(
        Scope("identity", "see which account this is"),
        Scope("read", "read what a subreddit asks of a post"),
        Scope("submit", "publish your posts"),
        Scope("history", "look for a post whose answer got lost"),
        Scope("flair", "give a post its flair", optional=True),
        Scope("edit", "delete your posts", optional=True),
    ),
    register=(
        "At reddit.com/prefs/apps, create an app (a new one needs Reddit's approval first): type "
        "web app; redirect uri, exactly {redirect} . Then copy its id, which stands below its "
        "name, and its secret. An installed app will not do: it has no secret, and Reddit knows "
        "no PKCE, so that nothing would protect the code."
    ),
    source="github.com/reddit-archive/reddit/wiki/OAuth2, and its r2/controllers/oauth2.py",
    checked=date(2026, 11, 29),
    needs_secret=True,
    pkce=False,
    # Else the access ends with its first token.
    parameters=MappingProxyType({"duration": "permanent"}),
    # Reddit turns a library's own User-Agent away.
    headers=MappingProxyType({"User-Agent": user_agent(None)}),
)

"""How X is connected in the browser."""

from __future__ import annotations

from datetime import date

from postkit.network import OAuth, Scope

OAUTH = OAuth(
    authorize="https://x.com/i/oauth2/authorize",
    token="https://api.x.com/2/oauth2/token",
    revoke="https://api.x.com/2/oauth2/revoke",
    scopes=(
        Scope("tweet.read", "look for a post whose answer got lost"),
        Scope("tweet.write", "publish and delete your posts"),
        Scope("users.read", "see which account this is"),
        Scope("media.write", "upload pictures and videos"),
        Scope("offline.access", "renew the access, which lasts two hours"),
    ),
    register=(
        "At console.x.com, your app, User authentication settings: permissions Read and write; "
        "type Native App (then it has no client secret) or Web App; callback address, exactly "
        "{redirect} . Then copy the OAuth 2.0 client id."
    ),
    source="docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code",
    checked=date(2026, 11, 23),
)

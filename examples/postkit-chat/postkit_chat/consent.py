"""How Chat is connected in the browser."""

from __future__ import annotations

from datetime import date

from postkit.network import OAuth, Scope

OAUTH = OAuth(
    authorize="https://chat.example/oauth/authorize",
    token="https://chat.example/oauth/token",
    revoke="https://chat.example/oauth/revoke",
    scopes=(
        Scope("messages", "publish, find and delete your messages"),
        Scope("files", "upload pictures"),
    ),
    register="At chat.example/apps, New app; callback address, exactly {redirect} .",
    source="chat.example/docs/oauth (imaginary)",
    checked=date(2026, 11, 29),
)

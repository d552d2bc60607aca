"""A request and its answer as the history keeps them: short, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..accounts.secret import Redactor
from ..classify import REQUEST_ID_HEADERS
from .history import storable

if TYPE_CHECKING:
    from ..transport import Exchange

LONGEST = 600
"""Characters of an answer that are kept."""
READ = 64 * 1024
"""Bytes of an answer that are looked through for secrets."""


def evidence(exchange: Exchange | None) -> dict[str, Any] | None:
    """None where nothing was asked. The query of an address is left out: it may hold a token."""
    if exchange is None:
        return None
    address = urlsplit(exchange.url)
    lower = {name.lower(): value for name, value in exchange.headers.items()}
    text = Redactor.redact(exchange.body[:READ].decode("utf-8", "replace"))
    if len(exchange.body) > READ:
        # A secret that is cut off here is known as none: what it may reach back to is dropped.
        text = text[: max(len(text) - READ // 2, 0)]
    return {
        "request": storable(f"{exchange.method} {address.scheme}://{address.netloc}{address.path}"),
        "bytes": exchange.size,
        "left": exchange.wrote,
        "status": exchange.status,
        "seconds": round(exchange.seconds, 3),
        "request_id": next((lower[name] for name in REQUEST_ID_HEADERS if name in lower), None),
        "answer": storable(text[:LONGEST]),
    }

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


def evidence(exchange: Exchange | None) -> dict[str, Any] | None:
    """None where nothing was asked. The query of an address is left out: it may hold a token."""
    if exchange is None:
        return None
    address = urlsplit(exchange.url)
    lower = {name.lower(): value for name, value in exchange.headers.items()}
    text = exchange.body[: LONGEST * 4].decode("utf-8", "replace")
    return {
        "request": storable(f"{exchange.method} {address.scheme}://{address.netloc}{address.path}"),
        "bytes": exchange.size,
        "left": exchange.wrote,
        "status": exchange.status,
        "seconds": round(exchange.seconds, 3),
        "request_id": next((lower[name] for name in REQUEST_ID_HEADERS if name in lower), None),
        "answer": storable(Redactor.redact(text)[:LONGEST]),
    }

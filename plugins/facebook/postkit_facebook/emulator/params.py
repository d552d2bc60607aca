"""What a request to the Graph API says, wherever it says it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from postkit.emulator.timeline import LivePost

from .answers import refusal

PARAMS = "facebook.params"


async def token_of(request: Request) -> str:
    """The token of a request: from the header, the query or the body."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "oauth") and value:
        return value.strip()
    in_query = request.query_params.get("access_token")
    if in_query:
        return in_query
    try:
        return str((await params_of(request)).get("access_token", ""))
    except (ValueError, HTTPException, MultiPartException):
        return ""


async def params_of(request: Request) -> dict[str, Any]:
    """Query, form and JSON body together: the network takes a parameter anywhere. Files are
    bytes."""
    known = request.scope.get(PARAMS)
    if isinstance(known, dict):
        return known
    params: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        body = await request.json()
        if isinstance(body, dict):
            params.update(body)
    elif kind:
        async with request.form() as form:
            for name, value in form.items():
                params[name] = await value.read() if isinstance(value, UploadFile) else value
    request.scope[PARAMS] = params
    return params


def is_false(value: Any) -> bool:
    return value is False or str(value).lower() in ("false", "0")


def moment(text: str | None, name: str) -> datetime | None:
    """A time as the network takes it: Unix seconds or ISO 8601."""
    if not text:
        return None
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise refusal(f"(#100) param {name} must be a valid unix timestamp", 100) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def cursor(after: str | None, posts: Sequence[LivePost]) -> int:
    """Where the rows after a cursor begin."""
    if not after:
        return 0
    try:
        wanted = base64.urlsafe_b64decode(after).decode()
        return [post.id for post in posts].index(wanted) + 1
    except (ValueError, UnicodeDecodeError):
        raise refusal("(#100) Invalid cursor", 100) from None

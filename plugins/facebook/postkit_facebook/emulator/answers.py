"""The Graph API's error object (error handling guide, checked 2026-11-23)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal


def error(
    message: str,
    code: int,
    *,
    subcode: int | None = None,
    status: int = 400,
    transient: bool = False,
    title: str | None = None,
    advice: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Response:
    """An answer of the shape ``{"error": {...}}``; ``title`` and ``advice`` are for people,
    ``data`` is what a client can go on with."""
    body: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code}
    if subcode is not None:
        body["error_subcode"] = subcode
    body["is_transient"] = transient
    if title is not None:
        body["error_user_title"] = title
    if advice is not None:
        body["error_user_msg"] = advice
    if data is not None:
        body["error_data"] = dict(data)
    body["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
    return JSONResponse({"error": body}, status)


def refusal(message: str, code: int, **more: Any) -> Refusal:
    return Refusal(error(message, code, **more))


def expired() -> Response:
    return error("Error validating access token: the session has expired.", 190, subcode=463)


def missing_object(object_id: str, verb: str) -> Refusal:
    """Gone, never there, or not for this token: the network does not tell these apart."""
    return refusal(
        f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be "
        "loaded due to missing permissions, or does not support this operation",
        100,
        subcode=33,
    )


def permission(name: str, code: int = 200) -> Refusal:
    return refusal(f"(#{code}) The permission {name} is missing", code, status=403)


def beyond(text: str, **more: Any) -> Response:
    """A 501 with an error object: facebook-sdk looks at no status."""
    said = {"message": text, "type": "NotEmulated"}
    return JSONResponse({"error": said, "postkit_emulator": text, **more}, 501)


def not_emulated(what: str) -> Refusal:
    return Refusal(beyond(f"{what} is not emulated."))

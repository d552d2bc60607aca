"""The error bodies of X: problem JSON, as its documentation shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from postkit.emulator.base import Refusal

TYPES = "https://api.twitter.com/2/problems/"


def problem(
    status: int, title: str, detail: str, kind: str | None = None, **more: Any
) -> JSONResponse:
    address = TYPES + kind if kind else "about:blank"
    body = {"title": title, "detail": detail, "type": address, "status": status, **more}
    return JSONResponse(body, status)


def unauthorized() -> Refusal:
    return Refusal(problem(401, "Unauthorized", "Unauthorized"))


def app_only() -> Refusal:
    return Refusal(
        problem(
            403,
            "Unsupported Authentication",
            "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint. "
            "Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
            "unsupported-authentication",
        )
    )


def forbidden(detail: str) -> Refusal:
    return Refusal(problem(403, "Forbidden", detail))


def duplicate() -> Refusal:
    return forbidden("You are not allowed to create a Tweet with duplicate content.")


def credits_used_up() -> Refusal:
    return Refusal(
        problem(402, "Usage capped", "The credits of this app are used up.", "usage-capped")
    )


def not_found(parameter: str, value: str) -> Refusal:
    detail = f"Could not find {parameter}: [{value}]."
    return Refusal(problem(404, "Not Found Error", detail, "resource-not-found"))


def not_emulated(what: str) -> Refusal:
    return Refusal(JSONResponse({"postkit_emulator": f"{what} is not emulated."}, 501))


def invalid(mistakes: Sequence[tuple[str, str]], parameters: Mapping[str, Any]) -> Refusal:
    """``mistakes``: the place of each (``poll.options``) and what is wrong there."""
    errors = [
        {
            "parameters": {place: [str(parameters.get(place.split(".")[0], ""))[:200]]},
            "message": text,
        }
        for place, text in mistakes
    ]
    return Refusal(
        problem(
            400,
            "Invalid Request",
            "One or more parameters to your request was invalid.",
            "invalid-request",
            errors=errors,
        )
    )

"""The parameters of POST /api/v1/statuses, from a form or from JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from .answers import error


@dataclass(frozen=True, slots=True)
class PollForm:
    options: tuple[str, ...]
    expires_in: int | None
    multiple: bool


@dataclass(frozen=True, slots=True)
class StatusForm:
    """What a client asked for, not yet judged."""

    text: str
    media_ids: tuple[str, ...]
    poll: PollForm | None
    in_reply_to_id: str | None
    sensitive: bool
    spoiler_text: str
    visibility: str
    language: str | None
    beyond: tuple[str, ...]
    """Parameters that this server knows and does not emulate."""


async def read_status(request: Request) -> StatusForm:
    """Raises Refusal (400) for a body of another shape."""
    data = await _fields(request)
    poll = data.get("poll")
    if poll is not None and not isinstance(poll, dict):
        raise error(400, "poll must be an object")
    beyond = ("scheduled_at", "quoted_status_id", "quote_approval_policy", "media_attributes")
    return StatusForm(
        text=_text(data.get("status")),
        media_ids=tuple(map(str, _list(data.get("media_ids")))),
        poll=_poll(poll) if poll else None,
        in_reply_to_id=_text(data.get("in_reply_to_id")) or None,
        sensitive=_truth(data.get("sensitive")),
        spoiler_text=_text(data.get("spoiler_text")),
        visibility=_text(data.get("visibility")) or "public",
        language=_text(data.get("language")) or None,
        beyond=tuple(name for name in beyond if data.get(name)),
    )


async def _fields(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        data = await request.json()
        if not isinstance(data, dict):
            raise error(400, "The request must be a JSON object")
        return data
    async with request.form() as form:
        names = ("poll[expires_in]", "poll[multiple]", "poll[hide_totals]")
        data = {name: value for name, value in form.items() if "[" not in name}
        data["media_ids"] = form.getlist("media_ids[]")
        poll: dict[str, Any] = {name[5:-1]: form[name] for name in names if name in form}
        if options := form.getlist("poll[options][]"):
            poll["options"] = options
        data["poll"] = poll or None
        return data


def _poll(data: dict[str, Any]) -> PollForm:
    try:
        expires = int(data["expires_in"])
    except (KeyError, TypeError, ValueError):
        expires = None
    options = tuple(_text(option) for option in _list(data.get("options")))
    return PollForm(options, expires, _truth(data.get("multiple")))


def _list(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise error(400, "The text is not valid Unicode")
    return text


def _truth(value: object) -> bool:
    return value not in (None, False, "", "0", 0, "f", "F", "false", "FALSE", "off", "OFF")

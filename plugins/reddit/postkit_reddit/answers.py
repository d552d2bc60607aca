"""What Reddit's answers mean. Most refusals come with a status of 200, inside the JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from postkit.errors import Duplicate, InDoubt, NeedsLogin, NetworkError, Refused, Throttled
from postkit.network import Receipt

_PAUSE = re.compile(r"([0-9]{1,4}) (millisecond|second|minute|hour)")
_SECONDS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0}
_PERMALINK = re.compile(r"/comments/([a-z0-9]+)(?:/|$)")
LONGEST_PAUSE = 600.0
"""Seconds to wait where the message names no time."""


def errors_of(answer: object) -> list[tuple[str, str, str]]:
    """The (code, message, field) of an answer that is a refusal; empty for all others."""
    if not isinstance(answer, Mapping):
        return []
    inner = answer.get("json")
    rows = inner.get("errors") if isinstance(inner, Mapping) else None
    found: list[tuple[str, str, str]] = []
    for row in rows if isinstance(rows, list) else []:
        cells = [str(cell or "") for cell in row] if isinstance(row, list) else [str(row)]
        code, message, field = (*cells, "", "")[:3]
        found.append((code, message, field))
    return found


def refusal(errors: list[tuple[str, str, str]], status: int | None = 200) -> NetworkError:
    """The next step after in-band errors: nothing was made."""
    code, message, _ = errors[0]
    said = "; ".join(
        f"{text or name} ({name}{f', {field}' if field else ''})" for name, text, field in errors
    )
    about: dict[str, Any] = {"network": "reddit", "status": status, "code": code}
    if code == "RATELIMIT":
        return Throttled(f"Reddit wants a pause: {said}", retry_at=pause_end(message), **about)
    if code == "ALREADY_SUB":
        return Duplicate(
            f"Reddit refused it, since the link is in that subreddit already: {said}", **about
        )
    if code == "USER_REQUIRED":
        return NeedsLogin(f"Reddit does not accept the access: {said}", **about)
    return Refused(f"Reddit refused it: {said}", **about)


def pause_end(message: str, now: datetime | None = None) -> datetime:
    """The earliest useful time that a RATELIMIT message names, a second later to be sure."""
    found = _PAUSE.search(message)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else LONGEST_PAUSE
    return (now or datetime.now(UTC)) + timedelta(seconds=seconds + 1)


def receipt_of(answer: object) -> Receipt:
    """The receipt in an answer to a submission. Raises InDoubt where it holds no id, as the
    answers to picture posts do by design."""
    inner = answer.get("json") if isinstance(answer, Mapping) else None
    data = inner.get("data") if isinstance(inner, Mapping) else None
    if isinstance(data, Mapping):
        url = data.get("url")
        url = str(url) if url else None
        for value in (data.get("name"), data.get("id")):
            if isinstance(value, str) and value:
                return Receipt(value if value.startswith("t3_") else f"t3_{value}", url)
        found = _PERMALINK.search(url or "")
        if found is not None:
            return Receipt(f"t3_{found[1]}", url)
    raise InDoubt(
        "Reddit took it without telling its id; it is looked up in the account's submissions.",
        network="reddit",
        status=200,
    )

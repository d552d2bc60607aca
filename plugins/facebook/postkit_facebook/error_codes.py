"""The Graph API's error codes as next steps: the error handling guide (checked 2026-11-23) and,
for videos, developers.facebook.com/docs/video-api/reference/error-codes (checked 2026-11-29)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from postkit.classify import by_status
from postkit.errors import Duplicate, InDoubt, NeedsLogin, NetworkError, Refused, Throttled
from postkit.network import Failure

DUPLICATE = frozenset({506, 1366051})
LOGIN = frozenset({102, 190, 2500})
RATE = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
BLOCKED = frozenset({368, 1390008})
PERMISSION = frozenset({3, 10, *range(200, 300)})
PERMISSION_SUBCODES = frozenset({1404078, 2853006, 4854002, 1363005, 1363042})
TEMPORARY = frozenset({1, 2})
TEMPORARY_SUBCODES = frozenset({1363047, 1609010, 1363019, 1363030, 1363033})

RATE_PAUSE = timedelta(minutes=10)
BLOCK_PAUSE = timedelta(hours=1)
"""Where no answer names a time: calling while throttled makes the pause longer."""

WHY_LOGIN = {
    458: "the app was removed from the account",
    459: "the person must log in at facebook.com first",
    460: "the password was changed",
    463: "the token has expired",
    464: "the person's login is not confirmed",
    467: "the token was revoked",
    492: "the person has no role at the Page any more",
}


def classify(title: str, failure: Failure) -> NetworkError:
    """The next step after a failed call: by the error object of a 4xx, else by status."""
    exchange = failure.exchange
    status = exchange.status if exchange is not None else None
    body = exchange.json() if exchange is not None else None
    error = body.get("error") if isinstance(body, dict) else None
    if exchange is None or status is None or not 400 <= status < 500:
        return by_status(title, failure)
    if not isinstance(error, dict):
        # A bare {} comes from in front of the API; only its error object is a definite no.
        return InDoubt(
            f"{title} answered HTTP {status} without the API's error object; it may have acted.",
            network=title,
            status=status,
        )
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    codes = {code, subcode}
    said = _said(error)
    about: dict[str, Any] = {
        "network": title,
        "status": status,
        "code": f"{code}/{subcode}" if subcode else str(code),
        "request_id": error.get("fbtrace_id"),
    }
    if codes & DUPLICATE:
        return Duplicate(f"{title} has the same post already: {said}", **about)
    if code in LOGIN or status == 401:
        why = WHY_LOGIN.get(subcode, said)
        return NeedsLogin(f"{title} does not accept the access any more: {why}", **about)
    if code in PERMISSION or subcode in PERMISSION_SUBCODES:
        return Refused(f"{title} refuses for want of a permission: {said} {SCOPES}", **about)
    # Before the temporary ones: rate answers say is_transient too.
    if codes & RATE or codes & BLOCKED or status == 429:
        pause = BLOCK_PAUSE if codes & BLOCKED else RATE_PAUSE
        now = datetime.now(UTC)
        at = regained_at(exchange.headers, now) or now + pause
        return Throttled(f"{title} allows no more calls now: {said}", retry_at=at, **about)
    if code in TEMPORARY or subcode in TEMPORARY_SUBCODES or error.get("is_transient") is True:
        return InDoubt(f"{title} had a temporary error; it may have acted: {said}", **about)
    return Refused(f"{title} refused it: {said}", **about)


SCOPES = (
    "The token needs pages_manage_posts to publish and delete, pages_read_engagement and "
    "pages_show_list to read, and its owner the task CREATE_CONTENT at the Page."
)


def regained_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When access comes back, by the minutes in X-Business-Use-Case-Usage."""
    value = {k.lower(): v for k, v in headers.items()}.get("x-business-use-case-usage", "")
    try:
        usage = json.loads(value)
    except ValueError:
        return None
    longest = 0.0
    for rows in usage.values() if isinstance(usage, dict) else ():
        for row in rows if isinstance(rows, list) else ():
            minutes = row.get("estimated_time_to_regain_access") if isinstance(row, dict) else None
            if isinstance(minutes, int | float) and math.isfinite(minutes):
                longest = max(longest, float(minutes))
    # A number beyond a month is no promise that can be waited for.
    return now + timedelta(minutes=min(longest, 60 * 24 * 31)) if longest else None


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _said(error: Mapping[str, Any]) -> str:
    """What the network says, its sentence for people where it has one."""
    for name in ("error_user_msg", "message"):
        text = error.get(name)
        if isinstance(text, str) and text:
            return text if text.endswith((".", "!", "?")) else f"{text}."
    return "no reason given."

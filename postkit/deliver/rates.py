"""What a network says about its rate limits, and what a delivery needs of the declared ones.

The headers are read by their shape, since many networks share few shapes (checked 2026-11-23):
``Retry-After``; families such as ``RateLimit-Remaining``, ``X-RateLimit-Reset`` or
``x-rate-limit-limit``; and JSON of percentages in headers whose names end in ``-usage``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from ..limits.model import Rate
from ..network import Account, RenderedPart
from ..store.budgets import Holder, Need

Action = Literal["post", "upload", "alt", "delete", "list", "login"]
"""What costs a call: one create, one media upload, one alt text, and so on."""

LONGEST = 86_400.0
"""Seconds; no network's limit is longer. Who says more is asked again after this time."""
USED_UP_PAUSE = 600.0
"""Seconds, where a quota is used up and no time is named: calling would make it last longer."""

_COUNTED: dict[str, Action | None] = {
    "posts": "post",
    "messages": "post",
    "uploads": "upload",
    "media uploads": "upload",
    "alt texts": "alt",
    "deletions": "delete",
    "lists": "list",
    "logins": "login",
    "calls": None,
    "requests": None,
    "all requests": None,
}
"""The first words of a declared rate's ``what``; None: every action counts."""
_HOLDERS: dict[str, Holder] = {
    "an app": "app",
    "a client": "app",
    "an address": "address",
}
_WHAT = re.compile(r"(?P<counted>.+?)(?: (?:of|from) (?P<holder>an? \w+).*| of .*)?")

_FAMILY = re.compile(r"(?P<family>.*limit.*?)-(?P<field>reset-after|remaining|reset|limit)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?", re.ASCII)
_PERCENTAGES = ("call_count", "total_cputime", "total_time")
_REGAINED = "estimated_time_to_regain_access"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one answer says; None where it says nothing. Times are by our own clock, in UTC.

    ``remaining``, ``limit`` and ``resets_at`` are those of the window with the fewest calls
    left (percent where the network counts so). ``retry_at`` is when the next call may be made,
    at most a day ahead: set where no call is left, or where the network asks to wait.
    """

    remaining: int | None = None
    limit: int | None = None
    resets_at: datetime | None = None
    retry_at: datetime | None = None


@dataclass(slots=True)
class _Window:
    remaining: float | None = None
    limit: float | None = None
    resets_in: float | None = None


def observed(status: int | None, headers: Mapping[str, str], now: datetime) -> Observation:
    """Read an answer's headers. ``now`` (aware) is when it came. What is malformed is ignored.

    A moment is understood by the answer's own Date, so that a clock that differs from the
    server's does no harm. Retry-After counts on an error; a used-up window on any answer; a
    reset time without it on 429 only.
    """
    fields = _merged(headers)
    server = _http_date(fields.get("date", "")) or now
    windows = [*_families(fields, server), *_usages(fields)]
    known = [window for window in windows if window.remaining is not None]
    tightest = min(known, key=lambda w: (w.remaining, -(w.resets_in or 0.0)), default=None)
    waits = [w.resets_in for w in known if w.remaining == 0 and w.resets_in is not None]
    if status is not None and status >= 400:
        asked = _retry_after(fields.get("retry-after", ""), server)
        waits += [] if asked is None else [asked]
    if status == 429 and not waits:
        chosen = [tightest] if tightest is not None and tightest.resets_in else windows
        waits = [w.resets_in for w in chosen if w.resets_in is not None]
    if tightest is None:
        tightest = next((window for window in windows if window.resets_in is not None), _Window())
    longest = max(waits, default=0.0)
    return Observation(
        remaining=None if tightest.remaining is None else math.floor(tightest.remaining),
        limit=None if tightest.limit is None else math.floor(tightest.limit),
        resets_at=None if tightest.resets_in is None else _after(now, tightest.resets_in),
        retry_at=_after(now, longest) if longest > 0 else None,
    )


def needed(rates: Iterable[Rate], actions: Mapping[Action, int]) -> tuple[Need, ...]:
    """The declared rates that these actions draw on, each as a need of one budget.

    ``what`` of a rate is read by its words: first what is counted ("posts", "messages",
    "uploads", "media uploads", "alt texts", "deletions", "lists", "logins"; "calls" and
    "requests" count every action), then whose it is: "of an app" or "of a client", "from an
    address", else the account's. A rate of other words is not counted (see ``understood``):
    the network's own answers bound it. An action that is larger than a whole window needs the
    whole window.
    """
    needs: dict[tuple[Holder, str], Need] = {}
    for rate in rates:
        counted, holder = _read(rate)
        if counted not in _COUNTED:
            continue
        action = _COUNTED[counted]
        count = sum(actions.values()) if action is None else actions.get(action, 0)
        bucket = f"{counted}/{rate.seconds}"
        before = needs.get((holder, bucket))
        calls = min(rate.calls, before.calls) if before else rate.calls
        if count > 0 and calls > 0:
            needs[holder, bucket] = Need(holder, bucket, calls, rate.seconds, min(count, calls))
    return tuple(needs.values())


def understood(rate: Rate) -> bool:
    """Whether ``needed`` knows what this rate counts."""
    return _read(rate)[0] in _COUNTED


def uploads_of(part: RenderedPart) -> dict[Action, int]:
    """What preparing one part costs: an upload for each picture, and a call for each alt text."""
    return {"upload": len(part.media), "alt": sum(1 for media in part.media if media.alt)}


def scopes_of(account: Account, app: str = "") -> dict[Holder, str]:
    """The scopes in which an account's calls are counted; ``app`` names its app or client."""
    place = f"{account.network}:{account.endpoint}" if account.endpoint else account.network
    return {
        "account": f"account:{account.id}",
        "app": f"app:{place}:{app}",
        "address": f"address:{place}",
    }


def _read(rate: Rate) -> tuple[str, Holder]:
    match = _WHAT.fullmatch(rate.what.strip())
    if match is None:
        return rate.what, "account"
    return match["counted"], _HOLDERS.get(match["holder"] or "", "account")


def _merged(headers: Mapping[str, str]) -> dict[str, str]:
    """By lower-case name; what was sent twice is joined as HTTP joins it."""
    fields: dict[str, str] = {}
    for name, value in headers.items():
        lower = str(name).lower()
        fields[lower] = f"{fields[lower]}, {value}" if lower in fields else str(value)
    return {name: value.strip() for name, value in fields.items()}


def _families(fields: Mapping[str, str], server: datetime) -> Iterator[_Window]:
    families: dict[str, dict[str, str]] = {}
    for name, value in fields.items():
        match = _FAMILY.fullmatch(name)
        if match is not None:
            families.setdefault(match["family"], {})[match["field"]] = value
    for family in families.values():
        resets_in = _resets_in(family.get("reset-after", ""), server)
        if resets_in is None:
            resets_in = _resets_in(family.get("reset", ""), server)
        # Sent twice, the stricter one counts.
        remaining = min(_numbers(family.get("remaining", "")), default=None)
        limit = min(_numbers(family.get("limit", "")), default=None)
        if remaining is not None and remaining < 1:
            remaining = 0.0
        yield _Window(remaining, limit, resets_in)


def _usages(fields: Mapping[str, str]) -> Iterator[_Window]:
    for name, value in fields.items():
        if not name.endswith("-usage"):
            continue
        try:
            usage = json.loads(value)
            rows = list(_rows(usage))
        except (ValueError, RecursionError):
            continue
        for row in rows:
            used = max((_figure(row.get(name)) for name in _PERCENTAGES), default=0.0)
            regained = _figure(row.get(_REGAINED)) * 60
            remaining = 0.0 if regained else max(0.0, float(math.floor(100 - used)))
            pause = regained or (USED_UP_PAUSE if not remaining else None)
            yield _Window(remaining, 100.0, pause)


def _rows(usage: Any) -> Iterator[Mapping[str, Any]]:
    """The objects that hold percentages, on top or in lists by the name of what they are of."""
    if isinstance(usage, list):
        for item in usage:
            yield from _rows(item)
    elif isinstance(usage, dict):
        if any(name in usage for name in _PERCENTAGES):
            yield usage
        else:
            for value in usage.values():
                yield from _rows(value)


def _figure(value: Any) -> float:
    """A number above 0 that can be used, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    # Compared before it is converted: a whole number can be too large for a float.
    return float(value) if 0 < value < 1e9 else 0.0


def _numbers(value: str) -> list[float]:
    """Each value of a list; those with parameters (``100;w=60``) without them. Empty if one is
    none."""
    texts = [text.partition(";")[0].strip() for text in value.split(",")]
    if not all(_NUMBER.fullmatch(text) for text in texts):
        return []
    return [float(text) for text in texts if len(text) < 16]


def _resets_in(value: str, server: datetime) -> float | None:
    """Seconds from now: of a number of seconds, of one since 1970 (or milliseconds), of a date."""
    numbers = _numbers(value)
    if numbers:
        return max((s for n in numbers if (s := _seconds_to(n, server)) is not None), default=None)
    moment = _iso(value) or _http_date(value)
    return None if moment is None else (moment - server).total_seconds()


def _seconds_to(number: float, server: datetime) -> float | None:
    # 1e8 seconds are three years as a duration, and 1973 as a date.
    if number < 1e8:
        return number
    if number < 1e11:
        return number - server.timestamp()
    return number / 1000 - server.timestamp() if number < 1e14 else None


def _retry_after(value: str, server: datetime) -> float | None:
    """Seconds, or an HTTP date (RFC 9110, section 10.2.3)."""
    texts = [text.strip() for text in value.split(",")]
    if all(_NUMBER.fullmatch(text) for text in texts):
        return max(min(float(text), LONGEST) for text in texts)
    moment = _http_date(value)
    return None if moment is None else (moment - server).total_seconds()


def _iso(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=max(-LONGEST, min(seconds, LONGEST)))

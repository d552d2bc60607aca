"""How late a post may be: "6h", "90m", "2d", or never too late."""

from __future__ import annotations

import re
from datetime import timedelta

from .errors import InputError

FRESHNESS = timedelta(hours=6)
"""What was missed for longer is shown to a person, and not sent."""
LONGEST = timedelta(days=366)
_TEXT = re.compile(
    r"(?=[0-9])(?:(?P<days>[0-9]{1,6})d)?(?:(?P<hours>[0-9]{1,6})h)?"
    r"(?:(?P<minutes>[0-9]{1,6})m)?(?:(?P<seconds>[0-9]{1,9})s)?"
)


def parse_freshness(text: str) -> timedelta | None:
    """The time after the due time within which a post is still sent; None for ``never``.

    Raises InputError with the right spelling.
    """
    words = text.strip().lower()
    if words == "never":
        return None
    found = _TEXT.fullmatch(words) if words.isascii() else None
    given = {
        unit: int(count) for unit, count in (found.groupdict() if found else {}).items() if count
    }
    return check_freshness(timedelta(**given), f"{text[:40]!r}")


def check_freshness(span: timedelta, shown: str | None = None) -> timedelta:
    """The span, where a post may be late by it. Raises InputError, which calls it ``shown``."""
    if not isinstance(span, timedelta) or not timedelta(0) < span <= LONGEST:
        raise InputError(
            f"expires: {shown or repr(span)} is no time from 1s to {LONGEST.days}d; write it as "
            "'6h', '90m' or '2d', or 'never' to send it however late."
        )
    return span

"""Failures in a row: how long nothing of a part could be sent, and how long that may last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from ..clock import micros
from ..errors import NeedsLogin, PostkitError
from ..store.rows import PartRow
from .gates import NotYet
from .history import error_json

PATIENCE = timedelta(days=1)
"""After this time of nothing but failures a person is asked, or holds the part."""
PATIENT: Final[dict[str, Any]] = {"failures": 0, "failing_since": None}
"""The columns of a part that nothing speaks against."""


def waiting(
    part: PartRow,
    error: PostkitError,
    not_before: datetime,
    now: datetime,
    at_work_since: datetime | None = None,
) -> dict[str, Any]:
    """The columns of a part of which nothing was sent. ``at_work_since``: the network is at work
    on what was uploaded, which is no failure, but may not last for ever either."""
    since = failing_since(part, error, at_work_since or now)
    return {
        "not_before": micros(not_before),
        "failures": part.failures + 1 if at_work_since is None else 0,
        "failing_since": micros(since) if since is not None else None,
        "error": error_json(error),
    }


def failing_since(part: PartRow, error: PostkitError, now: datetime) -> datetime | None:
    """Since when nothing of it could be sent, where ``error`` is the newest failure.

    A used up limit and a missing login are none: the one ends by itself, of the other the
    account's state tells.
    """
    since = part.failing_since
    if isinstance(error, NotYet | NeedsLogin):
        return since
    # Nobody has tried meanwhile (the machine was off), or the clock was wrong.
    if since is None or since > now or now - part.not_before > PATIENCE:
        return now
    return since


def is_over(part: PartRow, now: datetime) -> bool:
    """Whether a person must hear of it. What expires is missed instead, in its time."""
    if part.failing_since is None or (part.expires_at is not None and part.doubt_at is None):
        return False
    return now - part.failing_since >= PATIENCE

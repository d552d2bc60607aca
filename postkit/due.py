"""When a post is due, and until when it makes sense, from what a person or a program gives."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from .errors import InputError, UnknownName
from .freshness import FRESHNESS, check_freshness, parse_freshness
from .post import Post
from .store.publications import Due
from .when import When, instant, parse_when
from .zones import forget_zones


def due_at(
    post: Post | None,
    now: datetime,
    *,
    at: str | datetime | None = None,
    zone: str | None = None,
    expires: str | timedelta | None = None,
) -> Due | None:
    """From what is given here or else in the post; None: now.

    Raises InputError with the right spelling, all problems at once.
    """
    given = at if at is not None else (post.at if post is not None else None)
    chosen = zone is not None
    zone = zone if zone is not None else (post.zone if post is not None else None)
    if expires is None and post is not None:
        expires = post.expires
    if given is None:
        if zone is not None:
            if not chosen:
                raise InputError("zone: a zone needs a time; add `at:` or leave `zone:` out.")
            raise InputError("A zone needs a time: give one with --at, or leave --zone out.")
        span = _span(expires)
        return Due(now, now + span if span else None) if expires is not None else None
    problems: list[str] = []
    span = None
    try:
        span = _span(expires)
    except InputError as error:
        problems += error.problems
    try:
        when = _when(given, zone, now)
    except InputError as error:
        if at is not None and not problems:
            raise
        field = "zone" if isinstance(error, UnknownName) else "at"
        problems += [f"{field}: {problem}" for problem in error.problems]
    if problems:
        raise InputError(problems)
    return Due(when.at, when.at + span if span else None, when.local, when.zone)


def _when(at: object, zone: str | None, now: datetime) -> When:
    # A program that runs for long must not schedule by rules of before.
    forget_zones()
    if isinstance(at, str):
        return parse_when(at, now=now, zone=zone)
    if not isinstance(at, datetime):
        raise _no_time(at)
    if at.tzinfo is None:
        return parse_when(at.replace(microsecond=0).isoformat(), now=now, zone=zone)
    return instant(at, now=now)


def _span(expires: str | timedelta | None) -> timedelta | None:
    """How late a post may be; None: however late."""
    if expires is None:
        return FRESHNESS
    return parse_freshness(expires) if isinstance(expires, str) else check_freshness(expires)


def _no_time(at: object) -> InputError:
    if isinstance(at, timedelta):
        return InputError(f"{at!r} is a span; write one as 'in 2h', or add it to the time now.")
    if isinstance(at, date):
        return InputError(f"{at!r} has no time of day; write '{at} 9:00', or give a datetime.")
    return InputError(f"{at!r} is no time; give a text such as 'tomorrow 9:00', or a datetime.")

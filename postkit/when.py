"""WHEN: the small, strict grammar of the times that a person gives.

``2027-01-04T09:00+01:00`` (an instant), ``2027-01-04 09:00``, ``tomorrow 9:00``, ``fri 18:30``
(local times in a zone), ``in 2h`` (from now). Nothing is guessed: what can be read in two ways is
refused with the right spelling, which is the work of ``spelling``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from .errors import InputError, UnknownName
from .spelling import DAYS, right_spelling, weekday
from .walltime import readings, resolve, wall
from .zones import check_zone, system_zone

_DATE = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_CLOCK = r"(?P<clock>[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)"
_INSTANT = re.compile(
    _DATE
    + r"[t ](?P<clock>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)(?P<fraction>\.[0-9]{1,6})?"
    + r" ?(?P<offset>z|[+-][0-9]{2}:[0-9]{2})"
)
_ON_DATE = re.compile(_DATE + r"(t(?=[0-9]{2}:)| +)" + _CLOCK)
_ON_DAY = re.compile(r"(?P<day>[a-z]+) +" + _CLOCK)
_ELAPSED = re.compile(
    r"in +(?=[0-9])((?P<hours>[0-9]+)h)?((?P<minutes>[0-9]+)m)?((?P<seconds>[0-9]+)s)?"
)
_LATER_DAY = re.compile(r"in +(?P<days>[0-9]+)d")

_FIRST_YEAR = 2000
_YEARS_AHEAD = 10


class NotNow(InputError):
    """A time that is well written and no use here and now: it is past, or the machine's own zone
    has no name."""


@dataclass(frozen=True, slots=True)
class When:
    """A time that was understood.

    ``at`` is the instant (aware, UTC) by the rules of today; ``local`` is the wall time that was
    meant (``YYYY-MM-DDTHH:MM[:SS]``) and ``zone`` its IANA name. ``local`` is None where the author
    gave an instant, and ``zone`` too unless one was chosen for the post. With both, ``resolve``
    finds the instant again when rules change.
    """

    at: datetime
    local: str | None = None
    zone: str | None = None

    def spoken(self) -> str:
        """``Mon 2027-01-04 09:00 Europe/Berlin (08:00 UTC)``; an instant in the machine's zone."""
        zone = self.zone or system_zone() or "UTC"
        utc = self.at.astimezone(UTC)
        try:
            shown = wall(utc, zone)
        except UnknownName:  # the zone has left the rules since
            zone, shown = "UTC", utc
        if zone in ("UTC", "Etc/UTC"):
            return f"{_spoken_day(utc)} {_spoken_clock(utc)} UTC"
        day = "" if shown.date() == utc.date() else f"{_spoken_day(utc)} "
        return f"{_spoken_day(shown)} {_spoken_clock(shown)} {zone} ({day}{_spoken_clock(utc)} UTC)"


def parse_when(text: str, *, now: datetime, zone: str | None) -> When:
    """The time that `text` means at the instant `now` (aware), always later than `now`.

    `zone` is an IANA name that somebody chose for this post, None for the machine's own; giving
    one together with an offset in `text` is refused. ``in 2h`` is elapsed time, to the second;
    ``in 3d`` is the same wall time three calendar days on. A weekday is the next one whose time
    is still to come, which can be today.
    Raises InputError (ClockChange, UnknownName, NotNow) with one sentence that has the right
    spelling.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    now = now.astimezone(UTC)
    given = text.strip(" \t\r\n")
    words = given.lower()
    chosen = None if zone is None else check_zone(zone)
    if match := _INSTANT.fullmatch(words):
        if chosen is not None:
            raise InputError(
                f"{given!r} has an offset, so the zone {chosen} says it twice;"
                " leave out the zone or the offset."
            )
        when = When(_instant(match))
    elif match := _ELAPSED.fullmatch(words):
        when = When(now + _elapsed(match), zone=chosen)
    else:
        when = _in_zone(given, words, now, chosen)
    if when.at <= now:
        raise NotNow(
            f"{given!r} is past: it is {When(now, zone=when.zone).spoken()} now;"
            " write a later time, or give none to publish now."
        )
    _check_ahead(when.at, now, _short(given))
    return when


def instant(at: datetime, *, now: datetime) -> When:
    """The same of an aware datetime, as a program gives it. Raises InputError where it is past or
    too far ahead."""
    if at <= now:
        raise InputError(f"{at.isoformat()} is past; use publish to send it now.")
    _check_ahead(at, now, at.isoformat())
    return When(at.astimezone(UTC))


def _check_ahead(at: datetime, now: datetime, shown: str) -> None:
    latest = _years_after(now, _YEARS_AHEAD)
    if at > latest:
        raise InputError(
            f"{shown!r} is more than {_YEARS_AHEAD} years ahead;"
            f" write a time before {latest.date()}."
        )


def _in_zone(given: str, words: str, now: datetime, chosen: str | None) -> When:
    on_date = _ON_DATE.fullmatch(words)
    on_day = _ON_DAY.fullmatch(words)
    after = _LATER_DAY.fullmatch(words)
    if on_day and on_day["day"] not in DAYS:
        on_day = None
    if not (on_date or on_day or after):
        # The examples are in the future wherever and whenever they are read.
        raise InputError(right_spelling(given, (now + timedelta(days=2)).date()))
    zone = chosen or system_zone()
    if zone is None:
        raise NotNow(
            "The time zone of this machine has no name; say which zone is meant, such as"
            " Europe/Berlin, or write the time with an offset."
        )
    here = wall(now, zone).replace(tzinfo=None)
    if on_date:
        meant = datetime.combine(_date(on_date["date"]), _clock(on_date["clock"]))
    elif on_day:
        meant = _next(on_day["day"], _clock(on_day["clock"]), here.date(), now, zone)
    elif after:
        days = min(int(after["days"]), 366 * (_YEARS_AHEAD + 1))
        meant = here.replace(microsecond=0) + timedelta(days=days)
    local = meant.isoformat(timespec="seconds" if meant.second else "minutes")
    # A time that is past needs no answer to which of its two readings was meant.
    last = readings(local, zone)[1]
    return When(last if last <= now else resolve(local, zone), local, zone)


def _next(day: str, clock: time, today: date, now: datetime, zone: str) -> datetime:
    """The day's time. A weekday is today's while one reading of it is still to come."""
    if day in ("today", "tomorrow"):
        return datetime.combine(today + timedelta(days=day == "tomorrow"), clock)
    ahead = (weekday(day) - today.weekday()) % 7
    meant = datetime.combine(today + timedelta(days=ahead), clock)
    if readings(meant.isoformat(), zone)[1] <= now:
        meant += timedelta(days=7)
    return meant


def _instant(match: re.Match[str]) -> datetime:
    meant = datetime.combine(_date(match["date"]), _clock(match["clock"]))
    micros = int((match["fraction"] or ".")[1:].ljust(6, "0"))
    offset = timedelta()
    if match["offset"] != "z":
        hours, minutes = map(int, match["offset"][1:].split(":"))
        if hours > 14 or minutes > 59:
            raise InputError(
                f"There is no offset {match['offset']}; write one such as '+01:00', or 'Z' for UTC."
            )
        offset = timedelta(hours=hours, minutes=minutes)
        offset = -offset if match["offset"].startswith("-") else offset
    return meant.replace(microsecond=micros, tzinfo=timezone(offset)).astimezone(UTC)


def _elapsed(match: re.Match[str]) -> timedelta:
    given = {unit: int(count[:12]) for unit, count in match.groupdict().items() if count}
    seconds = timedelta(**{unit: min(count, 10**9) for unit, count in given.items()})
    return min(seconds, timedelta(days=366 * (_YEARS_AHEAD + 1)))


def _date(text: str) -> date:
    year, month, day = map(int, text.split("-"))
    if year < _FIRST_YEAR:
        raise InputError(f"The year {text[:4]} is before {_FIRST_YEAR}; write a time to come.")
    if year == 9999:  # in UTC it can be a year that there is not
        raise InputError(f"The year {text[:4]} is too far ahead; write a time to come.")
    if not 1 <= month <= 12:
        raise InputError(f"There is no {text}: months go from 01 to 12, after the year.")
    try:
        return date(year, month, day)
    except ValueError:
        last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
        raise InputError(f"There is no {text}: {text[:7]} has {last} days, 01 to {last}.") from None


def _clock(text: str) -> time:
    hour, minute, second = map(int, (text + ":00").split(":")[:3])
    if hour == 24:
        raise InputError(f"There is no {text}; write 0:00 and the day after.")
    if hour > 24 or minute > 59 or second > 59:
        raise InputError(f"There is no {text}: times go from 0:00 to 23:59.")
    return time(hour, minute, second)


def _years_after(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year + years, day=28)


def _spoken_day(moment: datetime) -> str:
    # Not strftime: its names follow the locale.
    return f"{tuple(DAYS)[moment.weekday()].title()} {moment.date()}"


def _spoken_clock(moment: datetime) -> str:
    return moment.time().isoformat("seconds" if moment.second else "minutes")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"

"""The right spelling of a time that WHEN does not take."""

from __future__ import annotations

import re
from datetime import date

from .suggest import did_you_mean

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

DAYS = (*(name[:3] for name in _NAMES), *_NAMES, "today", "tomorrow")
"""The days that WHEN takes by name; the first seven are the short weekdays, Monday first."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_UNITS = {
    "s": "s",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "m": "m",
    "min": "m",
    "mins": "m",
    "minute": "m",
    "minutes": "m",
    "h": "h",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "d": "d",
    "day": "d",
    "days": "d",
}

_NUMBERED = re.compile(r"([0-9]{1,4})[./-]([0-9]{1,2})[./-]([0-9]{1,4})[ t,]*(.*)")
_OFFSET = re.compile(r"(?P<clock>.*[0-9]) ?(utc|gmt)? ?(?P<sign>[+-])(?P<offset>[0-9:]{1,5})")
_SLOPPY = re.compile(
    r"(?P<hour>[0-9]{1,2})([:.h]?(?P<minute>[0-9]{2})|h)?(:[0-9]{2})?( ?(?P<half>[ap])\.?m\.?)?"
)


def weekday(name: str) -> int:
    """0 for Monday to 6 for Sunday."""
    return DAYS.index(name) % 7


def right_spelling(given: str, example: date) -> str:
    """One sentence that says how to write what was probably meant.

    `example` is a day to come, for spellings that need one.
    """
    shown = given if len(given) <= 40 else given[:39] + "…"
    if not given:
        return f"The time is empty; {_anything(example)}"
    if not (given.isascii() and given.isprintable()):
        return f"{shown!r} has characters other than plain letters and digits; {_anything(example)}"
    words = " ".join(given.lower().split())
    first, _, rest = words.partition(" ")
    first = first.rstrip(",")
    rest = rest.removeprefix("at ")
    if words in ("now", "immediately", "asap"):
        return f"{shown!r} is no time to come; give none to publish now."
    if first == "yesterday":
        return f"{shown!r} is past; {_anything(example)}"
    if first == "in":
        return f"{shown!r} is no time span; {_span(rest)}"
    if numbered := _NUMBERED.fullmatch(words):
        return _date(shown, *numbered.groups())
    if first in DAYS:
        return _clock_of(shown, f"{first} ", rest)
    if first in ("noon", "midnight") or _sloppy(words):
        return _day_of(shown, words)
    if any(word[:3] in _MONTHS and word.isalpha() for word in re.split(r"[ .,]+", words)):
        return f"{shown!r} has a month by name; write the date as in '{example} 9:00'."
    swapped = words.rpartition(" ")
    if swapped[2] in DAYS and _sloppy(swapped[0]):
        return f"{shown!r} has the day last; write '{swapped[2]} {_sloppy(swapped[0])}'."
    near = did_you_mean(first, [name for name in DAYS if len(name) > 3])
    near = f".{near} Otherwise" if near else ";"
    return f"{shown!r} is no time that is understood{near} {_anything(example)}"


def _anything(example: date) -> str:
    return (
        f"write one such as 'tomorrow 9:00', 'fri 18:30', 'in 2h', '{example} 9:00'"
        f" or '{example}T09:00Z'."
    )


def _span(rest: str) -> str:
    pieces = re.findall(r"([0-9]+) ?([a-z]+)", rest)
    units = [_UNITS.get(unit, "") for _, unit in pieces]
    whole = re.fullmatch(r"([0-9]+ ?[a-z]+[ ,]*(and )?)+", rest)
    if whole and units == sorted(set(units), key="hms".find) and set(units) <= set("hms"):
        spelled = "".join(f"{count}{unit}" for (count, _), unit in zip(pieces, units, strict=True))
        return f"write 'in {spelled}'."
    if whole and units == ["d"]:
        return f"write 'in {pieces[0][0]}d'."
    if whole and len(pieces) == 1 and pieces[0][1] in ("w", "week", "weeks"):
        return f"write 'in {int(pieces[0][0][:6]) * 7}d'."
    if re.fullmatch("[0-9]+", rest):
        return f"write 'in {rest[:9]}m' for minutes or 'in {rest[:9]}h' for hours."
    return (
        "write 'in 2h', 'in 1h30m', 'in 90m' or 'in 2s' for elapsed time,"
        " 'in 3d' for the same time of day in three days."
    )


def _date(shown: str, first: str, second: str, third: str, rest: str) -> str:
    """A date in numbers: out of order, or without a time that is right."""
    if len(first) == 4:
        day = _iso(first, second, third)
        if day is None:
            return f"{shown!r} is no date of the calendar; write year, month, day: '2030-01-31'."
        return _clock_of(shown, f"{day} ", rest)
    days = [_iso(third, second, first), _iso(third, first, second)]
    clock = _sloppy(rest) or "9:00"
    spelled = list(dict.fromkeys(f"'{day} {clock}'" for day in days if day))
    if len(spelled) == 2:
        return f"Which day {shown!r} means cannot be told; write {spelled[0]} or {spelled[1]}."
    if spelled:
        return f"{shown!r} has the year last; write {spelled[0]}."
    return f"{shown!r} is no date that is understood; write year, month, day: '2030-01-31 9:00'."


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year) if len(year) == 4 else 0, int(month), int(day)).isoformat()
    except ValueError:
        return None


def _clock_of(shown: str, day: str, rest: str) -> str:
    """The day is right: what follows it is not."""
    if not rest:
        return f"{shown!r} has no time of day; write one, as in '{day}9:00'."
    if rest == "midnight":
        return f"{shown!r} can end a day or begin it; write '0:00' and the day that begins then."
    if clock := _sloppy(rest):
        return f"{shown!r} is not spelled as times are here; write '{day}{clock}'."
    offset = _OFFSET.fullmatch(rest)
    if offset and (clock := _sloppy(offset["clock"])) and day[0].isdigit():
        digits = offset["offset"].replace(":", "")
        digits = digits.zfill(2).ljust(4, "0") if len(digits) < 3 else digits.zfill(4)
        spelled = f"{day.strip()}T{clock.zfill(5)}{offset['sign']}{digits[:2]}:{digits[2:]}"
        return f"{shown!r} has an offset that is not as ISO 8601 has it; write '{spelled}'."
    if rest.endswith((" utc", " gmt")) and day[0].isdigit() and (clock := _sloppy(rest[:-4])):
        return f"{shown!r} names UTC; write '{day.strip()}T{clock.zfill(5)}Z'."
    if clock := _sloppy(rest.partition(" ")[0]):
        return f"{shown!r} has more than a day and a time; write '{day}{clock}', a zone on its own."
    return (
        f"{shown!r} has no time of day that is understood; write it as in '{day}9:00' (24 hours)."
    )


def _day_of(shown: str, clock: str) -> str:
    """A time of day without a day."""
    if clock == "midnight":
        return _clock_of(shown, "", clock)
    spelled = _sloppy(clock)
    if spelled is None:
        return f"{shown!r} has no day; write one, as in 'tomorrow 9:00'."
    return f"{shown!r} has no day; write 'today {spelled}' or 'tomorrow {spelled}'."


def _sloppy(text: str) -> str | None:
    """``21:00`` for ``9pm``, ``9 p.m.``, ``21``, ``21.00``, ``2100`` and ``21h``, else None."""
    if text == "noon":
        return "12:00"
    match = _SLOPPY.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match["hour"]), match["minute"] or "00"
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "p" else 0)
    return f"{hour}:{minute}" if hour < 24 and int(minute) < 60 else None

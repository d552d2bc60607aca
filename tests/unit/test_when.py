from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postkit.errors import InputError, UnknownName
from postkit.walltime import ClockChange, wall
from postkit.when import When, parse_when

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""A Monday; 9:00 in Berlin, 3:00 in New York, 19:00 on Lord Howe (summer, +11)."""

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
SUNDAY = datetime(2027, 3, 28, tzinfo=UTC)
"""1:00 in Berlin, an hour before its clocks go forward."""
AUTUMN = datetime(2027, 10, 31, tzinfo=UTC)
"""The first 2:00 in Berlin, an hour before its clocks go back."""


@pytest.fixture(autouse=True)
def _system_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", BERLIN)


UNDERSTOOD = [
    # text, now, zone, instant, local
    ("2027-01-04 09:00", NOW, BERLIN, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("2027-01-04T09:00", NOW, BERLIN, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("2027-01-04t09:00", NOW, BERLIN, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("2027-01-04 09:00:30", NOW, BERLIN, "2027-01-04T08:00:30", "2027-01-04T09:00:30"),
    ("2027-01-04T09:00:00", NOW, BERLIN, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("2027-01-04 9:00", NOW, BERLIN, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("  2027-01-04   09:00\n", NOW, BERLIN, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("2027-01-04 09:00", NOW, None, "2027-01-04T08:00", "2027-01-04T09:00"),
    ("2027-01-04 09:00", NOW, "UTC", "2027-01-04T09:00", "2027-01-04T09:00"),
    ("2027-01-04 09:00", NOW, NEW_YORK, "2027-01-04T14:00", "2027-01-04T09:00"),
    ("2027-07-04 09:00", NOW, NEW_YORK, "2027-07-04T13:00", "2027-07-04T09:00"),
    ("2027-01-04 09:00", NOW, LORD_HOWE, "2027-01-03T22:00", "2027-01-04T09:00"),
    ("2027-07-04 09:00", NOW, LORD_HOWE, "2027-07-03T22:30", "2027-07-04T09:00"),
    ("2027-01-04 09:00", NOW, "Asia/Kathmandu", "2027-01-04T03:15", "2027-01-04T09:00"),
    ("2028-02-29 00:00", NOW, BERLIN, "2028-02-28T23:00", "2028-02-29T00:00"),
    ("2036-11-23 09:00", NOW, BERLIN, "2036-11-23T08:00", "2036-11-23T09:00"),
    ("2026-11-23 09:00:01", NOW, BERLIN, "2026-11-23T08:00:01", "2026-11-23T09:00:01"),
    # Clocks in Berlin go forward on 28 March 2027 at 2:00 and back on 31 October at 3:00.
    ("2027-03-28 01:59", NOW, BERLIN, "2027-03-28T00:59", "2027-03-28T01:59"),
    ("2027-03-28 03:00", NOW, BERLIN, "2027-03-28T01:00", "2027-03-28T03:00"),
    ("2027-10-31 01:59", NOW, BERLIN, "2027-10-30T23:59", "2027-10-31T01:59"),
    ("2027-10-31 03:00", NOW, BERLIN, "2027-10-31T02:00", "2027-10-31T03:00"),
    # In New York on 14 March at 2:00 and on 7 November at 2:00.
    ("2027-03-14 01:59", NOW, NEW_YORK, "2027-03-14T06:59", "2027-03-14T01:59"),
    ("2027-03-14 03:00", NOW, NEW_YORK, "2027-03-14T07:00", "2027-03-14T03:00"),
    ("2027-11-07 00:59", NOW, NEW_YORK, "2027-11-07T04:59", "2027-11-07T00:59"),
    ("2027-11-07 02:00", NOW, NEW_YORK, "2027-11-07T07:00", "2027-11-07T02:00"),
    # On Lord Howe by half an hour: back on 4 April at 2:00, forward on 3 October at 2:00.
    ("2027-04-04 01:29", NOW, LORD_HOWE, "2027-04-03T14:29", "2027-04-04T01:29"),
    ("2027-04-04 02:00", NOW, LORD_HOWE, "2027-04-03T15:30", "2027-04-04T02:00"),
    ("2027-10-03 01:59", NOW, LORD_HOWE, "2027-10-02T15:29", "2027-10-03T01:59"),
    ("2027-10-03 02:30", NOW, LORD_HOWE, "2027-10-02T15:30", "2027-10-03T02:30"),
    # Days by name are days of the zone, not of UTC.
    ("today 18:00", NOW, BERLIN, "2026-11-23T17:00", "2026-11-23T18:00"),
    ("Today 9:00:01", NOW, BERLIN, "2026-11-23T08:00:01", "2026-11-23T09:00:01"),
    ("tomorrow 9:00", NOW, BERLIN, "2026-11-24T08:00", "2026-11-24T09:00"),
    ("TOMORROW 00:00", NOW, BERLIN, "2026-11-23T23:00", "2026-11-24T00:00"),
    ("tomorrow 9:00", NOW.replace(hour=23), BERLIN, "2026-11-25T08:00", "2026-11-25T09:00"),
    ("tomorrow 9:00", NOW.replace(hour=4), NEW_YORK, "2026-11-23T14:00", "2026-11-23T09:00"),
    ("today 23:59", NOW.replace(hour=4), NEW_YORK, "2026-11-23T04:59", "2026-11-22T23:59"),
    ("tomorrow 9:00", datetime(2026, 12, 31, 12, tzinfo=UTC), "UTC", "2027-01-01T09:00", None),
    ("fri 18:30", NOW, BERLIN, "2026-11-27T17:30", "2026-11-27T18:30"),
    ("friday 18:30", NOW, BERLIN, "2026-11-27T17:30", "2026-11-27T18:30"),
    ("FRIDAY  18:30", NOW, BERLIN, "2026-11-27T17:30", "2026-11-27T18:30"),
    ("tue 0:00", NOW, BERLIN, "2026-11-23T23:00", "2026-11-24T00:00"),
    ("wednesday 12:00", NOW, BERLIN, "2026-11-25T11:00", "2026-11-25T12:00"),
    ("thu 12:00", NOW, BERLIN, "2026-11-26T11:00", "2026-11-26T12:00"),
    ("saturday 12:00", NOW, BERLIN, "2026-11-28T11:00", "2026-11-28T12:00"),
    ("sun 12:00", NOW, BERLIN, "2026-11-29T11:00", "2026-11-29T12:00"),
    ("mon 9:01", NOW, BERLIN, "2026-11-23T08:01", "2026-11-23T09:01"),
    ("mon 9:00", NOW, BERLIN, "2026-11-30T08:00", "2026-11-30T09:00"),
    ("monday 8:59", NOW, BERLIN, "2026-11-30T07:59", "2026-11-30T08:59"),
    ("sun 23:00", NOW.replace(hour=2), NEW_YORK, "2026-11-23T04:00", "2026-11-22T23:00"),
    ("sun 2:30", SUNDAY.replace(hour=2), BERLIN, "2027-04-04T00:30", "2027-04-04T02:30"),
    ("sun 2:30", AUTUMN.replace(hour=1, minute=31), BERLIN, "2027-11-07T01:30", None),
    # Elapsed time counts seconds, days keep the time of day.
    ("in 2s", NOW, None, "2026-11-23T08:00:02", ""),
    ("in 2h", NOW, None, "2026-11-23T10:00", ""),
    ("In 2H", NOW, None, "2026-11-23T10:00", ""),
    ("in 90m", NOW, None, "2026-11-23T09:30", ""),
    ("in 1h30m", NOW, None, "2026-11-23T09:30", ""),
    ("in 1h30m10s", NOW, BERLIN, "2026-11-23T09:30:10", ""),
    ("in 3d", NOW, BERLIN, "2026-11-26T08:00", "2026-11-26T09:00"),
    ("in 1d", datetime(2027, 3, 27, 11, tzinfo=UTC), BERLIN, "2027-03-28T10:00", None),
    ("in 24h", datetime(2027, 3, 27, 11, tzinfo=UTC), BERLIN, "2027-03-28T11:00", ""),
    ("in 1d", datetime(2027, 10, 30, 10, tzinfo=UTC), BERLIN, "2027-10-31T11:00", None),
    ("in 2h", SUNDAY, BERLIN, "2027-03-28T02:00", ""),
    ("in 2h", AUTUMN, BERLIN, "2027-10-31T02:00", ""),
    # Instants
    ("2027-01-04T09:00Z", NOW, None, "2027-01-04T09:00", ""),
    ("2027-01-04T09:00z", NOW, None, "2027-01-04T09:00", ""),
    ("2027-01-04 09:00:15Z", NOW, None, "2027-01-04T09:00:15", ""),
    ("2027-01-04T09:00:00.250Z", NOW, None, "2027-01-04T09:00:00.250", ""),
    ("2027-01-04T09:00+01:00", NOW, None, "2027-01-04T08:00", ""),
    ("2027-01-04T09:00:00-05:00", NOW, None, "2027-01-04T14:00", ""),
    ("2027-01-04 09:00 +05:45", NOW, None, "2027-01-04T03:15", ""),
    ("2027-10-31T02:30+02:00", NOW, None, "2027-10-31T00:30", ""),
    ("2027-10-31T02:30+01:00", NOW, None, "2027-10-31T01:30", ""),
]


@pytest.mark.parametrize(("text", "now", "zone", "instant", "local"), UNDERSTOOD)
def test_understood(
    text: str, now: datetime, zone: str | None, instant: str, local: str | None
) -> None:
    when = parse_when(text, now=now, zone=zone)
    assert when.at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert when.at.tzinfo is UTC
    if local == "":
        # An instant; a zone that was chosen for the post is kept for what it is moved to.
        instant_alone = text.strip().lower().startswith("in ") is False
        assert (when.local, when.zone) == (None, None if instant_alone else zone)
    else:
        assert when.zone == (zone or BERLIN)
        assert when.local is not None
        assert local is None or when.local == local


PAST = "write a later time, or give none to publish now."
REFUSED = [
    # text, zone, a fragment of the sentence
    ("", None, "The time is empty; write one such as 'tomorrow 9:00'"),
    (" \n", None, "The time is empty"),
    ("2027-01-04", BERLIN, "has no time of day; write one, as in '2027-01-04 9:00'."),
    ("tomorrow", BERLIN, "as in 'tomorrow 9:00'."),
    ("fri", BERLIN, "as in 'fri 9:00'."),
    ("4.1.2027", BERLIN, "cannot be told; write '2027-01-04 9:00' or '2027-04-01 9:00'."),
    ("1/4/2027", BERLIN, "cannot be told; write '2027-04-01 9:00' or '2027-01-04 9:00'."),
    ("1/4/2027 18:30", BERLIN, "write '2027-04-01 18:30' or '2027-01-04 18:30'."),
    ("31.12.2027", BERLIN, "has the year last; write '2027-12-31 9:00'."),
    ("5.5.2027", BERLIN, "has the year last; write '2027-05-05 9:00'."),
    ("4.1.27", BERLIN, "write year, month, day"),
    ("2027/01/04 9:00", BERLIN, "write '2027-01-04 9:00'."),
    ("2027-1-4 9:00", BERLIN, "write '2027-01-04 9:00'."),
    ("2027-01-04T9:00", BERLIN, "write '2027-01-04 9:00'."),
    ("4 Jan 2027 9:00", BERLIN, "has a month by name; write the date as in '2026-11-25 9:00'."),
    ("2027-02-29 9:00", BERLIN, "There is no 2027-02-29: 2027-02 has 28 days, 01 to 28."),
    ("2027-12-32 9:00", BERLIN, "2027-12 has 31 days, 01 to 31."),
    ("2027-00-01 9:00", BERLIN, "months go from 01 to 12"),
    ("2027-31-12 9:00", BERLIN, "months go from 01 to 12"),
    ("1999-12-31 9:00", BERLIN, "The year 1999 is before 2000"),
    ("0027-01-04 9:00", BERLIN, "The year 0027 is before 2000"),
    ("2026-11-23 09:00", BERLIN, PAST),
    ("2026-11-23T08:00Z", None, PAST),
    ("2026-11-23T08:59+01:00", None, "it is Mon 2026-11-23 09:00 Europe/Berlin (08:00 UTC) now"),
    ("2000-01-01 00:00", BERLIN, PAST),
    ("2020-03-29 02:30", BERLIN, PAST),  # skipped too, which does not matter any more
    ("2020-10-25 02:30", BERLIN, PAST),
    ("today 8:59", BERLIN, PAST),
    ("in 0s", None, PAST),
    ("in 0d", BERLIN, PAST),
    ("now", None, "give none to publish now"),
    ("2036-11-23 09:01", BERLIN, "more than 10 years ahead; write a time before 2036-11-23."),
    ("2036-11-23T08:00:01Z", None, "more than 10 years ahead"),
    ("9999-12-31T23:59-14:00", None, "too far ahead"),
    ("in 3661d", BERLIN, "more than 10 years ahead"),
    ("in " + "9" * 30 + "h", None, "more than 10 years ahead"),
    ("in " + "9" * 4000 + "d", BERLIN, "more than 10 years ahead"),
    ("tomorrow 25:00", BERLIN, "There is no 25:00: times go from 0:00 to 23:59."),
    ("tomorrow 24:00", BERLIN, "There is no 24:00; write 0:00 and the day after."),
    ("tomorrow 9:60", BERLIN, "There is no 9:60"),
    ("tomorrow 9:00:60", BERLIN, "There is no 9:00:60"),
    ("2027-01-04T25:00Z", None, "There is no 25:00"),
    ("9", BERLIN, "write 'today 9:00' or 'tomorrow 9:00'."),
    ("9:00", BERLIN, "write 'today 9:00' or 'tomorrow 9:00'."),
    ("noon", BERLIN, "write 'today 12:00' or 'tomorrow 12:00'."),
    ("midnight", BERLIN, "can end a day or begin it; write '0:00'"),
    ("tomorrow noon", BERLIN, "write 'tomorrow 12:00'."),
    ("tomorrow midnight", BERLIN, "can end a day or begin it"),
    ("9pm", BERLIN, "write 'today 21:00' or 'tomorrow 21:00'."),
    ("tomorrow 9pm", BERLIN, "write 'tomorrow 21:00'."),
    ("tomorrow 9:30 PM", BERLIN, "write 'tomorrow 21:30'."),
    ("tomorrow 12 a.m.", BERLIN, "write 'tomorrow 0:00'."),
    ("fri 12pm", BERLIN, "write 'fri 12:00'."),
    ("tomorrow 13pm", BERLIN, "(24 hours)"),
    ("tomorrow 9", BERLIN, "write 'tomorrow 9:00'."),
    ("tomorrow 9.30", BERLIN, "write 'tomorrow 9:30'."),
    ("tomorrow at 9:00", BERLIN, "write 'tomorrow 9:00'."),
    ("friday, 18:30", BERLIN, "write 'friday 18:30'."),
    ("9:00 tomorrow", BERLIN, "has the day last; write 'tomorrow 9:00'."),
    ("tomorrow 9:00 Europe/Berlin", BERLIN, "write 'tomorrow 9:00', a zone on its own."),
    ("tomorow 9:00", BERLIN, "Did you mean 'tomorrow'?"),
    ("freitag 18:30", BERLIN, "Did you mean 'friday'?"),
    ("soon", BERLIN, "is no time that is understood; write one such as"),
    ("1767225600", BERLIN, "is no time that is understood"),
    ("tomorrow ٩:٠٠", BERLIN, "has characters other than plain letters and digits"),
    ("２027-01-04 09:00", BERLIN, "has characters other than plain letters and digits"),
    ("2027-01-04\xa009:00", BERLIN, "has characters other than plain letters and digits"),
    ("tomorrow 9:00\nfri 9:00", BERLIN, "has characters other than plain letters and digits"),
    ("in 2", None, "write 'in 2m' for minutes or 'in 2h' for hours."),
    ("in 2 hours", None, "write 'in 2h'."),
    ("in 1h 30m", None, "write 'in 1h30m'."),
    ("in 1 hour and 30 minutes", None, "write 'in 1h30m'."),
    ("in 2 weeks", BERLIN, "write 'in 14d'."),
    ("in 30m1h", None, "is no time span; write 'in 2h'"),
    ("in 1d12h", BERLIN, "'in 3d' for the same time of day in three days."),
    ("in -2h", None, "is no time span"),
    ("in", None, "is no time span"),
    ("2027-01-04 09:00 +0100", None, "write '2027-01-04T09:00+01:00'."),
    ("2027-01-04 9:00 GMT-5", None, "write '2027-01-04T09:00-05:00'."),
    ("2027-01-04 9:00 UTC", None, "write '2027-01-04T09:00Z'."),
    ("2027-01-04T09:00+15:00", None, "There is no offset +15:00"),
    ("2027-01-04T09:00+01:60", None, "There is no offset +01:60"),
    ("2027-01-04T09:00+01:00", BERLIN, "leave out the zone or the offset."),
    ("2027-01-04T09:00Z", "UTC", "leave out the zone or the offset."),
    (
        "2027-03-28 02:30",
        BERLIN,
        "does not exist, because clocks go forward then;"
        " write '2027-03-28T01:30+01:00' or '2027-03-28T03:30+02:00', without a zone.",
    ),
    (
        "2027-10-31 02:30",
        BERLIN,
        "comes twice, because clocks go back then;"
        " write '2027-10-31T02:30+02:00' or '2027-10-31T02:30+01:00', without a zone.",
    ),
    ("2027-03-28 02:00", BERLIN, "'2027-03-28T01:00+01:00' or '2027-03-28T03:00+02:00'"),
    ("2027-03-28 02:59:59", BERLIN, "'2027-03-28T01:59:59+01:00' or '2027-03-28T03:59:59+02:00'"),
    ("2027-10-31 02:00", None, "'2027-10-31T02:00+02:00' or '2027-10-31T02:00+01:00'"),
    ("2027-03-14 02:30", NEW_YORK, "'2027-03-14T01:30-05:00' or '2027-03-14T03:30-04:00'"),
    ("2027-11-07 01:30", NEW_YORK, "'2027-11-07T01:30-04:00' or '2027-11-07T01:30-05:00'"),
    ("2027-10-03 02:15", LORD_HOWE, "'2027-10-03T01:45+10:30' or '2027-10-03T02:45+11:00'"),
    ("2027-04-04 01:45", LORD_HOWE, "'2027-04-04T01:45+11:00' or '2027-04-04T01:45+10:30'"),
    ("tomorrow 9:00", "Europe/Berln", "There is no zone 'Europe/Berln'."),
    ("in 2h", "Berlin", "Did you mean 'Europe/Berlin'?"),
]


def refusal(text: str, zone: str | None, now: datetime = NOW) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_when(text, now=now, zone=zone)
    return caught.value


def outcome(text: str, zone: str | None) -> str:
    """The refusal, empty where there is none."""
    try:
        parse_when(text, now=NOW, zone=zone)
    except InputError as error:
        return error.message
    return ""


@pytest.mark.parametrize(("text", "zone", "sentence"), REFUSED, ids=lambda value: str(value)[:40])
def test_refused(text: str, zone: str | None, sentence: str) -> None:
    error = refusal(text, zone)
    assert sentence in error.message
    assert len(error.problems) == 1
    assert "\n" not in error.message
    assert len(error.message) < 250


@pytest.mark.parametrize(("text", "zone", "sentence"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_a_refusal_says_to_write_is_understood(
    text: str, zone: str | None, sentence: str
) -> None:
    quoted = re.findall(r"'([^']*)'", refusal(text, zone).message.partition("write ")[2])
    for spelled in (whole for whole in quoted if " " in whole or "T" in whole):
        chosen = None if "T" in spelled or zone == "Europe/Berln" else zone
        # What is spelled right can still be past: 'today 9:00' at 9:00.
        assert " is past: " in outcome(spelled, chosen) or outcome(spelled, chosen) == "", spelled


def test_a_weekday_of_today_that_is_skipped_or_repeated_is_a_question() -> None:
    assert isinstance(refusal("sun 2:30", BERLIN, SUNDAY), ClockChange)
    assert isinstance(refusal("sun 2:30", BERLIN, AUTUMN), ClockChange)
    between = AUTUMN.replace(hour=1, minute=10)  # the second 2:10: the first 2:30 is past
    error = refusal("sun 2:30", BERLIN, between)
    assert isinstance(error, ClockChange)
    assert error.readings == ("2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00")


def test_a_time_both_of_whose_readings_are_past_is_past() -> None:
    second = AUTUMN.replace(hour=1, minute=30)
    assert isinstance(
        refusal("2027-10-31 2:30", BERLIN, second - timedelta(seconds=1)), ClockChange
    )
    assert PAST in refusal("2027-10-31 2:30", BERLIN, second).message


def test_tomorrow_and_days_ahead_can_be_skipped_too() -> None:
    saturday = datetime(2027, 3, 27, 1, 30, tzinfo=UTC)  # 2:30 in Berlin
    assert isinstance(refusal("tomorrow 2:30", BERLIN, saturday), ClockChange)
    assert isinstance(refusal("in 1d", BERLIN, saturday), ClockChange)
    assert parse_when("in 2d", now=saturday, zone=BERLIN).local == "2027-03-29T02:30"


def test_an_unknown_zone_is_an_unknown_name() -> None:
    assert isinstance(refusal("tomorrow 9:00", "Nowhere/Else"), UnknownName)


def test_a_machine_whose_zone_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert "The time zone of this machine has no name" in refusal("tomorrow 9:00", None).message
    assert parse_when("tomorrow 9:00", now=NOW, zone=BERLIN).local == "2026-11-24T09:00"
    assert parse_when("in 2h", now=NOW, zone=None).spoken() == "Mon 2026-11-23 10:00 UTC"


def test_now_can_be_in_any_zone_but_must_have_one() -> None:
    there = wall(NOW, NEW_YORK)
    assert parse_when("tomorrow 9:00", now=there, zone=BERLIN).at.day == 24
    with pytest.raises(ValueError, match="aware"):
        parse_when("in 2h", now=datetime(2026, 11, 23), zone=None)  # noqa: DTZ001


def test_ten_years_from_a_leap_day() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert "before 2038-02-28." in refusal("2038-03-01 9:00", "UTC", leap).message


def test_the_seconds_of_now_are_kept_where_time_elapses() -> None:
    now = NOW.replace(second=7, microsecond=250_000)
    assert parse_when("in 2s", now=now, zone=None).at == now + timedelta(seconds=2)
    assert parse_when("in 3d", now=now, zone=BERLIN).local == "2026-11-26T09:00:07"


@pytest.mark.parametrize(
    ("text", "zone", "spoken"),
    [
        ("2027-01-04 09:00", BERLIN, "Mon 2027-01-04 09:00 Europe/Berlin (08:00 UTC)"),
        ("2027-01-04 09:00:30", BERLIN, "Mon 2027-01-04 09:00:30 Europe/Berlin (08:00:30 UTC)"),
        (
            "2027-07-05 00:30",
            BERLIN,
            "Mon 2027-07-05 00:30 Europe/Berlin (Sun 2027-07-04 22:30 UTC)",
        ),
        ("2027-01-04 09:00", "UTC", "Mon 2027-01-04 09:00 UTC"),
        ("in 2h", None, "Mon 2026-11-23 11:00 Europe/Berlin (10:00 UTC)"),
        ("2027-01-04T09:00-05:00", None, "Mon 2027-01-04 15:00 Europe/Berlin (14:00 UTC)"),
    ],
)
def test_spoken(text: str, zone: str | None, spoken: str) -> None:
    assert parse_when(text, now=NOW, zone=zone).spoken() == spoken


def test_spoken_after_its_zone_left_the_rules() -> None:
    gone = When(NOW, "2026-11-23T09:00", "Nowhere/Else")
    assert gone.spoken() == "Mon 2026-11-23 08:00 UTC"


def test_a_when_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        When(NOW).at = NOW  # type: ignore[misc]


ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "Africa/Casablanca", "Asia/Kathmandu", "UTC"])


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(datetime(2026, 11, 25), datetime(2036, 11, 20)),  # noqa: DTZ001
    ZONES,
)
@example(datetime(2027, 10, 31, 2, 30), BERLIN)  # noqa: DTZ001
@example(datetime(2027, 3, 28, 2, 30), BERLIN)  # noqa: DTZ001
def test_what_is_spoken_is_understood_again(meant: datetime, zone: str) -> None:
    local = meant.replace(microsecond=0).isoformat()
    try:
        when = parse_when(local, now=NOW, zone=zone)
    except ClockChange as change:
        first, second = (parse_when(text, now=NOW, zone=None).at for text in change.readings)
        assert first < second
        return
    assert wall(when.at, zone).replace(tzinfo=None) == meant.replace(microsecond=0)
    assert parse_when(when.at.isoformat(), now=NOW, zone=None).at == when.at
    assert parse_when(wall(when.at, zone).isoformat(), now=NOW, zone=None).at == when.at
    _, day, clock, name = when.spoken().split()[:4]
    assert parse_when(f"{day} {clock}", now=NOW, zone=name) == when


PIECES = """
today tomorrow mon fri sunday in at 9:00 09:00 02:30 23:59:59 0:00 24:00 9pm noon 2h 90m 0s 3d
1h30m 2027-01-04 2027-03-28 2027-10-31 2026-11-23 2000-01-01 T Z +01:00 -05:00 4.1.2027
"""
MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001
    datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES.split()), max_size=4).map(" ".join) | st.text(max_size=30),
    MOMENTS,
    ZONES | st.none(),
)
def test_never_past_and_never_another_error(text: str, now: datetime, zone: str | None) -> None:
    with suppress(InputError):
        when = parse_when(text, now=now, zone=zone)
        assert when.at > now
        assert (when.local is None) == (when.zone is None)

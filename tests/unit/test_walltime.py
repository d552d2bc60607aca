from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from postkit.errors import InputError, UnknownName
from postkit.walltime import ClockChange, readings, resolve, wall

START, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found


def clock_changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Each instant at which the offset changes, read by the standard library."""
    at = START
    while at < END:
        after = at + timedelta(days=1)
        if offset(zone, at) != offset(zone, after):
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (
                    (middle, high) if offset(zone, middle) == offset(zone, at) else (low, middle)
                )
            yield high
        at = after


def as_local(at: datetime, by: timedelta) -> str:
    return (at + by).replace(tzinfo=None).isoformat()


def test_around_each_clock_change_of_each_zone() -> None:
    zones = gaps = overlaps = 0
    for name in sorted(available_timezones() - {"localtime"}):
        changes = list(clock_changes(ZoneInfo(name)))
        zones += bool(changes)
        for change in changes:
            before = offset(ZoneInfo(name), change - MINUTE)
            after = offset(ZoneInfo(name), change)
            assert wall(change - MINUTE, name).utcoffset() == before
            assert wall(change, name).utcoffset() == after
            shift = abs(after - before)
            if after > before:
                gaps += 1
                assert resolve(as_local(change - MINUTE, before), name) == change - MINUTE
                assert resolve(as_local(change, after), name) == change
                for skipped in (change, change + shift - MINUTE):
                    local = as_local(skipped, before)
                    assert readings(local, name) == (skipped - shift, skipped)
                    assert resolve(local, name, strict=False) == change
                    with pytest.raises(ClockChange, match="does not exist"):
                        resolve(local, name)
            else:
                overlaps += 1
                assert (
                    resolve(as_local(change - shift - MINUTE, before), name)
                    == change - shift - MINUTE
                )
                assert resolve(as_local(change + shift, after), name) == change + shift
                for repeated in (change - shift, change - MINUTE):
                    local = as_local(repeated, before)
                    assert readings(local, name) == (repeated, repeated + shift)
                    assert resolve(local, name, strict=False) == repeated
                    with pytest.raises(ClockChange, match="comes twice"):
                        resolve(local, name)
    assert zones > 100
    assert gaps > 200
    assert overlaps > 200


@pytest.mark.parametrize(
    ("local", "zone", "first", "second", "lenient"),
    [
        (
            "2027-03-28T02:30",
            "Europe/Berlin",
            "2027-03-28T01:30+01:00",
            "2027-03-28T03:30+02:00",
            "2027-03-28T01:00",
        ),
        (
            "2027-10-31T02:30:10",
            "Europe/Berlin",
            "2027-10-31T02:30:10+02:00",
            "2027-10-31T02:30:10+01:00",
            "2027-10-31T00:30:10",
        ),
        (
            "2027-10-03T02:15",
            "Australia/Lord_Howe",
            "2027-10-03T01:45+10:30",
            "2027-10-03T02:45+11:00",
            "2027-10-02T15:30",
        ),
        (  # a day that the island did not have
            "2011-12-30T10:00",
            "Pacific/Apia",
            "2011-12-29T10:00-10:00",
            "2011-12-31T10:00+14:00",
            "2011-12-30T10:00",
        ),
    ],
)
def test_both_readings_are_spelled(
    local: str, zone: str, first: str, second: str, lenient: str
) -> None:
    with pytest.raises(ClockChange) as caught:
        resolve(local, zone)
    assert caught.value.readings == (first, second)
    assert readings(local, zone) == tuple(
        datetime.fromisoformat(text).astimezone(UTC) for text in (first, second)
    )
    assert first in caught.value.message
    assert second in caught.value.message
    assert resolve(local, zone, strict=False) == instant(lenient)


def test_an_instant_is_in_utc() -> None:
    for strict in (True, False):
        found = resolve("2027-01-04T09:00", "Europe/Berlin", strict=strict)
        assert found == instant("2027-01-04T08:00")
        assert found.tzinfo is UTC
    assert resolve("2027-03-28T02:30", "Europe/Berlin", strict=False).tzinfo is UTC


@pytest.mark.parametrize(
    "local",
    [
        "",
        "2027-01-04",
        "2027-01-04 09:00",
        "2027-01-04T9:00",
        "2027-02-30T09:00",
        "2027-01-04T09:00Z",
    ],
)
def test_no_local_time(local: str) -> None:
    with pytest.raises(InputError, match="is no local time; write it as '2027-01-04T09:00'"):
        resolve(local, "UTC", strict=False)


def test_an_unknown_zone() -> None:
    for strict in (True, False):
        with pytest.raises(UnknownName, match=r"'Europe/Berln'[.] Did you mean 'Europe/Berlin'"):
            resolve("2027-01-04T09:00", "Europe/Berln", strict=strict)
    with pytest.raises(UnknownName, match="no zone"):
        wall(START, "Europe/Berln")

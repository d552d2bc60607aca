"""When a post is due, as a program gives it: what cannot be is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from postkit.due import due_at
from postkit.errors import InputError
from postkit.freshness import LONGEST

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))


@pytest.mark.parametrize("zone", [UTC, EAST, WEST])
@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59.999999", "9999-12-31T00:00", "2036-12-01T00:00", "2999-01-01T00:00"]
)
def test_a_time_too_far_ahead(at: str, zone: tzinfo) -> None:
    with pytest.raises(InputError, match="more than 10 years ahead; write a time before 2036"):
        due_at(None, NOW, at=datetime.fromisoformat(at).replace(tzinfo=zone))


@pytest.mark.parametrize("zone", [UTC, EAST, WEST])
@pytest.mark.parametrize("at", ["0001-01-01T00:00", "2026-11-28T00:00"])
def test_a_time_that_is_past(at: str, zone: tzinfo) -> None:
    with pytest.raises(InputError, match="is past"):
        due_at(None, NOW, at=datetime.fromisoformat(at).replace(tzinfo=zone))


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59.999999", "9999-12-31T00:00"])
def test_a_time_without_an_offset_is_no_other(at: str) -> None:
    with pytest.raises(InputError, match="too far ahead"):
        due_at(None, NOW, at=datetime.fromisoformat(at), zone="UTC")


@pytest.mark.parametrize(
    "expires",
    [timedelta(0), -timedelta(hours=1), timedelta.max, timedelta.min, LONGEST + timedelta(1), 6],
)
@pytest.mark.parametrize("at", [None, "in 1h", datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_span_that_is_none(expires: timedelta, at: str | datetime | None) -> None:
    with pytest.raises(InputError, match=r"expires: .* is no time from 1s to 366d"):
        due_at(None, NOW, at=at, expires=expires)


def test_what_can_be_is_taken() -> None:
    at = datetime(2036, 11, 29, 12, tzinfo=UTC)
    due = due_at(None, NOW, at=at.astimezone(EAST), expires=LONGEST)
    assert due is not None
    assert (due.at, due.expires_at) == (at, at + LONGEST)
    late = due_at(None, NOW, at=at)
    assert late is not None
    assert late.expires_at == at + timedelta(hours=6)
    forever = due_at(None, NOW, at=at, expires="never")
    assert forever is not None
    assert forever.expires_at is None

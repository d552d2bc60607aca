"""What a network says about its limits, in every shape and in broken ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from postkit.deliver.rates import (
    Observation,
    observed,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
EPOCH = int(NOW.timestamp())


def wait(status: int | None, **headers: object) -> float | None:
    """Seconds until the next call; underscores stand for hyphens."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    at = observed(status, named, NOW).retry_at
    return None if at is None else (at - NOW).total_seconds()


# Retry-After


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0.5", 0.5),
        ("Mon, 23 Nov 2026 12:02:00 GMT", 120),
        ("Mon, 23 Nov 2026 11:58:00 GMT", None),
        ("31536000", 86_400),
        ("9" * 400, 86_400),
        ("10, 60", 60),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("1e3", None),
        ("inf", None),
        ("nan", None),
        ("٣", None),
        ("", None),
        (",", None),
        ("Mon, 99 Nov 2026 12:02:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert wait(429, Retry_After=value) == seconds
    assert wait(503, retry_after=value) == seconds
    assert wait(200, Retry_After=value) is None
    assert wait(None, Retry_After=value) is None


# Families of limit, remaining and reset


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            # Seconds since 1970.
            {
                "x-rate-limit-limit": "100",
                "x-rate-limit-remaining": "7",
                "x-rate-limit-reset": str(EPOCH + 300),
            },
            Observation(7, 100, NOW + timedelta(seconds=300)),
        ),
        (
            # ISO 8601.
            {
                "X-RateLimit-Limit": "300",
                "X-RateLimit-Remaining": "299",
                "X-RateLimit-Reset": "2026-11-23T12:05:00.250000Z",
            },
            Observation(299, 300, NOW + timedelta(seconds=300.25)),
        ),
        (
            # Seconds from now, and a count with decimals.
            {
                "x-ratelimit-used": "5",
                "x-ratelimit-remaining": "595.0",
                "x-ratelimit-reset": "411",
            },
            Observation(595, None, NOW + timedelta(seconds=411)),
        ),
        (
            {
                "RateLimit-Limit": "100, 100;w=60",
                "RateLimit-Remaining": "4",
                "RateLimit-Reset": "30",
                "RateLimit-Policy": "100;w=60",
            },
            Observation(4, 100, NOW + timedelta(seconds=30)),
        ),
        (
            # The exact duration before the moment beside it.
            {
                "X-RateLimit-Remaining": "4",
                "X-RateLimit-Reset": f"{EPOCH + 2}.5",
                "X-RateLimit-Reset-After": "1.25",
            },
            Observation(4, None, NOW + timedelta(seconds=1.25)),
        ),
        (
            {"x-rate-limit-remaining": "1", "x-rate-limit-reset": f"{EPOCH + 60}000"},
            Observation(1, None, NOW + timedelta(seconds=60)),
        ),
        ({"Content-Type": "text/plain", "x-limit": "3", "limit-remaining-x": "0"}, Observation()),
        ({}, Observation()),
    ],
)
def test_the_shapes(headers: dict[str, str], expected: Observation) -> None:
    assert observed(200, headers, NOW) == expected
    assert observed(200, CaseInsensitiveDict(headers), NOW) == expected


@pytest.mark.parametrize("status", [200, 201, 403, 429, 500])
@pytest.mark.parametrize("reset", ["90", str(EPOCH + 90), "2026-11-23T12:01:30Z"])
@pytest.mark.parametrize("remaining", ["0", "0.0", "0.4"])
def test_a_used_up_window_blocks_until_it_opens(status: int, reset: str, remaining: str) -> None:
    headers = {"ratelimit_remaining": remaining, "ratelimit_reset": reset}
    assert wait(status, **headers) == 90


def test_without_a_reset_time_nothing_is_known() -> None:
    assert wait(200, ratelimit_remaining=0) is None
    assert wait(429, ratelimit_remaining=0) is None


def test_calls_that_are_left_block_nothing_but_after_a_refusal() -> None:
    assert wait(200, ratelimit_remaining=1, ratelimit_reset=90) is None
    assert wait(500, ratelimit_remaining=1, ratelimit_reset=90) is None
    assert wait(429, ratelimit_remaining=1, ratelimit_reset=90) == 90
    assert wait(429, ratelimit_reset=90) == 90
    assert wait(429, ratelimit_reset=90, retry_after=5) == 5
    assert wait(429, ratelimit_remaining=0, ratelimit_reset=90, retry_after=5) == 90


def test_of_several_windows_the_used_up_one_counts() -> None:
    short = {"x_rate_limit_remaining": 3, "x_rate_limit_reset": EPOCH + 900}
    day = {"x_user_limit_24hour_remaining": 0, "x_user_limit_24hour_reset": EPOCH + 7200}
    app = {"x_app_limit_24hour_remaining": 0, "x_app_limit_24hour_reset": EPOCH + 9000}
    assert wait(200, **short) is None
    assert wait(200, **short, **day) == 7200
    assert wait(429, **short, **day, **app) == 9000
    named = {k.replace("_", "-"): str(v) for k, v in {**short, **day, **app}.items()}
    seen = observed(200, named, NOW)
    assert (seen.remaining, seen.resets_at) == (0, NOW + timedelta(seconds=9000))


@pytest.mark.parametrize("reset", [str(EPOCH - 1), "2026-11-23T11:59:59Z", "0", str(2**62), "x"])
@pytest.mark.parametrize("status", [200, 429])
def test_a_reset_that_is_over_or_none_blocks_nothing(status: int, reset: str) -> None:
    assert wait(status, ratelimit_remaining=0, ratelimit_reset=reset) is None


@pytest.mark.parametrize(
    "reset", ["99999999", str(EPOCH + 10**7), "9999-12-31T23:59:59Z", "2027-11-23T12:00:00-12:00"]
)
def test_nothing_blocks_longer_than_a_day(reset: str) -> None:
    assert wait(200, ratelimit_remaining=0, ratelimit_reset=reset) == 86_400


@pytest.mark.parametrize("remaining", ["-1", "none", "", "1e3", "0x0", "9" * 30, "1, -1"])
def test_a_count_that_is_none_is_ignored(remaining: str) -> None:
    headers = {"ratelimit-remaining": remaining, "ratelimit-reset": "90"}
    assert observed(200, headers, NOW) == Observation(resets_at=NOW + timedelta(seconds=90))


def test_what_was_sent_twice_is_read_by_the_stricter() -> None:
    joined = {"RateLimit-Remaining": "5, 0", "RateLimit-Reset": "30, 60"}
    twice = {
        "RateLimit-Remaining": "5",
        "ratelimit-remaining": "0",
        "RateLimit-Reset": "30",
        "ratelimit-reset": "60",
    }
    for headers in (joined, twice):
        assert observed(200, headers, NOW).retry_at == NOW + timedelta(seconds=60)


# Percentages


def test_percentages_of_what_is_allowed() -> None:
    app = json.dumps({"call_count": 10, "total_time": 25.5, "total_cputime": 1})
    assert observed(200, {"X-App-Usage": app}, NOW) == Observation(74, 100)
    row = {"type": "pages", "call_count": 28, "total_cputime": 25, "total_time": 25}
    cases = json.dumps({"1": [row], "2": [row | {"call_count": 99}]})
    assert observed(200, {"X-App-Usage": app, "x-y-usage": cases}, NOW) == Observation(1, 100)


def test_a_quota_that_is_used_up_blocks_until_access_is_regained() -> None:
    row = {"call_count": 100, "total_time": 1, "estimated_time_to_regain_access": 19}
    assert wait(400, x_y_usage=json.dumps({"1": [row]})) == 19 * 60
    assert wait(200, x_y_usage=json.dumps({"1": [row | {"call_count": 3}]})) == 19 * 60
    none = row | {"estimated_time_to_regain_access": 0}
    assert wait(200, x_y_usage=json.dumps({"1": [none]})) == 600
    assert wait(200, x_y_usage=json.dumps({"1": [none | {"call_count": 99}]})) is None
    huge = row | {"estimated_time_to_regain_access": 10**8}
    assert wait(200, x_y_usage=json.dumps({"1": [huge]})) == 86_400


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        "7",
        "null",
        "[]",
        '{"1": null}',
        '{"call_count": "many"}',
        '{"call_count": true}',
        '{"call_count": NaN}',
        '{"call_count": 1e999}',
        '{"call_count": -200, "estimated_time_to_regain_access": -5}',
        '{"call_count": ' + "9" * 400 + "}",
        '{"call_count": ' + "9" * 5000 + "}",
        "[" * 20_000,
        '{"a":' * 20_000,
    ],
)
def test_broken_percentages_block_nothing(value: str) -> None:
    assert observed(400, {"x-y-usage": value}, NOW).retry_at is None


# Clocks


@pytest.mark.parametrize("ahead", [-7200, -30, 0, 30, 7200, 10**7])
def test_the_servers_own_date_corrects_our_clock(ahead: int) -> None:
    server = NOW + timedelta(seconds=ahead)
    dated = {"Date": format_datetime(server, usegmt=True), "ratelimit-remaining": "0"}
    resets = server + timedelta(seconds=90)
    for reset in ("90", str(int(resets.timestamp())), resets.isoformat()):
        seen = observed(200, {**dated, "ratelimit-reset": reset}, NOW)
        assert seen.retry_at == seen.resets_at == NOW + timedelta(seconds=90)
    after = {**dated, "Retry-After": format_datetime(resets, usegmt=True)}
    assert observed(503, after, NOW).retry_at == NOW + timedelta(seconds=90)


@pytest.mark.parametrize("dated", ["", "today", "Mon, 23 Nov 2026 25:00:00 GMT", "0", "-"])
def test_a_broken_date_is_none(dated: str) -> None:
    assert wait(200, Date=dated, ratelimit_remaining=0, ratelimit_reset=EPOCH + 90) == 90


names = st.sampled_from(
    [
        "retry-after",
        "Retry-After",
        "date",
        "ratelimit-remaining",
        "ratelimit-reset",
        "ratelimit-limit",
        "x-rate-limit-reset",
        "x-rate-limit-remaining",
        "x-ratelimit-reset-after",
        "x-y-usage",
    ]
)
moments = st.one_of(
    st.datetimes().map(lambda at: format_datetime(at.replace(tzinfo=UTC), usegmt=True)),
    st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat),
)
usages = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["call_count", "total_time", "estimated_time_to_regain_access", "1"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
).map(json.dumps)
values = st.one_of(
    st.text(max_size=40),
    st.text("0123456789.,-+:TZ eE", max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    moments,
    usages,
)


@given(
    status=st.none() | st.integers(0, 999),
    headers=st.dictionaries(names, values, max_size=6),
    now=st.integers(31_536_000, 221_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
)
def test_no_header_raises_or_blocks_longer_than_a_day(
    status: int | None, headers: dict[str, str], now: datetime
) -> None:
    seen = observed(status, headers, now)
    if seen.retry_at is not None:
        assert now < seen.retry_at <= now + DAY
    if seen.resets_at is not None:
        assert now - DAY <= seen.resets_at <= now + DAY
    assert seen.remaining is None or seen.remaining >= 0

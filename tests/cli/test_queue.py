"""`postkit queue`: what is late first, what waits for a person, and what is to come."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from .program import Program
from .test_worker import running, schedule

DAY = (datetime.now(UTC) + timedelta(days=40)).date()
ALONE = "No worker runs. Nothing is sent until `postkit worker` runs."


def rows(out: str) -> list[list[str]]:
    return [line.split("\t") for line in out.splitlines()]


def test_an_empty_queue(mastodon: Program) -> None:
    result = mastodon("queue")
    assert (result.status, result.out, result.err) == (0, "", "Nothing is scheduled.\n")
    assert mastodon("queue", "--json").json == {
        "deliveries": [], "total": 0, "worker": False, "copied": [],
    }  # fmt: skip


def test_what_is_to_come_is_in_the_order_of_its_time(mastodon: Program) -> None:
    late = schedule(mastodon, "Second of all", f"{DAY} 10:00", "--zone", "Asia/Tokyo")
    early = schedule(mastodon, "First of all", f"{DAY} 0:59", "--zone", "UTC")
    result = mastodon("queue")
    assert result.status == 0
    assert rows(result.out) == [
        [early, "scheduled", f"{DAY:%a} {DAY} 00:59 UTC", "mastodon:mastodon", "First of all"],
        [late, "scheduled", f"{DAY:%a} {DAY} 10:00 Asia/Tokyo", "mastodon:mastodon",
         "Second of all"],
    ]  # fmt: skip
    assert result.err == f"{ALONE}\n"


def test_what_is_overdue_and_what_waits_for_a_person_come_first(mastodon: Program) -> None:
    missed = schedule(mastodon, "Missed", "in 1s", "--expires", "1s")
    time.sleep(2.1)
    assert mastodon("worker", "--drain", "--wait", "0").status == 1
    far = schedule(mastodon, "Far", "in 3h")
    overdue = schedule(mastodon, "Overdue", "in 1s")
    time.sleep(1.1)
    result = mastodon("queue")
    assert [row[:2] for row in rows(result.out)] == [
        [overdue, "overdue"], [missed, "missed"], [far, "scheduled"],
    ]  # fmt: skip
    assert result.err.splitlines() == [
        "No worker runs. 1 delivery overdue. Nothing is sent until `postkit worker` runs.",
        "What was missed: `postkit reschedule ID --at WHEN`, or `postkit cancel ID`.",
    ]
    listed = mastodon("queue", "--json").json
    assert [row["overdue"] for row in listed["deliveries"]] == [True, False, False]
    few = mastodon("queue", "--count", "1")
    assert [row[0] for row in rows(few.out)] == [overdue]
    assert few.err.splitlines()[0] == "and 2 more (--count 3)"


def test_what_is_held(mastodon: Program) -> None:
    held = schedule(mastodon, "Held")
    assert mastodon("pause", "--all").status == 0
    assert mastodon("worker", "--drain", "--wait", "3").status == 4
    result = mastodon("queue")
    assert rows(result.out)[0][:2] == [held, "held (paused: everything)"]
    assert "What is held: `postkit release ID` sends it" in result.err


def test_what_is_live_or_cancelled_is_not_in_it(mastodon: Program) -> None:
    mastodon("publish", "Now", "--to", "mastodon")
    name = schedule(mastodon, "Later", "in 2h")
    mastodon("cancel", name)
    assert mastodon("queue").out == ""


def test_a_worker_that_runs_is_known(mastodon: Program) -> None:
    schedule(mastodon, "Later", "in 2h")
    process = running(mastodon)
    result = mastodon("queue")
    assert result.err == ""
    assert mastodon("queue", "--json").json["worker"] is True
    process.kill()
    process.wait()
    # It could not say that it ends, and is known to be gone all the same.
    assert mastodon("queue").err == f"{ALONE}\n"


@pytest.mark.parametrize("count", ["0", "-1", "no", "1001"])
def test_a_count_that_is_none(mastodon: Program, count: str) -> None:
    assert "--count" in mastodon.fails(2, "queue", "--count", count)

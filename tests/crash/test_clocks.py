"""Clocks that change: summer time, a clock that is set, new rules of a zone, odd seconds.

Each post is sent once, none before its time, and at most one look of the worker later.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import whenever

from postkit.clock import micros
from postkit.engine.worker import CHORES
from postkit.network import Guarantee
from postkit.walltime import ClockChange, readings, wall
from postkit.zones import forget_zones
from tests.unit.test_zones import MADE_UP
from tests.wire.board import Board

from .bench import LOOK, Bench
from .hand import KEYED, Hand, TimedBoard, opened
from .killing import FULL
from .leaping import LeapingClock
from .setting import SetBoard
from .weather import LOST, OK, Answer, Weather, weather
from .zonefile import ZoneFile

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
SHARES = 16 if FULL else 3
AROUND = (-120, -61, -60, -31, -30, -1, 0, 1, 15, 29, 30, 31, 59, 60, 61, 120)
"""Minutes from the change of the clocks."""
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
START = datetime(2027, 1, 4, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # In memory where there is such a folder: no power fails here, and the disk is half the time.
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="postkit-clocks-", dir=where) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def sky(folder: Path) -> Iterator[Weather]:
    with weather(LeapingClock(folder / "clock", START)) as sky:
        yield sky


Set = Callable[..., Bench]


@pytest.fixture
def bench(folder: Path, sky: Weather) -> Iterator[Set]:
    made: list[Bench] = []

    def begin(start: datetime = START, board: Board | None = None) -> Bench:
        made.append(Bench(folder, sky, start, board))
        return made[-1]

    yield begin
    for one in made:
        one.kit.close()
        one.clock.close()


# Summer time


def changes(zone: str) -> list[datetime]:
    """The next two changes of its clocks; two plain moments where it has none."""
    found: list[datetime] = []
    at = whenever.Instant(NEW_YEAR).to_tz(zone)
    for _ in range(2):
        after = at.next_transition()
        if after is None or after.year > 2035:
            break
        found.append(after.to_instant().to_stdlib().astimezone(UTC))
        at = after
    plain = [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)]
    return found or plain


def around(bench: Bench, zone: str, change: datetime) -> tuple[int, int]:
    """Schedule wall times around it, each as it has to be spelled: the zone's own time where it
    comes once, else an instant. How many were spelled out, and how many do not exist."""
    twice = skipped = 0
    for minutes in AROUND:
        at = change + timedelta(minutes=minutes)
        shown = wall(at, zone).replace(tzinfo=None).isoformat(timespec="seconds")
        text = f"{zone} {change:%m-%d} {minutes}"
        earlier, later = readings(shown, zone)
        if earlier == later:
            bench.schedule(text, shown, zone)
        else:
            with pytest.raises(ClockChange) as refused:
                bench.kit.schedule(text, ["board:a"], at=shown, zone=zone)
            spelled = refused.value.readings[0 if at == earlier else 1]
            bench.schedule(text, spelled)
            twice += 1
        assert bench.due[text] == at
        # The same distance by the rules of before: what the change has skipped.
        offset = wall(change - timedelta(seconds=1), zone).utcoffset() or timedelta()
        naive = (at + offset).replace(tzinfo=None).isoformat(timespec="seconds")
        if wall(readings(naive, zone)[0], zone).replace(tzinfo=None).isoformat() != naive:
            with pytest.raises(ClockChange):
                bench.kit.schedule(text, ["board:a"], at=naive, zone=zone)
            skipped += 1
    return twice, skipped


def zones_of(share: int) -> list[str]:
    if not FULL:
        return [ZONES[share]]
    # A placeholder for a machine that has not been set up; it is refused as a zone.
    return sorted(whenever.available_timezones() - {"Factory"})[share::SHARES]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
def test_summer_time(bench: Set, share: int) -> None:
    began = time.monotonic()
    posts = latest = 0
    for zone in zones_of(share):
        found = changes(zone)
        odd = [0, 0]
        for change in found:
            one = bench(change - timedelta(hours=3))
            twice, skipped = around(one, zone, change)
            odd = [odd[0] + twice, odd[1] + skipped]
            one.work(6)
            one.assert_on_time()
            posts += len(one.due)
            due = one.due
            latest = max(latest, *(p.at - micros(due[p.text]) for p in one.sky.made))
        if zone in ZONES:
            assert len(found) == 2
            assert all(odd), "Both a skipped and a repeated hour were met."
    sys.stdout.write(
        f"{len(zones_of(share))} zones, {posts} posts, each once, none early, the latest "
        f"{latest / 1e6:.3f} s after its time, {time.monotonic() - began:.1f} s\n"
    )


# A clock that is set

PHASES = ("before due", "claimed", "SENDING", "in doubt", "live")
STEPS = {"back an hour": -HOUR, "forward a day": timedelta(days=1)}


PROMISES = {"key": KEYED, "read back": Guarantee("read_back", quiet=60.0)}


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("phase", PHASES)
def test_the_clock_is_set(
    folder: Path, sky: Weather, bench: Set, phase: str, step: str, promise: str
) -> None:
    by = STEPS[step]
    one = bench()
    board = SetBoard(one.clock, phase, by, PROMISES[promise])
    one.kit.close()
    one.kit = opened(one.home, one.clock, board)
    for number in range(3):
        one.schedule(f"post {number}", f"in {60 + number * 10}m", expires="3d")
    if phase == "before due":
        one.clock.alarm(0.4 * 3600, lambda: board.step(phase))
    if phase == "live":
        one.clock.alarm(1.05 * 3600, lambda: board.step(phase))
    sent_at: list[tuple[str, int]] = []

    def answer(account: str, text: str) -> Answer:
        # What the wall showed when the request left.
        sent_at.append((text, one.clock.wall))
        board.step("SENDING")
        return LOST if phase == "in doubt" and text == "post 0" else OK

    sky.answer = answer
    one.work(4)
    assert board.left == 0, "The clock was set."
    facts = sky.facts(one.home / "postkit.db")
    assert {part.state for part in facts.parts} == {"LIVE"}
    one.assert_once()
    parts = {part.id: part.text for part in facts.parts}
    for line in facts.lines:
        # Never before its time by what the clock showed when a worker began with it.
        if line.event == "claim" and line.part:
            assert line.at >= micros(one.due[parts[line.part]])
    for text, at in sent_at:
        if phase != "claimed":
            assert at >= micros(one.due[text])
    # Two days more, with the late looks: nothing that was sent fires again.
    one.clock.stride = 7200.0
    one.work(48)
    one.assert_once()
    assert all(part.state == "LIVE" for part in sky.facts(one.home / "postkit.db").parts)


@pytest.mark.parametrize("promise", PROMISES)
def test_the_clock_was_wrong_when_the_answer_was_lost(bench: Set, promise: str) -> None:
    """The post seems to be older than its request by an hour, so it is not taken for ours: the
    key tells, or a person."""
    one = bench()
    one.kit.close()
    one.kit = opened(one.home, one.clock, TimedBoard(one.clock, promise=PROMISES[promise]))
    name = one.schedule("post", "in 1h")
    one.sky.keyed = promise == "key"
    one.sky.ahead = -HOUR
    one.sky.answer = lambda account, text: OK if one.sky.calls else LOST
    one.work(1.5)
    report = one.kit.report(name).deliveries[0]
    assert (report.state == "uncertain") == (promise == "read back")
    if report.state == "uncertain":
        one.kit.resolve(name, is_live="https://board.example/1", wait=0)
    one.work(48)
    assert [post.text for post in one.sky.made] == ["post"]
    assert len(one.sky.calls) == (2 if promise == "key" else 1)
    assert one.kit.report(name).deliveries[0].state == "live"


def test_the_clock_is_set_forward_while_another_process_sends(
    folder: Path, sky: Weather, bench: Set
) -> None:
    """All leases seem to be over: it is taken over, looked for, and found, or its late answer
    settles it."""
    one = bench()
    one.schedule("post", "in 1h", expires="3d")
    begun, go_on = threading.Event(), threading.Event()

    def answer(account: str, text: str) -> Answer:
        begun.set()
        assert go_on.wait(30)
        return OK

    sky.answer = answer
    sky.keyed = True
    hand = Hand(one.home, one.clock)
    hand.ready()
    hand.begin()
    assert begun.wait(30)
    one.clock.set(timedelta(days=1))
    worker = one.kit.worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    end = time.monotonic() + 30
    while sky.facts(one.home / "postkit.db").parts[0].state == "SENDING":
        assert time.monotonic() < end
        time.sleep(0.01)
    go_on.set()
    while sky.facts(one.home / "postkit.db").parts[0].state != "LIVE":
        assert time.monotonic() < end
        time.sleep(0.01)
    worker.stop()
    thread.join()
    hand.end()
    assert len(sky.made) == 1
    events = [line.event for line in sky.facts(one.home / "postkit.db").lines]
    assert "doubt" in events


# New rules of a zone

RULES = {"earlier": ("AAA-2", "AAA-3", -HOUR), "later": ("AAA-3", "AAA-2", HOUR)}
WHEN = {"long before": 14_400.0, "just before": CHORES + 0.5, "while nobody works": 1_800.0}
"""Seconds before the old time. Rules are read anew with the worker's chores."""


@pytest.fixture
def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoneFile]:
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONTZPATH", str(tmp_path / "zoneinfo"))
        whenever.reset_tzpath()
        forget_zones()
        yield ZoneFile(tmp_path / "zoneinfo")
    whenever.reset_tzpath()
    forget_zones()


@pytest.mark.parametrize("direction", RULES)
@pytest.mark.parametrize("when", WHEN)
def test_new_rules(bench: Set, zone: ZoneFile, when: str, direction: str) -> None:
    """It goes at the wall time that was meant, by the new rules; at once where that is past."""
    before, now, by = RULES[direction]
    zone.write(before)
    one = bench()
    local = (START + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    for number in range(3):
        one.schedule(f"post {number}", local, MADE_UP)
    old = one.due["post 0"]
    new = old + by
    changed = (old - START).total_seconds() - WHEN[when]
    if when == "while nobody works":
        zone.write(now)
        one.clock.leap(changed)
    else:
        one.clock.alarm(changed, lambda: zone.write(now))
    one.work(10)
    seen = max(new, START + timedelta(seconds=changed))
    one.due = dict.fromkeys(one.due, seen)
    # Where its new time was past already, it goes as soon as the worker reads the new rules.
    is_late = seen > new and when != "while nobody works"
    one.assert_on_time(LOOK + int(CHORES * 1_000_000) if is_late else LOOK)
    assert [post.text for post in one.sky.made] == ["post 0", "post 1", "post 2"]


def test_new_rules_where_no_worker_runs(bench: Set, zone: ZoneFile) -> None:
    """Whoever finishes a publication sends nothing of it before its time, old or new."""
    zone.write("AAA-3")
    one = bench()
    name = one.schedule("post", (START + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M"), MADE_UP)
    one.kit.finish(name, wait=0)
    one.clock.leap((one.due["post"] - START).total_seconds() + 60)
    zone.write("AAA-2")
    forget_zones()
    one.kit.finish(name, wait=0)
    assert one.sky.calls == []
    one.due["post"] += HOUR
    one.work(2)
    one.assert_on_time()


@pytest.mark.parametrize(
    ("local", "then"),
    [
        ("2027-03-28T02:30", datetime(2027, 3, 28, 0, 0, tzinfo=UTC)),
        ("2027-10-31T02:30", datetime(2027, 10, 30, 23, 30, tzinfo=UTC)),
    ],
    ids=["skip it", "repeat it"],
)
def test_new_rules_that(bench: Set, zone: ZoneFile, local: str, then: datetime) -> None:
    """The end of the gap, or the first of the two."""
    zone.write("AAA-2")
    one = bench(then - timedelta(days=2))
    one.schedule("post", local, MADE_UP)
    one.clock.alarm(3600, lambda: zone.write("AAA-2BBB,M3.5.0/2,M10.5.0/3"))
    one.due["post"] = then
    one.work(50)
    one.assert_on_time()


def test_a_zone_that_is_gone(bench: Set, zone: ZoneFile) -> None:
    zone.write("AAA-2")
    one = bench()
    local = (START + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    one.schedule("post", local, MADE_UP)
    one.work(1)
    zone.path.unlink()
    one.work(8)
    one.assert_on_time()


# Odd seconds


def test_after_2038(bench: Set) -> None:
    """The moment at which 32 bits of seconds end, and the years after it."""
    end = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
    one = bench(end - timedelta(minutes=30))
    one.clock.stride = 86_400.0
    for number, seconds in enumerate((-1, 0, 1, 2, 3600)):
        at = (end + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        one.schedule(f"post {number}", at)
    one.schedule("in a zone", "2038-06-01T09:00", "Europe/Berlin")
    one.work(24 * 150)
    assert one.due["in a zone"] == datetime(2038, 6, 1, 7, tzinfo=UTC)
    one.assert_on_time()


@pytest.mark.parametrize("kernel", ["repeats it", "smears it"])
def test_the_day_of_a_leap_second(bench: Set, kernel: str) -> None:
    """A kernel shows 23:59:59 twice, or a day with slower seconds. 23:59:60 is no time here."""
    midnight = datetime(2017, 1, 1, tzinfo=UTC)
    one = bench(midnight - timedelta(minutes=5))
    for number, seconds in enumerate((-2, -1, 0, 1, 60)):
        at = (midnight + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        one.schedule(f"post {number}", at)
    if kernel == "repeats it":
        one.clock.alarm(299.9999, lambda: one.clock.set(timedelta(seconds=-1)))
    else:
        for number in range(10):
            one.clock.alarm(297 + number / 2, lambda: one.clock.set(timedelta(milliseconds=-100)))
    one.work(0.2)
    one.assert_on_time()


def test_a_long_program_schedules_by_the_rules_of_today(bench: Set, zone: ZoneFile) -> None:
    zone.write("AAA-2")
    one = bench()
    local = (START + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    one.schedule("first", local, MADE_UP)
    zone.write("AAA-3")
    one.schedule("second", local, MADE_UP)
    assert one.due["first"] - one.due["second"] == timedelta(hours=1)

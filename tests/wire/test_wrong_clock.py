"""A clock that was years ahead and was set back leaves nothing asleep."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.deliver.actor import Actor
from postkit.deliver.agenda import Agenda
from postkit.deliver.sleepers import wake
from postkit.errors import StoreBusy, Throttled
from postkit.hookspecs import hookimpl
from postkit.kit import Kit
from postkit.network import Candidate, Guarantee, Outgoing, Receipt
from postkit.post import Post
from postkit.store.database import Database
from postkit.transport import Session

from .board import (
    KEY,
    TOKEN,
    Board,
    HandClock,
    Plugin,
    Server,
    kit_of,
    listed,
    moment_of,
    publish,
    send,
    states,
)

YEARS = timedelta(days=1500)
SLOW = (429, '{"error": "slow"}', {"Retry-After": "60"})


@pytest.fixture
def ahead(clock: HandClock) -> HandClock:
    clock.offset += YEARS
    return clock


def set_back(clock: HandClock) -> None:
    clock.offset -= YEARS


def go_on(kit: Kit, name: str, by: str) -> None:
    kit.work(wait=90) if by == "work" else kit.finish(name, wait=90)


BY = pytest.mark.parametrize("by", ["work", "finish"])


@BY
def test_what_was_put_off(kit: Kit, server: Server, ahead: HandClock, by: str) -> None:
    server.script = [SLOW]
    report = publish(kit, wait=0)
    set_back(ahead)
    go_on(kit, report.id, by)
    assert states(kit, report.id) == ["LIVE"]
    assert server.creates == 2


@BY
def test_what_was_due_before_and_put_off_then(
    kit: Kit, server: Server, clock: HandClock, by: str
) -> None:
    report = kit.schedule("Hello", ["board"], at="in 1h", expires="never").deliveries[0]
    assert report.id is not None
    server.script = [SLOW]
    clock.offset += YEARS
    kit.work(wait=0)
    assert server.creates == 1
    set_back(clock)
    go_on(kit, report.id, by)
    assert server.creates == 1, "its time has not come"
    clock.offset += timedelta(hours=1, seconds=1)
    go_on(kit, report.id, by)
    assert states(kit, report.id) == ["LIVE"]


@BY
def test_the_rest_of_a_thread(kit: Kit, server: Server, ahead: HandClock, by: str) -> None:
    server.script = ["ok", SLOW]
    report = publish(kit, Post(["one", "two", "three"]), wait=0)
    assert states(kit, report.id) == ["LIVE", "SCHEDULED", "SCHEDULED"]
    set_back(ahead)
    go_on(kit, report.id, by)
    assert states(kit, report.id) == ["LIVE"] * 3


@BY
def test_a_repeat(kit: Kit, server: Server, board: Board, ahead: HandClock, by: str) -> None:
    board.promise = Guarantee("key", quiet=0.2, resend_when_absent=True)
    server.script, server.hidden = ["drop"], True

    def limited(client: Session, outgoing: Outgoing) -> Receipt:
        if server.creates == 1:
            server.script = [SLOW]
            try:
                send(client, outgoing)
            except OSError as error:
                until = ahead.now() + timedelta(hours=1)
                raise Throttled("Slow.", network="board", retry_at=until) from error
        return send(client, outgoing)

    board.sending = limited
    report = publish(kit, wait=30)
    assert (report.state, server.creates) == ("scheduled", 2)
    server.hidden = False
    set_back(ahead)
    go_on(kit, report.id, by)
    assert states(kit, report.id) == ["LIVE"]
    assert len(server.posts) == 1


@BY
def test_a_doubt(kit: Kit, server: Server, board: Board, ahead: HandClock, by: str) -> None:
    def finding(client: Session, outgoing: Outgoing) -> Any:
        board.finding = listed
        raise Throttled("Slow.", network="board", retry_at=ahead.now() + timedelta(hours=1))

    board.finding = finding
    server.script = ["lose"]
    report = publish(kit, wait=0)
    assert report.state == "checking"
    set_back(ahead)
    go_on(kit, report.id, by)
    # By its time it cannot be ours, since our request is of a later year: a person is asked.
    assert states(kit, report.id) == ["UNCERTAIN"]
    assert server.creates == 1


def test_a_late_look(kit: Kit, server: Server, ahead: HandClock) -> None:
    report = publish(kit)
    looks = server.looks
    set_back(ahead)
    kit.work(wait=0)
    assert server.looks == looks + 1
    kit.work(wait=0)
    assert server.looks == looks + 1
    ahead.offset += timedelta(days=1, minutes=1)
    kit.work(wait=0)
    assert server.looks == looks + 2
    assert [row.event for row in kit.history(report.id)].count("audit") == 2


@BY
def test_what_a_person_has_scheduled_for_later_stays(
    kit: Kit, server: Server, clock: HandClock, by: str
) -> None:
    report = kit.schedule("Later", ["board"], at="in 60d").deliveries[0]
    assert report.id is not None
    for _ in range(2):
        go_on(kit, report.id, by)
    with closing(Database(kit.home.store_path)) as database:
        assert wake(database, clock, Actor.here()) == 0
    assert kit.report(report.id).deliveries[0].at == report.at
    assert server.creates == 0


def test_a_worker_that_runs_while_the_clock_is_set_back(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wall(HandClock):
        """The real one, wrong by ``offset``; spans are right."""

        def monotonic(self) -> float:
            return (self.now() - self.offset).timestamp()

        def sleep(self, seconds: float) -> None:
            threading.Event().wait(seconds)

    monkeypatch.setattr("postkit.engine.worker.CHORES", 0.1)
    clock = Wall()
    clock.offset += YEARS
    server.script = [SLOW]
    with Kit(home=tmp_path, key=KEY, plugins=[Plugin(Board())], clock=clock) as kit:
        kit.connect("board", {"token": TOKEN}, endpoint=server.url)
        worker = kit.worker()
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            kit.accept(kit.plan("Hello", ["board"]))
            assert came(lambda: server.creates == 1)
            threading.Event().wait(0.3)
            set_back(clock)
            assert came(lambda: len(server.posts) == 1)
        finally:
            worker.stop()
            thread.join(10)


def came(condition: Any) -> bool:
    for _ in range(500):
        if condition():
            return True
        threading.Event().wait(0.02)
    return False


def test_observers_hear_what_was_written_down_then(
    tmp_path: Path, server: Server, clock: HandClock
) -> None:
    heard: list[str] = []

    class Observer(Plugin):
        @hookimpl
        def postkit_changed(self, delivery: str, after: str | None) -> None:
            if clock.offset > YEARS / 2:
                raise RuntimeError("not now")
            heard.append(f"{after} {delivery}")

    with Kit(home=tmp_path, key=KEY, plugins=[Observer(Board())], clock=clock) as kit:
        kit.connect("board", {"token": TOKEN}, endpoint=server.url)
        clock.offset += YEARS
        then = publish(kit, "Then")
        set_back(clock)
        kit.work(wait=0)
        assert heard, "nobody has to publish something first"
        now = publish(kit, "Now")
    assert [line.split()[1] for line in heard if "live" in line] == [then.id, now.id]


@BY
def test_a_time_that_a_person_gives_later_stays(
    kit: Kit, server: Server, ahead: HandClock, by: str
) -> None:
    """What the wrong clock called now was before; the person has said next week since."""
    name = kit.accept(kit.plan(Post(["one", "two"]), ["board"]))
    set_back(ahead)
    week = ahead.now() + timedelta(days=7)
    kit.reschedule(name, at=week)
    for _ in range(2):
        go_on(kit, name, by)
    assert kit.report(name).deliveries[0].at == week
    assert server.creates == 0
    ahead.offset += timedelta(days=7, seconds=1)
    go_on(kit, name, by)
    assert states(kit, name) == ["LIVE", "LIVE"]


@pytest.mark.parametrize(
    ("script", "lines"),
    [([], ["LIVE"]), ([SLOW], ["SCHEDULED"]), (["ok", SLOW], ["LIVE", "SCHEDULED"])],
)
def test_whatever_is_woken_has_a_line_of_it(
    kit: Kit, server: Server, ahead: HandClock, script: list[Any], lines: list[str]
) -> None:
    server.script = script
    report = publish(kit, Post(["one", "two"]) if len(lines) > 1 else "one", wait=0)
    set_back(ahead)
    with closing(Database(kit.home.store_path)) as database:
        wake(database, ahead, Actor.here())
    woken = [row for row in kit.history(report.id) if row.event == "wake"]
    assert [row.after for row in woken] == sorted(lines, reverse=True)
    assert all("clock that was far ahead" in row.reason for row in woken)


def test_what_is_mended_has_a_line_of_it(
    kit: Kit, server: Server, board: Board, ahead: HandClock
) -> None:
    server.script, server.hidden = ["lose"], True
    board.promise = Guarantee("read_back", quiet=3600)
    report = publish(kit, wait=0)
    set_back(ahead)
    kit.work(wait=0)
    woken = [row for row in kit.history(report.id) if row.event == "wake"]
    assert [(row.before, row.after) for row in woken] == [("IN_DOUBT", "IN_DOUBT")]


class Recent(Board):
    """Lists what is as new as it is asked for, and no more."""

    def find(self, client: Session, outgoing: Outgoing, since: datetime) -> list[Candidate]:
        return [found for found in listed(client, outgoing) if found.at >= since]


def test_a_late_look_goes_by_the_networks_clock_where_ours_was_wrong(
    tmp_path: Path, server: Server, ahead: HandClock
) -> None:
    with kit_of(tmp_path, server, Recent(), ahead) as kit:
        looks_for_a_copy(kit, server, ahead)


def looks_for_a_copy(kit: Kit, server: Server, ahead: HandClock) -> None:
    report = publish(kit)
    server.posts.append({**server.posts[0], "id": "99"})
    set_back(ahead)
    ahead.offset += timedelta(minutes=16)
    kit.work(wait=0)
    assert kit.report(report.id).deliveries[0].copies == ("https://board.example/99",)


def test_a_late_look_after_a_clock_that_was_ahead_by_little(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    """Nothing sleeps for long, so nothing is woken; only the network's time tells."""
    clock.offset += timedelta(hours=2)
    report = publish(kit)
    server.posts.append({**server.posts[0], "id": "99"})
    clock.offset -= timedelta(hours=2)
    kit.work(wait=0)
    clock.offset += timedelta(hours=2, minutes=16)
    kit.work(wait=0)
    assert kit.report(report.id).deliveries[0].copies == ("https://board.example/99",)


def test_a_late_look_does_not_say_one_of_what_it_has_left_out(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = publish(kit)
    older = moment_of(server.posts[0]) - timedelta(hours=1)
    server.posts.append({**server.posts[0], "id": "99", "at": older.isoformat()})
    clock.offset += timedelta(minutes=16)
    kit.work(wait=0)
    last = kit.history(report.id)[-1]
    assert (last.event, "older" in last.reason) == ("audit", True)


def test_a_store_that_is_busy_in_that_turn_is_asked_again(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = Agenda.wake

    def busy(self: Agenda, delivery_ids: Any = None) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise StoreBusy("locked")
        return real(self, delivery_ids)

    monkeypatch.setattr(Agenda, "wake", busy)
    clock = HandClock()
    clock.offset += YEARS
    with Kit(home=tmp_path, key=KEY, plugins=[Plugin(Board())], clock=clock) as kit:
        kit.connect("board", {"token": TOKEN}, endpoint=server.url)
        kit.accept(kit.plan("Hello", ["board"]))
        set_back(clock)
        worker = kit.worker()
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            assert came(lambda: server.creates == 1)
        finally:
            worker.stop()
            thread.join(10)
    assert len(calls) == 2

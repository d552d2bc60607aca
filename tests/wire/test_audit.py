"""The late look at what is live: a second post is found and reported, and no other one is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from postkit.errors import Throttled
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing
from postkit.plan import Wishes
from postkit.post import Post
from postkit.transport import Session

from .board import Board, HandClock, Server, listed, publish, states

QUARTER = timedelta(minutes=15, seconds=1)
DAY = timedelta(hours=24, seconds=1)


def later(kit: Kit, clock: HandClock, step: timedelta) -> None:
    """Time passes, and a worker comes by."""
    clock.offset += step
    kit.work(wait=0)


def events(kit: Kit, delivery: str) -> list[str]:
    return [row.event for row in kit.history(delivery) if row.event in ("audit", "duplicate")]


def add(server: Server, text: str, at: datetime) -> None:
    """Somebody posts it past us."""
    post = {"id": str(len(server.posts) + 1), "at": at.isoformat(), "text": text}
    server.posts.append(post)


def test_it_looks_after_a_quarter_and_after_a_day_and_then_no_more(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = publish(kit)
    looks = server.looks
    later(kit, clock, timedelta(minutes=14))
    assert server.looks == looks
    later(kit, clock, timedelta(minutes=1, seconds=1))
    assert server.looks == looks + 1
    later(kit, clock, timedelta(hours=23))
    assert server.looks == looks + 1
    later(kit, clock, timedelta(hours=1))
    assert server.looks == looks + 2
    later(kit, clock, timedelta(days=30))
    assert server.looks == looks + 2
    assert events(kit, report.id) == ["audit", "audit"]
    assert kit.report(report.id).deliveries[0].copies == ()
    assert kit.report(report.id).warnings == ()


def test_a_second_post_is_found_and_reported_and_not_deleted(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = publish(kit)
    add(server, "Hello", clock.now() + timedelta(seconds=3))
    later(kit, clock, QUARTER)
    found = kit.report(report.id)
    assert found.deliveries[0].copies == ("https://board.example/2",)
    assert found.deliveries[0].state == "live"
    assert "https://board.example/2" in found.warnings[0]
    assert "twice" in found.warnings[0]
    assert found.deliveries[0].to_json()["copies"] == ["https://board.example/2"]
    assert len(server.posts) == 2
    # It stays reported where it is gone by the second look.
    del server.posts[1]
    later(kit, clock, DAY)
    assert kit.report(report.id).deliveries[0].copies == ("https://board.example/2",)
    assert events(kit, report.id) == ["duplicate", "audit"]


def test_a_second_post_that_appears_within_a_day_is_found_by_the_second_look(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = publish(kit)
    later(kit, clock, QUARTER)
    add(server, "Hello", clock.now())
    later(kit, clock, DAY)
    assert events(kit, report.id) == ["audit", "duplicate"]
    assert len(kit.report(report.id).deliveries[0].copies) == 1


def test_a_repeat_that_the_network_took_twice_is_found(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    """The network lied: it declared that absence proves something."""
    board.promise = Guarantee("key", quiet=0.2, resend_when_absent=True)
    server.script = ["lose"]
    server.hidden = True
    report = publish(kit)
    server.hidden = False
    assert (report.state, len(server.posts)) == ("live", 2)
    later(kit, clock, QUARTER)
    assert kit.report(report.id).deliveries[0].copies == ("https://board.example/1",)


def test_an_older_post_of_the_user_is_no_duplicate(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    add(server, "Hello", datetime.now(UTC) - timedelta(hours=1))
    report = publish(kit)
    later(kit, clock, QUARTER)
    assert kit.report(report.id).deliveries[0].copies == ()
    assert events(kit, report.id) == ["audit"]


def test_our_own_second_post_of_the_same_text_is_no_duplicate(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    first = publish(kit)
    kit.publish("Hello", ["board"], wishes=Wishes(again=True))
    later(kit, clock, QUARTER)
    assert len(server.posts) == 2
    assert [report.deliveries[0].copies for report in kit.publications()] == [(), ()]
    assert events(kit, first.id) == ["audit"]


def test_each_part_of_a_thread_is_looked_at(kit: Kit, server: Server, clock: HandClock) -> None:
    report = publish(kit, Post(["one", "two"]))
    add(server, "two", clock.now())
    later(kit, clock, QUARTER)
    parts = [row.part_id for row in kit.history(report.id) if row.event == "duplicate"]
    assert parts == [report.parts[1].id]
    assert len(kit.report(report.id).deliveries[0].copies) == 1


def test_a_post_that_is_gone_from_the_list_stays_live_with_a_remark(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = publish(kit)
    server.posts.clear()
    later(kit, clock, QUARTER)
    assert states(kit, report.id) == ["LIVE"]
    assert "not among" in kit.history(report.id)[-1].reason
    assert server.creates == 1


def failing(times: int) -> Callable[[Session, Outgoing], list[object]]:
    left = [times]

    def find(client: Session, outgoing: Outgoing) -> list[object]:
        if left[0]:
            left[0] -= 1
            raise Throttled("The network is slow.")
        return list(listed(client, outgoing))

    return find


def test_a_network_that_cannot_be_asked_is_asked_again(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    report = publish(kit)
    add(server, "Hello", clock.now())
    board.finding = failing(2)
    later(kit, clock, QUARTER)
    assert kit.report(report.id).deliveries[0].copies == ()
    later(kit, clock, timedelta(minutes=61))
    later(kit, clock, timedelta(minutes=61))
    assert len(kit.report(report.id).deliveries[0].copies) == 1
    assert events(kit, report.id) == ["audit", "audit", "duplicate"]


def test_a_network_that_can_never_be_asked_is_left_alone_after_three_days(
    kit: Kit, board: Board, clock: HandClock
) -> None:
    report = publish(kit)
    board.finding = failing(10_000)
    for _ in range(5):
        later(kit, clock, DAY)
    tries = len(events(kit, report.id))
    later(kit, clock, DAY)
    assert len(events(kit, report.id)) == tries
    assert states(kit, report.id) == ["LIVE"]


def test_what_was_deleted_is_not_looked_at(kit: Kit, server: Server, clock: HandClock) -> None:
    report = publish(kit)
    kit.delete(report.id)
    looks = server.looks
    later(kit, clock, QUARTER)
    assert server.looks == looks
    assert events(kit, report.id) == []


def test_one_remote_post_settles_one_part(kit: Kit, server: Server, clock: HandClock) -> None:
    """Two posts of one text, both in doubt, one of them there: one is live, one is a question."""
    server.script = ["lose", "drop"]
    server.hidden = True
    first = publish(kit, wait=0)
    second = kit.publish("Hello", ["board"], wait=0, wishes=Wishes(again=True)).deliveries[0]
    assert len(server.posts) == 1
    server.hidden = False
    names = [str(each.id) for each in (first, second)]
    for name in names:
        kit.finish(name, wait=60)
    found = sorted(kit.report(name).deliveries[0].state for name in names)
    assert found == ["live", "uncertain"]
    later(kit, clock, QUARTER)
    assert all(not report.deliveries[0].copies for report in kit.publications())

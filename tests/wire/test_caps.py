"""An account's own caps: a burst waits, a day's fill is held for a person, none of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from postkit.deliver.caps import DEFAULT, DEFAULT_SOURCE, Caps, caps_of
from postkit.errors import InputError, NeedsLogin, Throttled, Unavailable
from postkit.kit import Kit
from postkit.network import Account, Guarantee, Outgoing, Receipt
from postkit.post import Post
from postkit.transport import Session

from .board import Board, HandClock, Server, kit_of, publish, send


@contextmanager
def capped(
    folder: Path, server: Server, board: Board, clock: HandClock, settings: str
) -> Iterator[Kit]:
    (folder / "postkit.toml").write_text(f"[networks.board]\n{settings}\n", "utf-8")
    with kit_of(folder, server, board, clock) as kit:
        yield kit


def test_the_day_is_full_and_a_person_is_asked(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    with capped(tmp_path, server, board, clock, "cap_per_day = 2") as kit:
        assert publish(kit, "one").state == "live"
        assert publish(kit, "two").state == "live"
        third = kit.publish("three", ["board"], wait=60)
        [held] = third.deliveries
        assert (held.state, held.held_reason, third.exit_status) == ("held", "cap", 4)
        [line] = [row for row in kit.history(held.id or "") if row.event == "hold"]
        assert "board:board has sent 2 posts in 24 hours" in line.reason
        assert f"postkit release {held.id}" in line.reason
        assert "cap_per_day" in line.reason
        assert server.creates == 2
        assert kit.finish(held.id or "", wait=0).deliveries[0].state == "held"
        kit.release(held.id or "")
        assert kit.finish(held.id or "", wait=10).ok, "a person's word goes first"
        assert server.creates == 3
        assert publish(kit, "four").state == "held", "and does not open the cap"


def test_a_day_later_it_goes_on(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    with capped(tmp_path, server, board, clock, "cap_per_day = 1") as kit:
        assert publish(kit, "one").state == "live"
        clock.offset += timedelta(hours=23)
        assert publish(kit, "two").state == "held", "any 24 hours, not a calendar's day"
        clock.offset += timedelta(hours=4)
        assert publish(kit, "three").state == "live"


def test_a_burst_waits_and_goes_on_by_itself_in_order(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    settings = "cap_burst = 2\ncap_burst_minutes = 10"
    with capped(tmp_path, server, board, clock, settings) as kit:
        start = clock.now()
        for text in ("one", "two", "three"):
            kit.schedule(text, ["board"], at="in 1s")
        clock.offset += timedelta(seconds=2)
        kit.work(wait=0)
        [waiting] = kit.queue()
        assert (waiting.state, server.creates) == ("scheduled", 2)
        assert waiting.error is not None
        assert "2 posts in 10 minutes" in waiting.error["message"]
        kit.work(wait=1200)
        assert [post["text"] for post in server.posts] == ["one", "two", "three"]
        assert clock.now() - start >= timedelta(minutes=10)


def test_each_part_of_a_thread_counts_and_one_word_frees_all_of_it(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    thread = Post(["one", "two", "three", "four"])
    with capped(tmp_path, server, board, clock, "cap_per_day = 2\ncap_burst = 3") as kit:
        plan = kit.plan(thread, ["board"])
        assert [warning.partition(", and")[0] for warning in plan.warnings] == [
            "board:board: 4 parts",
            "board:board: 4 parts",
        ]
        assert "held" in plan.warnings[0]
        assert "follows later" in plan.warnings[1]
        report = publish(kit, thread)
        states = [part.state for part in report.parts]
        assert states == ["LIVE", "LIVE", "HELD", "SCHEDULED"]
        kit.release(report.id)
        assert kit.finish(report.id, wait=30).ok
        assert [post["parent"] for post in server.posts] == ["", "1", "2", "3"]


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("Nobody is there.", network="board"),
        Throttled("Slow down.", network="board"),
        NeedsLogin("Who are you?", network="board"),
    ],
)
def test_what_was_not_accepted_does_not_count(
    tmp_path: Path, server: Server, board: Board, clock: HandClock, error: Exception
) -> None:
    left = [3]

    def refused(client: Session, outgoing: Outgoing) -> Receipt:
        if left[0]:
            left[0] -= 1
            raise error
        return send(client, outgoing)

    board.sending = refused
    with capped(tmp_path, server, board, clock, "cap_per_day = 1") as kit:
        report = publish(kit, "one", wait=60)
        while left[0]:
            report = kit.finish(report.id, wait=60).deliveries[0]
        assert kit.finish(report.id, wait=60).deliveries[0].state == "live"
        assert publish(kit, "two").state == "held"


def test_a_repeat_is_no_further_post(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    """What may be live has been counted: to hold its repeat would leave the question open."""
    board.promise = Guarantee("key", quiet=0.1, key_ttl=3000, resend_when_absent=True)
    server.script = ["drop"]
    with capped(tmp_path, server, board, clock, "cap_per_day = 1") as kit:
        assert publish(kit, "one", wait=600).state == "live"
        assert server.creates == 2
        assert publish(kit, "two").state == "held"


def test_nothing_is_uploaded_for_what_would_be_held(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    prepared: list[str] = []
    board.preparing = lambda _client, part, _journal: prepared.append(part.text)
    with capped(tmp_path, server, board, clock, "cap_per_day = 1") as kit:
        publish(kit, "one")
        assert publish(kit, "two").state == "held"
        assert prepared == ["one"]


def test_another_content_or_time_needs_another_word(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    with capped(tmp_path, server, board, clock, "cap_per_day = 1") as kit:
        publish(kit, "one")
        held = publish(kit, "two")
        kit.pause(["board"])
        with pytest.raises(InputError, match="paused"):
            kit.release(held.id)
        kit.unpause(["board"])
        kit.release(held.id)
        kit.edit(held.id, Post("three"))
        assert kit.finish(held.id, wait=5).deliveries[0].state == "held"
        assert server.creates == 1


def test_a_clock_that_was_ahead_does_not_fill_the_day(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    with capped(tmp_path, server, board, clock, "cap_per_day = 2") as kit:
        clock.offset += timedelta(days=400)
        publish(kit, "one")
        publish(kit, "two")
        clock.offset -= timedelta(days=400)
        assert publish(kit, "three").state == "held"
        clock.offset += timedelta(hours=27)
        assert publish(kit, "four").state == "live"


def test_each_account_has_its_own_and_the_network_may_have_another() -> None:
    account = Account("a_1", "board", "one", settings={"cap_per_day": "none", "cap_burst": 7})
    assert caps_of(account) == Caps(None, 7, 5)
    assert caps_of(Account("a_2", "board", "two")) == DEFAULT
    assert DEFAULT_SOURCE.checked is not None
    assert [need.bucket for need in Caps(None, 1, 5).needs()] == ["cap/burst"]


@pytest.mark.parametrize(
    "setting",
    [
        "cap_per_day = 0", "cap_per_day = -1", "cap_per_day = 1.5", "cap_per_day = true",
        'cap_per_day = "many"', "cap_burst = 0", "cap_burst_minutes = 1441",
        'cap_burst_minutes = "none"', "cap_per_day = 9999999",
    ],
)  # fmt: skip
def test_a_cap_that_is_none_is_told_before_anything_is_sent(
    tmp_path: Path, server: Server, board: Board, clock: HandClock, setting: str
) -> None:
    name = setting.partition(" ")[0]
    with capped(tmp_path, server, board, clock, setting) as kit:
        with pytest.raises(InputError, match=rf"board:board: {name} must be") as caught:
            publish(kit, "one")
        assert len(caught.value.problems) == 1
    assert server.creates == 0

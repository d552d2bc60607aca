"""A delivery comes through: never two posts, none lost, no part stuck, whatever breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import InputError, PlanRefused, Throttled
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.plan import Wishes
from postkit.post import Post
from postkit.transport import Session

from .board import (
    TOKEN,
    Board,
    HandClock,
    Server,
    kit_of,
    listed,
    publish,
    send,
)

THREAD = Post(["one", "two", "three"])


# A repeat


def test_a_repeat_whose_key_has_died_meanwhile_is_not_sent(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    board.promise = Guarantee("key", quiet=1, key_ttl=3000, resend_when_absent=True)
    server.script = ["lose", (429, '{"error": "slow"}', {"Retry-After": "7200"})]
    server.hidden = True
    report = publish(kit, wait=60)
    assert server.creates == 2, "the first look found nothing, so it was repeated"
    server.hidden = False
    clock.offset += timedelta(hours=3)
    report = kit.finish(report.id, wait=60).deliveries[0]
    assert report.state == "live"
    assert (server.creates, len(server.posts)) == (2, 1)


def test_two_programs_that_publish_the_same_text_at_once_send_one(kit: Kit, server: Server) -> None:
    plans = [kit.plan("Hello", ["board"]) for _ in range(2)]
    kit.finish(kit.accept(plans[0]))
    with pytest.raises(PlanRefused, match="same text"):
        kit.accept(plans[1])
    assert len(server.posts) == 1
    again = kit.plan("Hello", ["board"], wishes=Wishes(again=True))
    kit.finish(kit.accept(again))
    assert len(server.posts) == 2


def test_an_id_that_settles_another_post_becomes_a_question(kit: Kit, board: Board) -> None:
    first = publish(kit, "Hello")

    def same_id(client: Session, outgoing: Outgoing) -> Receipt:
        return Receipt(first.parts[0].remote_id, send(client, outgoing).url)

    board.sending = same_id
    board.finding = lambda *_: []
    second = publish(kit, "Other")
    assert second.state == "uncertain"
    assert first.parts[0].id in second.question["text"]
    board.sending = send
    done = kit.resolve(second.id, resend=True).deliveries[0]
    assert done.state == "live"


# Patience


@pytest.mark.parametrize("after", ["0", "-5", "Mon, 01 Jan 2001 00:00:00 GMT"])
def test_a_limit_that_is_over_already_is_no_hot_loop(kit: Kit, server: Server, after: str) -> None:
    server.script = [(429, '{"error": "slow"}', {"Retry-After": after})] * 500
    report = publish(kit, wait=30)
    assert report.state == "scheduled"
    assert server.creates <= 6


@pytest.mark.parametrize("after", ["\xb2", "9" * 400, "99999999999999", "Mon, 99 Foo 99999999999"])
def test_a_limit_that_makes_no_sense_is_a_limit(kit: Kit, server: Server, after: str) -> None:
    server.script = [(429, '{"error": "slow"}', {"Retry-After": after})]
    assert publish(kit, wait=30).state == "live"
    assert server.creates == 2


def test_no_network_can_put_a_post_off_for_a_year(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    server.script = [(429, '{"error": "slow"}', {"Retry-After": "31536000"})]
    report = kit.publish(Post("Hello", expires="2d"), ["board"], wait=0).deliveries[0]
    assert report.id is not None
    clock.offset += timedelta(days=1, minutes=1)
    assert kit.finish(report.id, wait=0).deliveries[0].state == "live"


def test_a_moment_without_a_zone_is_utc(kit: Kit, board: Board, server: Server) -> None:
    def limited(client: Session, outgoing: Outgoing) -> Receipt:
        board.sending = send
        raise Throttled("slow", retry_at=datetime.now(UTC).replace(tzinfo=None))

    board.sending = limited
    assert publish(kit, wait=30).state == "live"


def test_a_wait_that_is_no_number_of_seconds_is_refused_before_anything(
    kit: Kit, server: Server
) -> None:
    for wait in (float("nan"), float("inf"), 1e300, -1.0):
        with pytest.raises(InputError, match="wait"):
            publish(kit, wait=wait)
    assert server.posts == []
    assert kit.publications() == []


# Doubt


@pytest.mark.parametrize("answer", ["refuses", "none", "rubbish", "naive", "defect"])
def test_a_look_that_never_works_ends_with_a_question(
    kit: Kit, server: Server, board: Board, answer: str
) -> None:
    def finding(client: Session, outgoing: Outgoing) -> Any:
        if answer == "refuses":
            client.post(client.base + "/refused").raise_for_status()
        if answer == "none":
            return None
        if answer == "rubbish":
            return ["post"]
        if answer == "defect":
            raise KeyError(TOKEN)
        found = listed(client, outgoing)[0]
        return [type(found)(found.receipt, found.at.replace(tzinfo=None))]

    board.finding = finding
    server.script = ["lose"] + [(403, '{"error": "no scope"}', {})] * 50
    report = publish(kit, wait=600)
    assert report.state == "uncertain"
    assert TOKEN not in str(report.question)
    done = kit.resolve(report.id, is_live="https://board.example/1").deliveries[0]
    assert done.state == "live"


def test_a_network_that_stays_away_for_a_day_is_asked_of_a_person(
    kit: Kit, server: Server, board: Board, clock: HandClock
) -> None:
    server.script = ["lose"] + [(503, '{"error": "down"}', {})] * 50
    board.finding = lambda client, outgoing: client.post(client.base + "/x").raise_for_status()
    report = publish(kit, wait=60)
    assert report.state == "checking"
    clock.offset += timedelta(hours=25)
    assert kit.finish(report.id, wait=60).deliveries[0].state == "uncertain"


def test_one_post_that_is_listed_twice_is_one(kit: Kit, server: Server, board: Board) -> None:
    board.finding = lambda client, outgoing: listed(client, outgoing) * 2
    server.script = ["lose"]
    assert publish(kit).state == "live"


# What a plugin does wrong


@pytest.mark.parametrize("result", [None, "17", {"id": "17"}, Receipt(17)])  # type: ignore[arg-type]
def test_what_is_no_receipt_is_in_doubt(
    kit: Kit, server: Server, board: Board, result: Any
) -> None:
    def wrong(client: Session, outgoing: Outgoing) -> Any:
        send(client, outgoing)
        return result

    board.sending = wrong
    report = publish(kit)
    assert report.state == "live"
    assert (report.parts[0].remote_id, len(server.posts)) == ("1", 1)


def test_a_receipt_that_cannot_be_stored_keeps_its_id(
    kit: Kit, server: Server, board: Board
) -> None:
    def wrong(client: Session, outgoing: Outgoing) -> Receipt:
        receipt = send(client, outgoing)
        return Receipt(receipt.id, f"{receipt.url}/\ud800", {"at": datetime.now(UTC)})

    board.sending = wrong
    board.finding = lambda *_: []
    report = publish(kit)
    assert (report.state, report.parts[0].remote_id) == ("live", "1")


@pytest.mark.parametrize("problem", [SystemExit(5), GeneratorExit()])
def test_a_plugin_that_ends_the_program_is_in_doubt(
    kit: Kit, server: Server, board: Board, problem: BaseException
) -> None:
    def wrong(client: Session, outgoing: Outgoing) -> Receipt:
        send(client, outgoing)
        raise problem

    board.sending = wrong
    assert publish(kit).state == "live"
    assert len(server.posts) == 1


def test_a_classify_that_breaks_is_in_doubt(
    kit: Kit, server: Server, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Board, "classify", lambda *_: None)
    server.script = ["lose"]
    assert publish(kit).state == "live"
    assert len(server.posts) == 1


def test_an_error_text_that_no_store_can_hold_is_still_a_no(kit: Kit, server: Server) -> None:
    server.script = [(422, '{"error": "bad \\ud800 text"}', {})]
    report = publish(kit)
    assert report.state == "failed"
    report.error["message"].encode("utf-8")


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), b"id"])
def test_a_journal_takes_what_the_store_can_hold(
    kit: Kit, server: Server, board: Board, value: Any
) -> None:
    def preparing(client: Session, part: Any, journal: Any) -> None:
        client.get(client.base + "/posts")
        journal["media"] = value

    board.preparing = preparing
    before = server.looks
    report = publish(kit, wait=0)
    assert report.state == "failed"
    assert "media" in report.error["message"]
    assert server.looks == before + 1


def test_no_secret_reaches_who_watches(kit: Kit, board: Board) -> None:
    def leaking(client: Session, part: Any, journal: Any) -> None:
        raise ValueError(f"no use of {TOKEN}")

    board.preparing = leaking
    seen: list[str] = []
    kit.publish("Hello", ["board"], watch=lambda progress: seen.append(progress.text))
    assert any("no use of" in text for text in seen)
    assert TOKEN not in str(seen)


def test_a_watcher_that_breaks_changes_nothing(kit: Kit, server: Server) -> None:
    def broken(progress: Any) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    assert kit.publish("Hello", ["board"], watch=broken).ok
    assert server.creates == 1


# Threads


def test_a_part_that_was_refused_keeps_no_account(kit: Kit, server: Server) -> None:
    server.script = ["ok", (422, '{"error": "no"}', {})]
    report = publish(kit, THREAD)
    assert [part.state for part in report.parts] == ["LIVE", "FAILED", "HELD"]
    kit.remove_account("board:board")
    assert kit.accounts == []


def test_deleting_a_thread_that_waits_sends_nothing_more(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    server.script = ["ok", (429, '{"error": "slow"}', {"Retry-After": "3600"})]
    report = publish(kit, THREAD, wait=0)
    assert [part.state for part in report.parts] == ["LIVE", "SCHEDULED", "SCHEDULED"]
    assert kit.delete(report.id).deliveries[0].state == "cancelled"
    clock.offset += timedelta(hours=2)
    kit.finish(report.id)
    assert (server.creates, server.posts) == (2, [])
    kit.delete(report.id)


def test_a_middle_part_that_a_person_found_goes_on(kit: Kit, server: Server, board: Board) -> None:
    board.promise = Guarantee("blind")
    server.script = ["ok", "lose"]
    report = publish(kit, THREAD)
    assert [part.state for part in report.parts] == ["LIVE", "UNCERTAIN", "HELD"]
    done = kit.resolve(report.id, is_live="https://board.example/2/?utm=1").deliveries[0]
    assert done.state == "live"
    assert [post["parent"] for post in server.posts] == ["", "1", "2"]


def test_a_long_thread_is_put_off_no_longer_for_each_part(
    tmp_path: Path, server: Server, board: Board, clock: HandClock
) -> None:
    (tmp_path / "postkit.toml").write_text('[networks.board]\ncap_burst = "none"\n', "utf-8")
    post = Post([f"part {number}" for number in range(50)])
    server.script = [(429, '{"error": "slow"}', {}), "ok"] * 50
    before = clock.now()
    with kit_of(tmp_path, server, board, clock) as kit:
        assert publish(kit, post, wait=3600).state == "live"
    assert clock.now() - before < timedelta(minutes=5)
    assert len(server.posts) == 50

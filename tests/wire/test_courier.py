"""A delivery comes through: never two posts, none lost, no part stuck, whatever breaks."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import InputError, PlanRefused, PostkitError, StoreBusy, Throttled, Unavailable
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.plan import Wishes
from postkit.post import Post
from postkit.transport import Session

from .board import TOKEN, Board, HandClock, Server, kit_of, listed, send, serving

THREAD = Post(["one", "two", "three"])


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def kit(tmp_path: Path, server: Server, board: Board, clock: HandClock) -> Iterator[Kit]:
    with kit_of(tmp_path, server, board, clock) as kit:
        yield kit


def states(kit: Kit, name: str) -> list[str]:
    return [part.state for part in kit.report(name).deliveries[0].parts]


def publish(kit: Kit, post: Any = "Hello", wait: float = 10) -> Any:
    return kit.publish(post, ["board"], wait=wait).deliveries[0]


def sql(kit: Kit, statement: str) -> None:
    with sqlite3.connect(kit.home.store_path) as raw:
        raw.execute(statement)
    raw.close()


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
    report = publish(kit, wait=0)
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
    kit: Kit, server: Server, clock: HandClock
) -> None:
    post = Post([f"part {number}" for number in range(50)])
    server.script = [(429, '{"error": "slow"}', {}), "ok"] * 50
    before = clock.now()
    assert publish(kit, post, wait=3600).state == "live"
    assert clock.now() - before < timedelta(minutes=5)
    assert len(server.posts) == 50


# The answer of a person


@pytest.mark.parametrize("link", ["", "/", "https://board.example/show?id=1"])
def test_a_link_settles_the_post_that_it_names_alone(
    kit: Kit, server: Server, board: Board, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.promise = Guarantee("blind")
    server.script = ["lose"]
    report = publish(kit)
    server.posts.append({**server.posts[0], "id": "7", "url": "https://board.example/show?id=7"})
    server.posts.append({**server.posts[0], "id": "8", "url": None})
    with pytest.raises(InputError, match="not among"):
        kit.resolve(report.id, is_live=link)
    done = kit.resolve(report.id, is_live="https://board.example/show?id=7").deliveries[0]
    assert done.parts[0].remote_id == "7"


# The vault


def test_a_vault_that_cannot_be_opened_fails_no_post(
    tmp_path: Path, server: Server, board: Board
) -> None:
    server.script = [(429, '{"error": "slow"}', {})]
    with kit_of(tmp_path, server, board) as kit:
        report = publish(kit, wait=0)
    with kit_of(tmp_path, server, board, HandClock()) as other:
        other._key = b"x" * 32
        found = other.finish(report.id, wait=5).deliveries[0]
        assert found.state == "scheduled"
        assert "another key" in str(found.error)
    with kit_of(tmp_path, server, board, HandClock()) as kit:
        assert kit.finish(report.id, wait=5).deliveries[0].state == "live"


def test_an_account_whose_secret_is_lost_can_be_connected_again(kit: Kit, server: Server) -> None:
    server.script = [(429, '{"error": "slow"}', {})]
    report = publish(kit, wait=0)
    kit.clients.drop(kit.account("board:board").id)
    kit.vault().delete(kit.account("board:board").id)
    assert kit.finish(report.id).deliveries[0].state == "scheduled"
    kit.connect("board", {"token": TOKEN}, endpoint=server.url)
    assert kit.finish(report.id).deliveries[0].state == "live"


def test_an_account_with_an_open_post_keeps_its_secret(kit: Kit, server: Server) -> None:
    server.script = [(429, '{"error": "slow"}', {})]
    publish(kit, wait=0)
    with pytest.raises(InputError, match="not settled"):
        kit.remove_account("board:board")
    assert kit.vault().get(kit.account("board:board").id) == {"token": TOKEN}


# One process, many threads


def test_one_name_used_at_the_same_moment_is_one_publication(
    tmp_path: Path, server: Server, board: Board
) -> None:
    kit = kit_of(tmp_path, server, board)
    gate = threading.Barrier(4)
    reports: list[Any] = []

    def run() -> None:
        gate.wait(5)
        reports.append(kit.publish("Hello", ["board"], once="order-1", wait=10))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [report.ok for report in reports] == [True] * 4
    assert len({report.publication for report in reports}) == 1
    assert len(server.posts) == 1
    kit.close()


def test_a_name_or_target_that_is_no_text_is_refused(kit: Kit, server: Server) -> None:
    with pytest.raises(InputError, match="once"):
        kit.publish("Hello", ["board"], once="order-\udcff")
    with pytest.raises(InputError):
        kit.publish("Hello", ["board:board/\udcff"])
    assert server.posts == []


def test_a_file_with_an_undecodable_name_is_published(
    kit: Kit, server: Server, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/post-\xff.md"))
    path.write_text("Hello")
    assert kit.publish(path, ["board"]).ok
    path.write_text("Hello once more")
    with pytest.raises(PlanRefused, match="same file"):
        kit.publish(path, ["board"])


# The store


@pytest.mark.parametrize("event", ["claim", "prepared", "send", "accepted"])
def test_a_store_that_refuses_one_commit_loses_nothing(
    kit: Kit, server: Server, board: Board, event: str
) -> None:
    def preparing(client: Session, part: Any, journal: Any) -> None:
        journal["media"] = "1"

    board.preparing = preparing
    board.finding = lambda *_: []
    board.promise = Guarantee("blind")
    sql(
        kit,
        f"CREATE TRIGGER full BEFORE INSERT ON history WHEN NEW.event = '{event}' "
        "BEGIN SELECT raise(FAIL, 'database or disk is full'); END",
    )
    with pytest.raises(PostkitError, match="full"):
        publish(kit)
    sql(kit, "DROP TRIGGER full")
    name = kit.publications()[0].deliveries[0].id
    assert name is not None
    report = kit.finish(name, wait=10).deliveries[0]
    assert report.state == "live"
    assert len(server.posts) == 1


@pytest.mark.parametrize("event", ["doubt", "ask"])
def test_a_store_that_refuses_a_doubt_keeps_it(
    kit: Kit, server: Server, board: Board, event: str
) -> None:
    board.promise = Guarantee("blind")
    server.script = ["lose"]
    sql(
        kit,
        f"CREATE TRIGGER full BEFORE INSERT ON history WHEN NEW.event = '{event}' "
        "BEGIN SELECT raise(FAIL, 'database or disk is full'); END",
    )
    with pytest.raises(PostkitError, match="full"):
        publish(kit)
    sql(kit, "DROP TRIGGER full")
    name = kit.publications()[0].deliveries[0].id
    assert name is not None
    assert kit.finish(name, wait=10).deliveries[0].state == "uncertain"
    assert len(server.posts) == 1


def test_a_store_that_is_closed_meanwhile_keeps_the_receipt(
    tmp_path: Path, server: Server, board: Board
) -> None:
    kit = kit_of(tmp_path, server, board)
    board.promise = Guarantee("blind")

    def closing(client: Session, outgoing: Outgoing) -> Receipt:
        receipt = send(client, outgoing)
        kit.close()
        return receipt

    board.sending = closing
    with pytest.raises(PostkitError):
        publish(kit)
    with kit_of(tmp_path, server, board, HandClock()) as again:
        name = again.publications()[0].deliveries[0].id
        assert name is not None
        assert again.finish(name, wait=10).deliveries[0].state == "live"
    assert len(server.posts) == 1


def test_neither_store_nor_spool_takes_the_receipt_and_the_error_tells_it(
    kit: Kit, server: Server
) -> None:
    kit.home.store_path.with_name("receipts.jsonl").mkdir()
    sql(
        kit,
        "CREATE TRIGGER full BEFORE INSERT ON history WHEN NEW.event = 'accepted' "
        "BEGIN SELECT raise(FAIL, 'database or disk is full'); END",
    )
    with pytest.raises(StoreBusy, match=r"board\.example/1"):
        publish(kit)


def test_a_picture_that_was_damaged_in_the_store_is_put_right_by_the_next_post(
    tmp_path: Path,
) -> None:
    from postkit.store.media import MediaFiles

    media = MediaFiles(tmp_path)
    sha256 = media.put(b"a picture")
    media.path(sha256).write_bytes(b"a pictUre")
    assert media.get(media.put(b"a picture")) == b"a picture"


# Access


class Renewing(Board):
    """A board whose token can be renewed."""

    renewing: Any = staticmethod(lambda: None)

    def refresh(self, client: Session) -> None:
        self.renewing()


def test_a_token_server_that_is_away_takes_no_account_away(tmp_path: Path, server: Server) -> None:
    board = Renewing()
    tries: list[str] = []

    def renewing() -> None:
        tries.append("renew")
        if len(tries) == 1:
            raise Unavailable("The token server is away.")

    board.renewing = renewing
    server.script = [(401, '{"error": "expired"}', {})] * 2
    with kit_of(tmp_path, server, board, HandClock()) as kit:
        report = publish(kit)
        assert report.state == "live"
        assert kit.account("board:board").state == "ok"
    assert len(tries) == 2


def test_new_access_is_proved_by_itself_and_not_by_the_old_connection(
    kit: Kit, server: Server, board: Board
) -> None:
    publish(kit)
    seen: list[str] = []
    board.connecting = lambda secrets: seen.append(secrets["token"].reveal())
    sql(kit, "UPDATE account SET state = 'needs_login'")
    kit.connect("board", {"token": "pk_canary_another"}, endpoint=server.url)
    assert seen == ["pk_canary_another"]


def test_a_clock_that_goes_back_keeps_nobody_waiting(
    kit: Kit, server: Server, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script = [(429, '{"error": "slow"}', {"Retry-After": "20"})] * 3
    slept: list[float] = []

    def back(seconds: float) -> None:
        if not slept:
            clock.offset -= timedelta(hours=1)
        slept.append(seconds)

    monkeypatch.setattr(clock, "sleep", back)
    monkeypatch.setattr(clock, "monotonic", lambda: sum(slept))
    publish(kit, wait=30)
    assert sum(slept) < 61

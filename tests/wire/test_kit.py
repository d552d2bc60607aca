"""A Kit stays honest: links that people give, lost secrets, threads, a store that refuses."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import InputError, PlanRefused, PostkitError, StoreBusy, Unavailable
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.post import Post
from postkit.transport import Session

from .board import (
    TOKEN,
    Board,
    HandClock,
    Server,
    kit_of,
    publish,
    send,
    sql,
)

THREAD = Post(["one", "two", "three"])


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
    with pytest.raises(InputError, match="not among" if link else "is empty"):
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


def test_a_repeat_that_is_given_up_may_be_live_and_is_not_called_cancelled(
    kit: Kit, server: Server, board: Board
) -> None:
    board.promise = Guarantee("key", quiet=0.1, key_ttl=3000, resend_when_absent=True)
    server.hidden = True
    server.script = ["lose", (429, '{"error": "slow"}', {"Retry-After": "600"})]
    report = kit.publish("Hello", ["board"], wait=30).deliveries[0]
    assert (report.state, len(server.posts)) == ("scheduled", 1)
    given_up = kit.resolve(report.id or "", give_up=True).deliveries[0]
    assert given_up.state == "failed"
    assert given_up.error is not None
    assert "gave it up" in given_up.error["message"]

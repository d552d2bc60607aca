"""Real processes: killed between any two commits, or two at one delivery, they send one post."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import StoreError
from postkit.kit import Kit
from postkit.network import Guarantee, Outgoing, Receipt
from postkit.post import Post
from postkit.transport import Session

from .board import Board, Server, kit_of, listed, send, serving

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.wire.board import Board, Server, kit_of
from postkit.network import Guarantee
import postkit.store.database as database

# A shell ignores SIGINT for what it runs in the background, and a child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
home, url, name, at = sys.argv[1:5]
left = int(at)
commit = database.Database._commit


def killing(self, batch):
    global left
    commit(self, batch)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


if left:
    database.Database._commit = killing
board = Board(Guarantee("read_back", quiet=0.2))
board.preparing = lambda client, part, journal: journal.setdefault("media", "1")
kit = kit_of(Path(home), Server(url), board)
print(kit.finish(name, wait=20).deliveries[0].state)
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def start(kit: Kit, server: Server, name: str, at: int = 0) -> subprocess.Popen[str]:
    program = PROGRAM.format(root=str(ROOT))
    arguments = [sys.executable, "-c", program, str(kit.home.path), server.url, name, str(at)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def accepted(tmp_path: Path, server: Server) -> Iterator[tuple[Kit, str]]:
    with kit_of(tmp_path, server, Board()) as kit:
        publication = kit.accept(kit.plan(Post(["one", "two", "three"]), ["board"]))
        delivery = kit.report(publication).deliveries[0].id
        assert delivery is not None
        yield kit, delivery


def test_a_kill_after_any_commit_loses_and_doubles_nothing(
    accepted: tuple[Kit, str], server: Server
) -> None:
    kit, _ = accepted
    at = 0
    code = -signal.SIGKILL
    while code == -signal.SIGKILL and at < 20:
        at += 1
        server.posts.clear()
        texts = [f"{number} of run {at}" for number in (1, 2)]
        publication = kit.accept(kit.plan(Post(texts), ["board"]))
        name = kit.report(publication).deliveries[0].id
        assert name is not None
        # Ids must not come back, and the server makes them by counting.
        gone = {"id": "-", "at": "2026-01-01T00:00:00+00:00", "text": ""}
        server.posts.extend([gone] * (at * 10))
        process = start(kit, server, name, at)
        process.communicate(timeout=30)
        code = process.returncode
        report = kit.finish(name, wait=20).deliveries[0]
        if report.state == "uncertain":
            # Killed between SENDING and the socket: only a person may say that nothing left.
            asked = report.question["part"] if report.question else 0
            assert len([post for post in server.posts if post["text"]]) == asked - 1
            report = kit.resolve(name, resend=True, wait=20).deliveries[0]
        assert report.state == "live", (at, report)
        made = [post["text"] for post in server.posts if post["text"]]
        assert made == texts, at
    assert code == 0
    assert at >= 9


def test_two_processes_that_finish_one_thread_send_it_once(
    accepted: tuple[Kit, str], server: Server
) -> None:
    kit, name = accepted
    processes = [start(kit, server, name) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["live"] * 3
    assert [post["text"] for post in server.posts] == ["one", "two", "three"]
    assert [post["parent"] for post in server.posts] == ["", "1", "2"]


def test_many_threads_that_finish_one_thread_send_it_once(
    accepted: tuple[Kit, str], server: Server
) -> None:
    kit, name = accepted
    threads = [threading.Thread(target=kit.finish, args=(name,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [post["text"] for post in server.posts] == ["one", "two", "three"]


# A process that only looks dead


def other_name(monkeypatch: pytest.MonkeyPatch, kit: Kit) -> None:
    """From here on this Kit speaks for a process of another machine."""
    monkeypatch.setattr("postkit.deliver.owner.this_process", lambda: "elsewhere/boot.1/7/7")
    monkeypatch.setattr("postkit.deliver.courier._busy", set())


def leases(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    from datetime import timedelta

    monkeypatch.setattr("postkit.deliver.ledger.LEASE", timedelta(seconds=seconds))
    monkeypatch.setattr("postkit.deliver.heartbeat.EVERY", seconds / 4)


def test_a_long_upload_is_not_taken_over(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases(monkeypatch, 0.4)
    uploads: list[str] = []
    begun = threading.Event()
    board = Board()

    def preparing(client: Session, part: Any, journal: Any) -> None:
        uploads.append("upload")
        begun.set()
        time.sleep(1.5)

    board.preparing = preparing
    with kit_of(tmp_path, server, board) as kit, kit_of(tmp_path, server, board) as other:
        name = kit.accept(kit.plan("Hello", ["board"]))
        first = threading.Thread(target=kit.finish, args=(name,))
        first.start()
        assert begun.wait(5)
        other_name(monkeypatch, other)
        assert other.finish(name, wait=10).ok
        first.join(10)
    assert uploads == ["upload"]
    assert server.creates == 1


@pytest.mark.parametrize("is_given_up", [False, True])
def test_an_answer_that_comes_after_a_take_over_still_counts(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, is_given_up: bool
) -> None:
    leases(monkeypatch, 0.2)
    monkeypatch.setattr("postkit.deliver.heartbeat.EVERY", 60.0)  # as if the process was stopped
    board = Board(Guarantee("blind"))
    sent, answer = threading.Event(), threading.Event()

    def slow(client: Session, outgoing: Outgoing) -> Receipt:
        receipt = send(client, outgoing)
        sent.set()
        answer.wait(10)
        return receipt

    board.sending = slow
    board.finding = listed
    with kit_of(tmp_path, server, board) as kit, kit_of(tmp_path, server, board) as other:
        name = kit.accept(kit.plan("Hello", ["board"]))
        first = threading.Thread(target=kit.finish, args=(name,))
        first.start()
        assert sent.wait(5)
        time.sleep(0.3)
        other_name(monkeypatch, other)
        assert other.finish(name, wait=5).deliveries[0].state == "uncertain"
        if is_given_up:
            assert other.resolve(name, give_up=True).deliveries[0].state == "failed"
        answer.set()
        first.join(10)
        report = kit.report(name).deliveries[0]
    assert (report.state, report.parts[0].remote_id) == ("live", "1")
    assert report.question is None


def test_a_kit_of_before_a_fork_is_refused_after_it(tmp_path: Path, server: Server) -> None:
    with kit_of(tmp_path, server, Board()) as kit:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a program with threads should not is the point
            child = os.fork()
        if child == 0:
            try:
                kit.publish("Hello", ["board"])
            except StoreError as error:
                os._exit(7 if "fork" in error.message else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert server.posts == []


def test_ctrl_c_ends_what_is_on_its_way_and_begins_nothing_more(
    accepted: tuple[Kit, str], server: Server
) -> None:
    kit, name = accepted

    def interrupt() -> str:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        return "ok"

    server.script = [interrupt]
    process = start(kit, server, name)
    process.communicate(timeout=30)
    assert process.returncode != 0
    states = [part.state for part in kit.report(name).deliveries[0].parts]
    assert states == ["LIVE", "SCHEDULED", "SCHEDULED"]
    assert kit.finish(name).ok
    assert [post["text"] for post in server.posts] == ["one", "two", "three"]

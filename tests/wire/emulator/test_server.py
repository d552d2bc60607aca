"""Starting and ending: quick, quiet, and nothing left behind. Time under a test's control."""

from __future__ import annotations

import gc
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from postkit.emulator.media import NotAnImage, examine
from postkit.emulator.rates import FixedWindow
from postkit.emulator.server import EmulatorServer
from postkit.emulator.timeline import LivePost, Timeline


class StoppedClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def test_it_answers_at_once_and_leaves_nothing() -> None:
    before = threading.active_count()
    start = time.monotonic()
    with EmulatorServer([]) as server:
        assert requests.get(f"{server.url}/_postkit/", timeout=5).json()["networks"] == []
        assert time.monotonic() - start < 0.5
        port = int(server.url.rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port), timeout=5)
    with idle:
        assert threading.active_count() == before
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    server.close()
    gc.collect()


def test_a_connection_that_comes_while_it_closes_is_closed_too() -> None:
    # An open socket is a ResourceWarning at the collection, and so a failure of this test.
    for _ in range(60):
        with EmulatorServer([]) as server:
            port = int(server.url.rpartition(":")[2])
            late = socket.create_connection(("127.0.0.1", port), timeout=5)
        late.close()
    gc.collect()


def test_an_answer_takes_milliseconds(server: EmulatorServer) -> None:
    with requests.Session() as session:
        start = time.monotonic()
        for _ in range(20):
            session.get(f"{server.url}/chat/posts", timeout=5)
        assert time.monotonic() - start < 0.4  # 0.8 s where each answer waits for an ACK


def test_closing_does_not_wait_for_hanging_requests(server: EmulatorServer) -> None:
    server.add_fault("chat", "hang")
    server.add_fault("chat", "slow", seconds=600)
    failures: list[Exception] = []

    def post() -> None:
        try:
            requests.post(f"{server.url}/chat/posts", json={"text": "Hi"}, timeout=30)
        except requests.ConnectionError as error:
            failures.append(error)

    clients = [threading.Thread(target=post) for _ in range(2)]
    for client in clients:
        client.start()
    while len(server.posts()) < 2:
        time.sleep(0.01)
    start = time.monotonic()
    server.close()
    for client in clients:
        client.join(5)
    assert len(failures) == 2
    assert time.monotonic() - start < 2


def test_a_taken_port_is_an_error(server: EmulatorServer) -> None:
    with pytest.raises(OSError, match="in use"):
        EmulatorServer([], port=int(server.url.rpartition(":")[2]))


def test_it_serves_loopback_only(server: EmulatorServer) -> None:
    with pytest.raises(ValueError, match="serves loopback, not"):
        EmulatorServer([], host="0.0.0.0")
    kind = type(server.emulators["chat"])
    with pytest.raises(ValueError, match="Two emulators are named 'chat'"):
        EmulatorServer([kind, kind])


def test_late_follows_the_injected_clock(server: EmulatorServer) -> None:
    clock = StoppedClock()
    with EmulatorServer([type(server.emulators["chat"])], clock=clock) as own:
        own.add_fault("chat", "late", seconds=3000)
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{own.url}/chat/posts", json={"text": "Hi"}, timeout=5)
        clock.sleep(2999)
        assert own.posts() == []
        clock.sleep(1)
        assert [post.created_at for post in own.posts()] == [clock.now()]


def test_a_repeat_hastens_the_late_original() -> None:
    clock = StoppedClock()
    timeline = Timeline(clock)
    post = timeline.add(LivePost("chat", "1", "me"))
    timeline.add(LivePost("chat", "2", "me", created_at=clock.now()))
    assert timeline.hasten("chat", "1") == post
    assert timeline.hasten("chat", "3") is None
    assert [one.id for one in timeline.list("chat", "me")] == ["2", "1"]
    assert timeline.list("other") == timeline.list("chat", "you") == []
    assert timeline.delete("chat", "1") == post
    assert timeline.delete("chat", "1") is None


def test_a_fixed_window_counts_and_opens_again() -> None:
    clock = StoppedClock()
    window = FixedWindow(2, 300, clock)
    first, second, third = window.take("a"), window.take("a"), window.take("a")
    assert [state.allowed for state in (first, second, third)] == [True, True, False]
    assert [state.remaining for state in (first, second, third)] == [1, 0, 0]
    assert third.reset_at == datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    assert window.peek("b").remaining == 2
    clock.sleep(239)
    assert not window.take("a").allowed
    clock.sleep(1)
    assert window.take("a") == window.peek("a")
    assert window.peek("a").remaining == 1


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_cannot_be_decoded_is_no_image(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        examine(data)

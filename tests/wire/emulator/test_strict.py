"""Requests that no server could serve: refused in the network's shape, and nothing is made."""

from __future__ import annotations

import json
import socket
import time

import pytest
import requests

from postkit.emulator.server import EmulatorServer
from postkit.emulator.strict import MOST_BYTES
from postkit.emulator.timeline import LivePost

from .conftest import ChatEmulator


class MendingEmulator(ChatEmulator):
    mends_surrogates = True


def send(server: EmulatorServer, body: bytes, kind: str = "application/json") -> requests.Response:
    headers = {"Content-Type": kind}
    return requests.post(f"{server.url}/chat/posts", data=body, headers=headers, timeout=10)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'{"text": NaN}',
        b'{"text": -Infinity}',
        b'{"text": ' + b"9" * 5000 + b"}",
        b"[" * 200_000 + b"]" * 200_000,
        b'{"text": "a\\ud800b"}',
        b'{"\\udfff": "a"}',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_json_that_cannot_be_read_is_refused(server: EmulatorServer, body: bytes) -> None:
    server.add_fault("chat", "status")
    answer = send(server, body)
    assert (answer.status_code, answer.headers["X-Chat"]) == (400, "here")
    assert answer.json() == {"error": "The body of the request could not be read"}
    assert server.posts() == []
    assert send(server, b'{"text": "\\ud83d\\ude00"}').status_code == 503, "the fault was kept"
    assert server.posts()[0].text == "\U0001f600"


def test_a_network_may_mend_lone_surrogates() -> None:
    with EmulatorServer([MendingEmulator]) as server:
        assert send(server, b'{"text": "a\\ud800b"}').json()["text"] == "a\ufffdb"


def test_a_body_without_end_is_refused(server: EmulatorServer) -> None:
    port = int(server.url.rpartition(":")[2])
    length = f"Content-Length: {MOST_BYTES + 1}"
    head = f"POST /chat/posts HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode())
        block = b"x" * 1_048_576
        for _ in range(MOST_BYTES // len(block)):
            connection.sendall(block)
        connection.sendall(b"x")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert requests.get(f"{server.url}/chat/posts", timeout=5).status_code == 200


def test_a_client_that_goes_amid_its_request_leaves_nothing(
    server: EmulatorServer, capfd: pytest.CaptureFixture[str]
) -> None:
    port = int(server.url.rpartition(":")[2])
    head = b"POST /chat/posts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(head)
        while not server.requests():
            time.sleep(0.01)
    assert requests.get(f"{server.url}/chat/posts", timeout=5).status_code == 200
    server.close()
    assert server.posts() == []
    assert capfd.readouterr() == ("", "")


def test_ten_thousand_posts_stay_readable(server: EmulatorServer) -> None:
    for number in range(10_000):
        server.world.timeline.add(LivePost("chat", str(number), "me", text=f"Number {number}."))
    start = time.monotonic()
    page = requests.get(server.url, timeout=10).text
    assert page.count("<article") == 100
    assert "Number 9999." in page
    assert "Number 9899." not in page
    assert '9900 older, <a href="/_postkit/posts?network=chat">' in page
    posts = requests.get(f"{server.url}/_postkit/posts", timeout=10).json()["posts"]
    assert len(posts) == 10_000
    assert time.monotonic() - start < 3


def test_answers_to_a_post_lag_as_lists_do(server: EmulatorServer) -> None:
    timeline = server.world.timeline
    server.add_fault("chat", "index_lag", seconds=60)
    with pytest.raises(requests.ConnectionError):
        send(server, json.dumps({"text": "late"}).encode())
    (hidden,) = server.posts()
    timeline.add(LivePost("chat", "1", "me", parent=hidden.id))
    assert [post.id for post in timeline.replies("chat", hidden.id)] == ["1"]
    assert [post.id for post in timeline.list("chat")] == ["1"]

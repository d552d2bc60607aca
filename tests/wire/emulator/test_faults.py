"""Each fault as a client on the wire meets it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import pytest
import requests

from postkit.emulator.faults import BadFault
from postkit.emulator.server import EmulatorServer

Send = Callable[..., requests.Response]


def raw(server: EmulatorServer, text: str = "Hello", timeout: float = 5.0) -> bytes:
    """Everything that the server sends before it closes. Raises what the socket raises."""
    body = json.dumps({"text": text}).encode()
    port = server.url.rpartition(":")[2]
    head = (
        f"POST /chat/posts HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(port)), timeout=timeout) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def texts(server: EmulatorServer) -> list[str]:
    return [post.text for post in server.posts("chat")]


@pytest.mark.parametrize("accepted", [True, False])
def test_lose_answer_closes_without_a_byte(server: EmulatorServer, accepted: bool) -> None:
    server.add_fault("chat", "lose_answer", accepted=accepted)
    assert raw(server) == b""
    assert texts(server) == (["Hello"] if accepted else [])


@pytest.mark.parametrize("accepted", [True, False])
def test_reset_breaks_the_connection(server: EmulatorServer, accepted: bool) -> None:
    server.add_fault("chat", "reset", accepted=accepted)
    with pytest.raises(ConnectionResetError):
        raw(server)
    assert texts(server) == (["Hello"] if accepted else [])


def test_requests_sees_a_lost_answer_as_a_connection_error(
    server: EmulatorServer, send: Send
) -> None:
    server.add_fault("chat", "lose_answer")
    with pytest.raises(requests.ConnectionError):
        send()
    assert send("again").status_code == 201
    assert texts(server) == ["Hello", "again"]


@pytest.mark.parametrize("accepted", [True, False])
def test_hang_answers_nothing_while_the_client_waits(
    server: EmulatorServer, accepted: bool
) -> None:
    server.add_fault("chat", "hang", accepted=accepted)
    with pytest.raises(TimeoutError):
        raw(server, timeout=0.2)
    assert texts(server) == (["Hello"] if accepted else [])


def test_hang_ends_after_its_seconds_without_a_byte(server: EmulatorServer) -> None:
    server.add_fault("chat", "hang", seconds=0.2)
    start = time.monotonic()
    assert raw(server) == b""
    assert 0.15 < time.monotonic() - start < 2


def test_slow_gives_the_good_answer_late(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "slow", seconds=0.2)
    start = time.monotonic()
    answer = send()
    assert answer.status_code == 201
    assert answer.json()["text"] == "Hello"
    assert time.monotonic() - start > 0.15


def test_slow_refused_is_a_late_503_and_no_post(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "slow", seconds=0.1, accepted=False)
    assert send().status_code == 503
    assert texts(server) == []


@pytest.mark.parametrize("accepted", [True, False])
def test_status_is_a_proxys_page(server: EmulatorServer, send: Send, accepted: bool) -> None:
    server.add_fault("chat", "status", status=502, accepted=accepted)
    answer = send()
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>502 Bad Gateway</h1>" in answer.text
    assert "X-Chat" not in answer.headers
    assert texts(server) == (["Hello"] if accepted else [])


def test_status_can_be_a_redirect(server: EmulatorServer, session: requests.Session) -> None:
    server.add_fault("chat", "status", status=302)
    url = f"{server.url}/chat/posts"
    answer = session.post(url, json={"text": "Hi"}, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")


@pytest.mark.parametrize("accepted", [True, False])
def test_truncate_sends_half_of_what_it_announces(server: EmulatorServer, accepted: bool) -> None:
    server.add_fault("chat", "truncate", accepted=accepted)
    head, _, body = raw(server).partition(b"\r\n\r\n")
    announced = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert head.startswith(b"HTTP/1.1 201" if accepted else b"HTTP/1.1 200")
    assert 0 < len(body) == announced // 2
    assert texts(server) == (["Hello"] if accepted else [])


def test_requests_reports_a_truncated_body(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        send()


@pytest.mark.parametrize("accepted", [True, False])
def test_no_id_keeps_the_status_and_drops_the_ids(
    server: EmulatorServer, send: Send, accepted: bool
) -> None:
    server.add_fault("chat", "no_id", accepted=accepted)
    answer = send()
    assert answer.status_code == (201 if accepted else 200)
    assert answer.json() == {}
    assert texts(server) == (["Hello"] if accepted else [])


def test_late_loses_the_answer_and_posts_later(server: EmulatorServer) -> None:
    server.add_fault("chat", "late", seconds=0.4)
    assert raw(server) == b""
    assert texts(server) == []
    time.sleep(0.45)
    assert texts(server) == ["Hello"]


def test_index_lag_hides_the_live_post_from_lists(
    server: EmulatorServer, session: requests.Session
) -> None:
    server.add_fault("chat", "index_lag", seconds=0.4)
    assert raw(server) == b""
    assert texts(server) == ["Hello"]
    url = f"{server.url}/chat/posts"
    assert session.get(url, timeout=5).json() == []
    time.sleep(0.45)
    assert session.get(url, timeout=5).json() == [server.posts()[0].id]


def test_rate_limit_is_the_networks_own_429(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "rate_limit", seconds=7)
    answer = send()
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert texts(server) == []
    assert send().status_code == 201


def test_expire_token_ends_the_token_for_every_request(
    server: EmulatorServer, send: Send, session: requests.Session
) -> None:
    server.add_fault("chat", "expire_token")
    assert send().status_code == 401
    assert session.get(f"{server.url}/chat/posts", timeout=5).status_code == 401
    assert texts(server) == []
    server.reset()
    assert send().status_code == 201


def test_times_and_skip_count_creates(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "status", times=2, skip=1, accepted=False)
    assert [send(str(n)).status_code for n in range(4)] == [201, 503, 503, 201]
    assert texts(server) == ["0", "3"]


def test_faults_of_one_network_strike_in_order(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "status", status=500)
    server.add_fault("other", "lose_answer")
    server.add_fault("chat", "status", status=502)
    assert [send().status_code for _ in range(3)] == [500, 502, 201]


def test_a_refused_create_uses_up_no_fault(server: EmulatorServer, send: Send) -> None:
    server.add_fault("chat", "status")
    refused = send("x" * 51)
    assert refused.json() == {"ok": False, "error": "too long"}
    assert refused.headers["X-Chat"] == "here"
    assert send("short").status_code == 503


def test_other_requests_are_not_hit(server: EmulatorServer, session: requests.Session) -> None:
    server.add_fault("chat", "lose_answer")
    url = f"{server.url}/chat/records"
    assert session.get(f"{server.url}/chat/posts", timeout=5).status_code == 200
    assert session.post(url, json={"kind": "like"}, timeout=5).json() == {"liked": True}
    with pytest.raises(requests.ConnectionError):
        session.post(url, json={"kind": "post", "text": "Hi"}, timeout=5)
    assert [entry.create for entry in server.requests()] == [False, False, True]


def test_a_wrong_fault_is_refused_in_process(server: EmulatorServer) -> None:
    with pytest.raises(BadFault, match="Unknown kind 'explode'"):
        server.add_fault("chat", "explode")


def test_faults_leave_nothing_on_stderr(
    server: EmulatorServer, capfd: pytest.CaptureFixture[str]
) -> None:
    for kind in ("lose_answer", "reset", "truncate", "hang"):
        server.add_fault("chat", kind, seconds=0.05)
        try:
            raw(server)
        except ConnectionResetError:
            assert kind == "reset"
    server.close()
    assert capfd.readouterr() == ("", "")

"""Where the browser comes back to: what it takes, and what it refuses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit.accounts.oauth.loopback import (
    MOST_CONNECTIONS,
    SILENCE,
    Loopback,
    PortTaken,
    Unanswered,
    path_of,
)

STATE = "the-state-that-was-sent"
GOOD = f"/?code=pk_canary_code&state={STATE}"


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback(0) as loopback:
        loopback.expect(STATE)
        yield loopback


def raw(loopback: Loopback, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", loopback.port), timeout=10) as connection:
        connection.sendall(data)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def ask(loopback: Loopback, target: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """The status and all of the answer; ``Host`` is right if nothing else is given."""
    lines = {"Host": f"127.0.0.1:{loopback.port}", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    answer = raw(loopback, f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode())
    return int(answer.split(b" ", 2)[1]), answer


def is_waiting(loopback: Loopback) -> bool:
    """Whether nothing of what came was taken: the right answer still is."""
    status, _ = ask(loopback, GOOD)
    return status == 200 and loopback.wait(5) == {"code": "pk_canary_code", "state": STATE}


def test_one_answer_is_taken(loopback: Loopback) -> None:
    status, page = ask(loopback, GOOD, Sec_Fetch_Mode="navigate", Sec_Fetch_Site="cross-site")
    assert status == 200
    assert loopback.wait(5)["code"] == "pk_canary_code"
    assert b"pk_canary" not in page
    assert b"Go back to the terminal" in page
    head = page.partition(b"\r\n\r\n")[0]
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert b"Cache-Control: no-store" in head
    assert b"Referrer-Policy: no-referrer" in head


def test_a_second_request_is_refused(loopback: Loopback) -> None:
    ask(loopback, GOOD)
    for target in (GOOD, f"/?code=another&state={STATE}"):
        status, _ = ask(loopback, target)
        assert status == 410
    assert loopback.wait(5)["code"] == "pk_canary_code"
    with pytest.raises(Unanswered):
        loopback.wait(0.1)


def test_of_many_at_once_one_is_taken(loopback: Loopback) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda number=number: statuses.append(
                ask(loopback, f"/?code=c{number}&state={STATE}")[0]
            )
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200] + [410] * 7


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/?code=x&state=forged", 400),
        ("/?code=x&state=", 400),
        ("/?code=x", 400),
        ("/", 400),
        (f"/?code=x&state={STATE[:-1]}", 400),
        (f"/?code=x&state={STATE}x", 400),
        (f"/?code=x&state={STATE}&state={STATE}", 400),
        (f"/?code=x&code=y&state={STATE}", 400),
        (f"/?code=%ff&state={STATE}", 400),
        (f"/?state={STATE}&" + "&".join(f"a{n}=1" for n in range(40)), 400),
        (f"/?;&&&=&state={STATE}", 400),
        (f"/x?code=x&state={STATE}", 404),
        ("/favicon.ico", 404),
        (f"http://127.0.0.1/?code=x&state={STATE}", 404),
        ("/" + "a" * 70_000, 414),
    ],
)
def test_what_is_not_the_answer(loopback: Loopback, target: str, status: int) -> None:
    assert ask(loopback, target)[0] == status
    assert is_waiting(loopback)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "get"])
def test_other_methods(loopback: Loopback, method: str) -> None:
    assert ask(loopback, GOOD, method)[0] == 405
    assert is_waiting(loopback)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8712"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": ""},
        {"Host": "[::1]:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Mode": "cors"},
    ],
)
def test_other_pages_and_names(loopback: Loopback, headers: dict[str, str]) -> None:
    assert ask(loopback, GOOD, **headers)[0] == 403
    assert is_waiting(loopback)


def test_two_hosts_and_none(loopback: Loopback) -> None:
    right = f"Host: 127.0.0.1:{loopback.port}\r\n"
    for hosts in ("", right + "Host: evil.example\r\n", right + right):
        answer = raw(loopback, f"GET {GOOD} HTTP/1.1\r\n{hosts}\r\n".encode())
        assert answer.startswith(b"HTTP/1.0 403"), answer
    assert is_waiting(loopback)


def test_localhost_is_this_machine_too(loopback: Loopback) -> None:
    assert ask(loopback, GOOD, Host=f"localhost:{loopback.port}")[0] == 200


def test_an_answer_before_anything_was_begun() -> None:
    with Loopback(0) as loopback:
        assert ask(loopback, "/?code=x&state=")[0] == 400
        loopback.expect(STATE)
        assert is_waiting(loopback)


def test_a_no_is_an_answer(loopback: Loopback) -> None:
    status, page = ask(loopback, f"/?error=access_denied&state={STATE}")
    assert status == 200
    assert b"The network gave no access" in page
    assert loopback.wait(5)["error"] == "access_denied"


def test_the_answers_words_are_not_on_the_page(loopback: Loopback) -> None:
    _, page = ask(loopback, f"/?error=%3Cscript%3E&error_description=%3Cb%3E&state={STATE}")
    assert b"<script>" not in page
    assert b"<b>" not in page


def test_whoever_says_nothing_is_hung_up_on_and_stops_nobody(loopback: Loopback) -> None:
    silent = [
        socket.create_connection(("127.0.0.1", loopback.port), timeout=20)
        for _ in range(MOST_CONNECTIONS - 1)
    ]
    try:
        silent[0].sendall(b"GET / HT")
        assert is_waiting(loopback)
        started = time.monotonic()
        assert silent[1].recv(10) == b""
        assert time.monotonic() - started < SILENCE + 5
    finally:
        for connection in silent:
            connection.close()


def test_nobody_comes(loopback: Loopback) -> None:
    with pytest.raises(Unanswered, match="--no-browser"):
        loopback.wait(0.05)


def test_a_port_that_is_taken() -> None:
    with Loopback(0) as first, pytest.raises(PortTaken, match=f"Port {first.port} .* --port N"):
        Loopback(first.port)


def test_it_listens_on_this_machine_alone(loopback: Loopback) -> None:
    assert loopback.redirect_uri == f"http://127.0.0.1:{loopback.port}/"
    addresses = {
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{loopback.port:04X}")
    }
    assert addresses == {f"0100007F:{loopback.port:04X}"}


def test_after_its_end_nobody_answers() -> None:
    with Loopback(0) as loopback:
        port = loopback.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_each_network_and_server_has_a_path_of_its_own() -> None:
    assert path_of("board") == "/board"
    assert path_of("board", "https://one.example:8443/below") == "/board/one.example:8443"
    assert path_of("board", "https://two.example") != path_of("board", "https://one.example")
    with Loopback(0, path=path_of("board")) as loopback:
        loopback.expect(STATE)
        assert loopback.redirect_uri == f"http://127.0.0.1:{loopback.port}/board"
        for path in ("/", "/other", "/board/", "/board/one.example"):
            assert ask(loopback, f"{path}?code=x&state={STATE}")[0] == 404
        assert ask(loopback, f"/board?code=x&state={STATE}")[0] == 200

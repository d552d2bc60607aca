"""The session under real sockets: what leaves, how often, and what is known afterwards."""

from __future__ import annotations

import gzip
import io
import socket
import time
from collections.abc import Callable
from pathlib import Path

import praw
import prawcore
import pytest
import requests

from postkit import transport
from postkit.accounts.secret import Secret
from postkit.errors import NeedsLogin, PluginError
from postkit.transport import LONGEST_ANSWER, Exchange, RedirectRefused, SecondCreate, Session

from .server import Answer, RawServer, close, cut, ok, reset

HOST = "https://api.example.com"


def session(server: RawServer, **given: float) -> Session:
    return Session((HOST,), server.url, **given)  # type: ignore[arg-type]


def test_a_declared_host_is_rewritten_to_the_endpoint() -> None:
    with RawServer(ok()) as server, session(server) as http:
        assert http.get(f"{HOST}/v1/me?a=b").json() == {"id": "1"}
    assert server.requests[0].startswith(b"GET /v1/me?a=b HTTP/1.1\r\n")


def test_the_endpoints_path_comes_first() -> None:
    with RawServer(ok()) as server, Session((HOST,), server.url + "/net/") as http:
        http.get(f"{HOST}/v1/me")
        http.get(http.base + "/v1/you")
    assert [r.split(b" ")[1] for r in server.requests] == [b"/net/v1/me", b"/net/v1/you"]


def test_a_service_keeps_its_own_host_beside_an_endpoint() -> None:
    service = "https://video.example.com"
    with Session((HOST, service), "https://own.example.net/at", services=(service,)) as http:
        assert http.rewrite(f"{service}/xrpc/a") == f"{service}/xrpc/a"
        assert http.rewrite(f"{HOST}/xrpc/a") == "https://own.example.net/at/xrpc/a"
        with pytest.raises(PluginError, match="not among"):
            http.rewrite("https://else.example.com/")


def test_any_other_host_is_refused_before_its_socket() -> None:
    with RawServer(ok()) as server, session(server) as http:
        with pytest.raises(PluginError, match="not among its network's hosts"):
            http.post("https://collector.example.net/tokens", data={"t": "1"})
    assert server.requests == []


def test_without_an_endpoint_only_the_declared_hosts_are_reached() -> None:
    with Session((HOST,)) as http, pytest.raises(PluginError, match="hosts"):
        http.get("https://elsewhere.example.com/")


@pytest.mark.parametrize("answer", [close, reset, cut, ok("oops", "500 Internal Server Error")])
def test_an_sdk_that_retries_sends_one_create(answer: Answer) -> None:
    """praw sends a lost submit up to three times by its own; here one request arrives."""
    # The server promises to keep the connection and closes it: the create must not be lost so.
    grant = '{"access_token": "t", "expires_in": 3600, "scope": "*", "token_type": "bearer"}'
    token = ok(grant, headers="Connection: keep-alive\r\n")
    with RawServer(token, answer) as server:
        http = Session((), server.url, auth_paths=("/api/v1/access_token",))
        reddit = praw.Reddit(
            client_id="c",
            client_secret="s",
            refresh_token="r",
            user_agent="postkit tests 1.0",
            reddit_url=server.url,
            oauth_url=server.url,
            check_for_updates=False,
            requestor_kwargs={"session": http},
        )
        with http.create_scope() as scope, pytest.raises((Exception,)) as failure:
            reddit.subreddit("test").submit("title", selftext="text")
        http.close()
    assert server.methods == ["POST", "POST"], "the token, then one create"
    assert b"/api/submit" in server.requests[1].split(b"\r\n")[0]
    assert scope.create is not None
    assert scope.create.wrote
    assert isinstance(
        failure.value, SecondCreate | prawcore.PrawcoreException | requests.RequestException
    )


def test_a_second_create_raises_before_its_socket() -> None:
    with RawServer(ok()) as server, session(server) as http:
        with http.create_scope() as scope:
            http.get(server.url + "/look")
            http.post(server.url + "/create")
            with pytest.raises(SecondCreate):
                http.delete(server.url + "/other")
            http.get(server.url + "/look")
        http.post(server.url + "/later")
    assert server.methods == ["GET", "POST", "GET", "POST"]
    assert scope.stopped == 1


def test_scopes_do_not_nest() -> None:
    with Session((HOST,)) as http, http.create_scope():
        with pytest.raises(PluginError), http.create_scope():
            pass


def last(http: Session) -> Exchange:
    assert http.last is not None
    return http.last


def test_a_refused_connection_wrote_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Session((), f"http://127.0.0.1:{port}") as http:
        with pytest.raises(requests.ConnectionError):
            http.post(http.base + "/create", data="x")
        assert not last(http).wrote


def test_a_failed_handshake_wrote_nothing() -> None:
    with RawServer(close) as server:
        endpoint = server.url.replace("http:", "https:")
        with Session((), endpoint, connect_timeout=0.2) as http:
            with pytest.raises(requests.Timeout):
                http.post(http.base + "/create", data="x")
            assert not last(http).wrote


@pytest.mark.parametrize("answer", [close, reset])
def test_a_lost_answer_wrote_something(answer: Answer) -> None:
    with RawServer(answer) as server, session(server) as http:
        with pytest.raises(requests.ConnectionError):
            http.post(server.url + "/create", data="x")
        assert last(http).wrote
        assert last(http).status is None


def test_a_truncated_answer_is_an_error_with_its_status() -> None:
    with RawServer(cut) as server, session(server) as http:
        with pytest.raises(requests.RequestException):
            http.post(server.url + "/create", data="x")
        assert last(http).wrote
        assert last(http).status == 200
        assert last(http).json() is None


def test_timeouts_are_ours_whatever_the_sdk_says() -> None:
    def hang(_connection: socket.socket, _request: bytes) -> None:
        time.sleep(1)

    with RawServer(hang) as server, session(server, read_timeout=0.1) as http:
        with pytest.raises(requests.ReadTimeout):
            http.post(server.url + "/create", timeout=3600)
        assert last(http).wrote


def test_an_answer_that_drips_for_ever_comes_to_an_end() -> None:
    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"1\r\n.\r\n")
            time.sleep(0.05)

    with RawServer(drip) as server, session(server, read_timeout=0.2) as http:
        started = time.monotonic()
        with pytest.raises(requests.ReadTimeout, match="did not come to its end"):
            http.post(server.url + "/create")
        assert time.monotonic() - started < 3
        assert last(http).wrote


class Slow(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.4)
        return super().read(size)


def test_the_time_for_the_answer_begins_when_the_request_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "LONGEST_ANSWER", 0.25)
    with RawServer(ok()) as server, session(server, read_timeout=2.0) as http:
        started = time.monotonic()
        assert http.post(server.url + "/upload", data=Slow(b"film")).json() == {"id": "1"}
        assert time.monotonic() - started > 0.5


class NotingFile(io.BytesIO):
    """It knows when its last bytes were read."""

    at = 0.0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.at = time.monotonic() if piece else self.at
        return piece


def test_the_time_of_an_answer_begins_with_the_last_byte_sent() -> None:
    file = NotingFile(bytes(100_000))
    with RawServer(ok()) as server, session(server, read_timeout=5.0) as http:
        assert http.post(server.url + "/upload", data=file).json() == {"id": "1"}
        assert last(http).until >= file.at + LONGEST_ANSWER * 5.0
    assert server.requests[0].endswith(bytes(100_000))


def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused() -> None:
    packed = gzip.compress(bytes(64 * 1024 * 1024))
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"

    def bomb(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head.encode() + packed)

    with RawServer(bomb) as server, session(server) as http:
        with pytest.raises(requests.RequestException, match="larger than 33,554,432 bytes"):
            http.get(server.url + "/list")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
def test_no_redirect_is_followed(status: str) -> None:
    answer = ok(
        "{}", status, "Connection: close\r\nLocation: https://elsewhere.example.com/x?token=1\r\n"
    )
    with RawServer(answer) as server, session(server) as http:
        with pytest.raises(RedirectRefused, match=r"redirects to elsewhere\.example\.com"):
            http.post(server.url + "/create")
        assert last(http).wrote
    assert len(server.requests) == 1


def test_a_netrc_does_not_replace_the_accounts_own_access(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with RawServer(ok()) as server, session(server) as http:
        http.get(server.url + "/me", headers={"Authorization": "Bearer mine"})
    assert b"Authorization: Bearer mine" in server.requests[0]


def test_what_is_remembered_of_a_request_holds_no_secret() -> None:
    secret = Secret("pk_canary_transport_value")
    with RawServer(ok()) as server, session(server) as http:
        http.get(server.url + "/me", params={"access_token": secret.reveal()})
        assert "pk_canary" not in repr(last(http))
        assert "pk_canary" not in last(http).url


def test_cookies_of_one_account_do_not_reach_another() -> None:
    make: Callable[[RawServer], Session] = session
    with RawServer(
        ok("{}", headers="Connection: close\r\nSet-Cookie: who=first; Path=/\r\n")
    ) as server:
        with make(server) as first, make(server) as second:
            first.get(server.url + "/a")
            second.get(server.url + "/b")
    assert b"who=first" not in server.requests[1]


def test_this_machine_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(ok()) as server, RawServer(ok("{}")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with session(server) as http:
            headers = {"Authorization": "Bearer pk_canary_for_no_proxy"}
            assert http.get(f"{HOST}/v1/me", headers=headers).json() == {"id": "1"}
    assert proxy.requests == []


def test_other_machines_are_reached_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(ok("no", "502 Bad Gateway")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with Session((HOST,)) as http, pytest.raises(requests.exceptions.ProxyError):
            http.get(f"{HOST}/v1/me")
    assert proxy.requests[0].startswith(b"CONNECT api.example.com:443 ")


def test_access_that_no_header_can_carry_needs_a_login() -> None:
    with RawServer(ok()) as server, session(server) as http:
        headers = {"Authorization": "Bearer pk_canary_copied\u200b"}
        with pytest.raises(NeedsLogin, match="copy it again") as refused:
            http.get(f"{HOST}/v1/me", headers=headers)
    assert "canary" not in str(refused.value)
    assert server.requests == []

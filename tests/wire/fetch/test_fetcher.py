"""What is fetched, whole or not at all, from a host that behaves or does not."""

from __future__ import annotations

import hashlib
import socket
import time
from pathlib import Path

import pytest

from postkit.fetch.errors import Forbidden, NotFetched
from postkit.fetch.fetched import IN_MEMORY
from postkit.fetch.fetcher import Caps, Fetcher
from postkit.testing.pictures import picture

from .authority import Authority
from .host import Host, counting, dripping, moved, page

QUICK = Caps(1_000_000, connect=1.0, read=0.5, total=1.5)


def at(host: Host, path: str = "/cat.png", name: str = "media.example") -> str:
    return f"https://{name}:{host.port}{path}"


def test_the_bytes_their_type_and_where_they_were(host: Host, fetcher: Fetcher) -> None:
    data = picture(1)
    host.answers["/cat.png?size=2"] = page(data, "Content-Type: text/html; charset=utf-8")
    with fetcher.fetch(at(host, "/cat.png?size=2#top")) as fetched:
        assert fetched.read() == data
        assert fetched.path is None
        assert fetched.mime == "image/png", "The bytes decide."
        assert fetched.declared == "text/html; charset=utf-8"
        assert fetched.sha256 == hashlib.sha256(data).hexdigest()
        assert fetched.size == len(data)
        assert fetched.final_url == at(host, "/cat.png?size=2")
    (head,) = host.asked
    assert head.startswith("GET /cat.png?size=2 HTTP/1.1\r\n")
    assert f"Host: media.example:{host.port}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert "Cookie" not in head
    assert "Authorization" not in head


def test_a_large_body_is_a_file_that_goes_with_it(
    host: Host, fetcher: Fetcher, tmp_path: Path
) -> None:
    data = b"\x00\x00\x00\x18ftypmp42" + bytes(IN_MEMORY)
    host.answers["/film.mp4"] = page(data)
    fetched = fetcher.fetch(at(host, "/film.mp4"))
    assert fetched.path is not None
    assert fetched.path.parent == tmp_path
    assert fetched.path.stat().st_mode & 0o777 == 0o600
    assert (fetched.mime, fetched.size, fetched.read()) == ("video/mp4", len(data), data)
    del fetched
    assert list(tmp_path.glob("postkit-*")) == []


def test_chunks_are_put_together(host: Host, fetcher: Fetcher) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    host.answers["/a"] = head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"
    assert fetcher.fetch(at(host, "/a")).read() == b"abcde"


def test_what_is_too_large_is_refused_announced_or_not(
    host: Host, fetcher: Fetcher, tmp_path: Path
) -> None:
    caps = Caps(IN_MEMORY + 10)
    host.answers["/said"] = page(b"x", length=caps.size + 1)
    host.answers["/unsaid"] = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(caps.size + 1)
    host.answers["/just"] = page(bytes(caps.size))
    for path in ("/said", "/unsaid"):
        with pytest.raises(NotFetched, match="more than 8,192 KiB"):
            fetcher.fetch(at(host, path), caps)
    assert list(tmp_path.glob("postkit-*")) == [], "What was begun is not left behind."
    assert fetcher.fetch(at(host, "/just"), caps).size == caps.size


def test_of_a_page_the_beginning_can_be_enough(host: Host, fetcher: Fetcher) -> None:
    host.answers["/page"] = page(b"<html>" + bytes(5000))
    fetched = fetcher.fetch(at(host, "/page"), Caps(1000, cut=True))
    assert (fetched.size, fetched.cut, fetched.mime) == (1000, True, "application/octet-stream")


@pytest.mark.parametrize(
    ("start", "piece"),
    [(b"", b"1;" + b"x" * 4000 + b"\r\na\r\n"), (b"0\r\n", b"X: y\r\n" * 1000)],
    ids=["marks", "trailers"],
)
def test_what_is_endless_beside_the_body_ends(
    host: Host, fetcher: Fetcher, start: bytes, piece: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + start
    host.answers["/a"] = lambda sock: _pour(sock, head, piece)
    with pytest.raises(NotFetched, match="more than 9 KiB"):
        fetcher.fetch(at(host, "/a"), Caps(10_000))


def _pour(sock: socket.socket, head: bytes, piece: bytes) -> None:
    sock.sendall(head)
    while True:
        sock.sendall(piece)


@pytest.mark.parametrize(
    "header", ["Content-Encoding: gzip", "Content-Encoding: br", "Transfer-Encoding: gzip, chunked"]
)
def test_a_packed_body_is_refused(host: Host, fetcher: Fetcher, header: str) -> None:
    host.answers["/a"] = page(b"\x1f\x8b\x08", header)
    with pytest.raises(NotFetched, match="packed form"):
        fetcher.fetch(at(host, "/a"))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page(b"no", status="404 Not Found"), "media.example answers 404"),
        (page(b"later", status="503 Busy"), "media.example answers 503"),
        (page(b"half", status="206 Partial Content"), "media.example answers 206"),
        (page(b""), "it is empty"),
        (page(b"abc", length=10), "media.example broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "broke off"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "does not speak HTTP"),
        (b"", "broke off"),
        (page(b"", status="302 Found"), "media.example answers 302"),
    ],
    ids=[
        "gone",
        "busy",
        "partial",
        "empty",
        "short",
        "half a chunk",
        "ssh",
        "long header",
        "many headers",
        "nothing",
        "nowhere",
    ],
)
def test_what_is_no_whole_answer_is_an_error(
    host: Host, fetcher: Fetcher, answer: bytes, reason: str
) -> None:
    host.answers["/a?token=s3cret"] = answer
    with pytest.raises(NotFetched, match=reason) as caught:
        fetcher.fetch(at(host, "/a?token=s3cret"))
    assert len(caught.value.problems) == 1
    assert "s3cret" not in str(caught.value), "A query may hold a secret."


@pytest.mark.parametrize(
    "answer",
    [
        dripping(b"", b"H", 0.1),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.1),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x", 0.1),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", 0.1),
        lambda sock: time.sleep(20),
    ],
    ids=["status", "headers", "body", "continue", "chunk", "silence"],
)
def test_a_host_that_is_slow_for_ever_is_left(host: Host, fetcher: Fetcher, answer: bytes) -> None:
    host.answers["/a"] = answer
    with pytest.raises(NotFetched, match=r"media\.example did not answer in time"):
        fetcher.fetch(at(host, "/a"), QUICK)


def test_a_handshake_that_is_never_finished_is_left(authority: Authority) -> None:
    with counting() as silent:
        silent_fetcher = Fetcher(
            resolve=lambda name: ["127.0.0.1"],
            trust=authority.file,
            allow=["127.0.0.0/8"],
            ports=[silent.port],
        )
        with pytest.raises(NotFetched, match=r"did not answer|does not speak TLS"):
            silent_fetcher.fetch(at(silent), QUICK)


def test_a_name_server_that_never_answers_is_left() -> None:
    def slowly(name: str) -> list[str]:
        time.sleep(30)
        return ["93.184.216.34"]

    slow = Fetcher(resolve=slowly)
    with pytest.raises(NotFetched, match=r"the name server of media\.example did not answer"):
        slow.fetch("https://media.example/a", QUICK)


def test_a_host_without_an_address() -> None:
    def nobody(name: str) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(NotFetched, match=r"there is no host media\.example"):
        Fetcher(resolve=nobody).fetch("https://media.example/a")


def test_the_certificate_must_be_for_the_name(host: Host, fetcher: Fetcher) -> None:
    with pytest.raises(NotFetched, match=r"certificate of stranger\.example is not valid"):
        fetcher.fetch(at(host, "/a", "stranger.example"))
    assert host.asked == []


def test_a_certificate_of_nobody_we_trust(host: Host) -> None:
    strict = Fetcher(resolve=lambda name: ["127.0.0.1"], allow=["127.0.0.0/8"], ports=[host.port])
    with pytest.raises(NotFetched, match=r"certificate of media\.example is not valid"):
        strict.fetch(at(host))
    assert host.asked == []


def test_three_redirects_are_followed_and_no_fourth(host: Host, fetcher: Fetcher) -> None:
    for number in range(5):
        host.answers[f"/{number}"] = moved(f"/{number + 1}")
    host.answers["/3"] = moved(at(host, "/4", "other.example"), "308 Permanent Redirect")
    host.answers["/4"] = page(b"here")
    fetched = fetcher.fetch(at(host, "/1"))
    assert fetched.read() == b"here"
    assert fetched.final_url == at(host, "/4", "other.example")
    with pytest.raises(NotFetched, match="redirects more than 3 times"):
        fetcher.fetch(at(host, "/0"))


def test_a_redirect_in_utf8_is_followed(host: Host, fetcher: Fetcher) -> None:
    host.answers["/a"] = moved("/k\u00e4se".encode().decode("latin-1"))
    host.answers["/k%C3%A4se"] = page(b"cheese")
    assert fetcher.fetch(at(host, "/a")).read() == b"cheese"


def test_another_address_of_the_host_is_tried(authority: Authority, host: Host) -> None:
    host.answers["/a"] = page(b"here")
    both = Fetcher(
        resolve=lambda name: ["127.0.0.9", "127.0.0.1"],
        trust=authority.file,
        allow=["127.0.0.0/8"],
        ports=[host.port],
    )
    assert both.fetch(at(host, "/a")).read() == b"here"


def test_nothing_in_the_environment_leads_elsewhere(
    host: Host, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine media.example login me password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    host.answers["/a"] = page(b"here", "Set-Cookie: id=1; Path=/")
    with counting() as proxy:
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        fetcher.fetch(at(host, "/a"))
        fetcher.fetch(at(host, "/a"))
        assert proxy.accepted == 0
    for head in host.asked:
        assert "authorization" not in head.lower()
        assert "cookie" not in head.lower()


def test_without_being_allowed_loopback_is_refused(authority: Authority, host: Host) -> None:
    plain = Fetcher(
        resolve=lambda name: ["127.0.0.1"], trust=authority.file, ports=[443, host.port]
    )
    for url in (at(host), f"https://127.0.0.1:{host.port}/", f"https://localhost:{host.port}/"):
        with pytest.raises(Forbidden):
            plain.fetch(url)
    assert host.accepted == 0

"""Hostile URLs and hosts: not one connection to what is not public."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postkit.fetch.errors import Forbidden
from postkit.fetch.fetcher import Fetcher

from .authority import Authority
from .host import Host, counting, moved, page

PUBLIC = "127.0.0.2"
"""Stands for a public address: the one that these tests allow. 127.0.0.1 is the private one."""

_SPELLINGS = """
https://127.0.0.1:PORT/
https://127.0.0.1.:PORT/
https://127.1:PORT/
https://127.0.1:PORT/
https://2130706433:PORT/
https://017700000001:PORT/
https://0x7f000001:PORT/
https://0x7f.1:PORT/
https://0x7f.0x0.0x0.0x1:PORT/
https://0177.0.0.1:PORT/
https://0177.0.0.01:PORT/
https://127.0.0.0x1:PORT/
https://127.0.0.1.0x:PORT/
https://00000127.0.0.1:PORT/
https://127.000.000.001:PORT/
https://4294967297:PORT/
https://127.0.0.257:PORT/
https://0:PORT/
https://0.0.0.0:PORT/
https://[::1]:PORT/
https://[::]:PORT/
https://[0:0:0:0:0:0:0:1]:PORT/
https://[::ffff:127.0.0.1]:PORT/
https://[::ffff:7f00:1]:PORT/
https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/
https://[::127.0.0.1]:PORT/
https://[64:ff9b::127.0.0.1]:PORT/
https://[64:ff9b:1::127.0.0.1]:PORT/
https://[2002:7f00:1::]:PORT/
https://[2001:0:7f00:1::]:PORT/
https://[::1%25lo]:PORT/
https://[::1%lo]:PORT/
https://[fe80::1%25eth0]:PORT/
https://[::1]]:PORT/
https://[127.0.0.1]:PORT/
https://[v1.127.0.0.1]:PORT/
https://localhost:PORT/
https://LOCALHOST:PORT/
https://localhost.:PORT/
https://localhost..:PORT/
https://a.localhost:PORT/
https://printer.local:PORT/
https://metadata.google.internal:PORT/
https://router.home.arpa:PORT/
https://intranet:PORT/
https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/
https://１２７.0.0.1:PORT/
https://127。0。0。1:PORT/
https://①②⑦.0.0.1:PORT/
https://loc­alhost:PORT/
https://local​host:PORT/
https://media.example@127.0.0.1:PORT/
https://media.example:443@127.0.0.1:PORT/
https://media.example%40127.0.0.1:PORT/
https://media.example%2f@127.0.0.1:PORT/
https://@127.0.0.1:PORT/
https://:@127.0.0.1:PORT/
https://127.0.0.1:PORT@media.example/
https://127.0.0.1:PORT#@media.example/
https://media.example\\@127.0.0.1:PORT/
https:\\\\127.0.0.1:PORT/
https:127.0.0.1:PORT/
https:/127.0.0.1:PORT/
https:///127.0.0.1:PORT/
https://127.0.0.1\t:PORT/
https://127.0.0.1 :PORT/
https://127.0.0.1\rHost:media.example:PORT/
https://127.0.0.1\x00.media.example:PORT/
https://127.0.0.1%00.media.example:PORT/
https://127.0.0.1%2emedia.example:PORT/
https://media..example:PORT/
https://-.example:PORT/
https://:PORT/
https://?127.0.0.1:PORT/
//127.0.0.1:PORT/
127.0.0.1:PORT
http://127.0.0.1:PORT/
http://media.example:PORT/
HTTP://127.0.0.1:PORT/
ftp://127.0.0.1:PORT/
gopher://127.0.0.1:PORT/_GET
file:///etc/passwd
file://127.0.0.1/etc/passwd
jar:https://127.0.0.1:PORT/!/
data:text/plain,hello
javascript:alert(1)
unix:///var/run/docker.sock
https+unix://127.0.0.1:PORT/
https://media.example:22/
https://media.example:80/
https://media.example:0/
https://media.example:65536/
https://media.example:-1/
https://media.example:4 43/
https://media.example:٤٤٣/
"""
SPELLINGS = _SPELLINGS.strip().split("\n")

_ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.8.8.8 168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:93.184.216.34 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::5db8:d822 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 2002:5db8:d822:: 3fff::1
4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo febf::1 fec0::1 ff02::1 ff0e::1
nonsense 2130706433
"""
ADDRESSES = _ADDRESSES.split()


@pytest.fixture
def private() -> Iterator[Host]:
    """What listens on 127.0.0.1; nobody may come."""
    with counting() as host:
        yield host
        assert host.accepted == 0


@pytest.fixture
def outside(authority: Authority) -> Iterator[Host]:
    with Host(authority.context("media.example"), PUBLIC) as host:
        yield host


def fetcher_of(authority: Authority, answers: list[list[str]], *ports: int) -> Fetcher:
    """Its resolver gives ``answers`` one after the other, the last one for ever."""

    def resolve(name: str) -> list[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    return Fetcher(
        resolve=resolve, trust=authority.file, allow=[f"{PUBLIC}/32"], ports=[443, *ports]
    )


def test_the_corpus_is_large() -> None:
    assert len(SPELLINGS) >= 90
    assert len(ADDRESSES) >= 55


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_no_spelling_leads_inside(authority: Authority, private: Host, spelling: str) -> None:
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    fetcher = Fetcher(resolve=resolve, trust=authority.file, ports=[443, private.port])
    with pytest.raises(Forbidden) as caught:
        fetcher.fetch(spelling.replace("PORT", str(private.port)))
    assert len(caught.value.problems) == 1
    assert asked == [], "It is refused as it is written, before anybody is asked."


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_name_leads_inside(authority: Authority, private: Host, address: str) -> None:
    for answer in ([address], ["93.184.216.34", address], [address, "93.184.216.34"]):
        fetcher = fetcher_of(authority, [answer], private.port)
        with pytest.raises(Forbidden, match=r"media\.example is not on the public internet"):
            fetcher.fetch(f"https://media.example:{private.port}/")


def test_a_name_that_changes_its_mind_is_asked_once(authority: Authority, outside: Host) -> None:
    outside.answers["/a"] = page(b"here")
    with Host(authority.context("media.example"), "127.0.0.1") as inside:
        inside.answers["/a"] = page(b"a secret")
        fetcher = fetcher_of(authority, [[PUBLIC], ["127.0.0.1"]], outside.port, inside.port)
        url = f"https://media.example:{outside.port}/a"
        assert fetcher.fetch(url).read() == b"here"
        with pytest.raises(Forbidden, match="this machine"):
            fetcher.fetch(url)
        assert inside.accepted == 0
    assert outside.accepted == 1


_REDIRECTS = """
https://127.0.0.1:PORT/
https://[::1]:PORT/
https://[::ffff:127.0.0.1]:PORT/
https://2130706433:PORT/
https://localhost:PORT/
https://inside.example:PORT/
//127.0.0.1:PORT/
https://media.example@127.0.0.1:PORT/
https://169.254.169.254/latest/meta-data/
http://media.example/
http://127.0.0.1:PORT/
file:///etc/passwd
ftp://127.0.0.1:PORT/
data:text/html,hello
gopher://127.0.0.1:PORT/
https:\\\\127.0.0.1:PORT
/\\127.0.0.1:PORT
https://127.0.0.1:PORT\x0b/
https://media.example:22/
https://[::1
"""
REDIRECTS = _REDIRECTS.strip().split("\n")


@pytest.mark.parametrize("location", REDIRECTS, ids=ascii)
@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect"])
def test_no_redirect_leads_inside(
    authority: Authority, private: Host, outside: Host, location: str, status: str
) -> None:
    def resolve(name: str) -> list[str]:
        return ["127.0.0.1"] if name == "inside.example" else [PUBLIC]

    fetcher = Fetcher(
        resolve=resolve,
        trust=authority.file,
        allow=[f"{PUBLIC}/32"],
        ports=[443, outside.port, private.port],
    )
    outside.answers["/a"] = moved(location.replace("PORT", str(private.port)), status)
    with pytest.raises(Forbidden):
        fetcher.fetch(f"https://media.example:{outside.port}/a")
    assert outside.accepted == 1


def test_a_redirect_resolves_again_and_checks_again(
    authority: Authority, private: Host, outside: Host
) -> None:
    outside.answers["/a"] = moved("/b")
    outside.answers["/b"] = page(b"here")
    fetcher = fetcher_of(authority, [[PUBLIC], ["127.0.0.1"]], outside.port)
    with pytest.raises(Forbidden, match="this machine"):
        fetcher.fetch(f"https://media.example:{outside.port}/a")
    assert outside.accepted == 1


_watched: list[Any] | None = None


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _watched is not None and event == "socket.connect":
        _watched.append(args[1])


def test_the_interpreter_saw_no_other_connection(
    authority: Authority, private: Host, outside: Host, tmp_path: Path
) -> None:
    """The whole corpus under an audit hook, which sees each connect of this process."""
    global _watched
    sys.addaudithook(_watch)
    outside.answers["/good"] = page(b"here")
    fetcher = fetcher_of(authority, [[PUBLIC]], outside.port, private.port)
    port = str(private.port)
    _watched = []
    try:
        for spelling in SPELLINGS:
            with pytest.raises(Forbidden):
                fetcher.fetch(spelling.replace("PORT", port))
        for address in ADDRESSES:
            with pytest.raises(Forbidden):
                fetcher_of(authority, [[address]], private.port).fetch("https://media.example/")
        for location in REDIRECTS:
            outside.answers["/a"] = moved(
                location.replace("PORT", port).replace("inside.example", "10.0.0.1")
            )
            with pytest.raises(Forbidden):
                fetcher.fetch(f"https://media.example:{outside.port}/a")
        fetcher.fetch(f"https://media.example:{outside.port}/good")
        seen = set(_watched)
    finally:
        _watched = None
    assert seen == {(PUBLIC, outside.port)}

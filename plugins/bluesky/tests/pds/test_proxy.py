"""The proxy of the tests loses what it was told to lose, and nothing else."""

from __future__ import annotations

import http.client
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import requests

from .proxy import LosingProxy
from .server_process import Pds
from .xrpc import Session, new_tid, post_record, problem

PUT = "com.atproto.repo.putRecord"


@pytest.fixture(scope="module")
def direct(pds: Pds) -> Session:
    """A session past the proxy; one login for all tests, since the server counts them."""
    return Session.open(pds.url, pds.handle, pds.password)


@pytest.fixture
def session(direct: Session, losing_proxy: LosingProxy) -> Session:
    """The same session through the proxy, whose journal is still empty."""
    return replace(direct, url=losing_proxy.url)


def test_it_passes_on_what_it_is_not_told_to_lose(
    session: Session, losing_proxy: LosingProxy
) -> None:
    rkey = new_tid()
    put = session.put(rkey, post_record("through"))
    assert put.status_code == 200, put.text
    assert put.headers["RateLimit-Policy"]
    assert session.get(rkey).json()["cid"] == put.json()["cid"]
    assert losing_proxy.journal == [
        ("POST", "/xrpc/com.atproto.repo.putRecord"),
        ("GET", "/xrpc/com.atproto.repo.getRecord"),
    ]


def test_it_passes_on_a_refusal_and_a_large_body(session: Session) -> None:
    assert problem(session.put("no-tid", post_record("no")))[0] == 400
    upload = session.upload(bytes(3_000_000), "image/png")
    assert upload.json()["blob"]["size"] == 3_000_000


@pytest.mark.parametrize("accepted", [True, False])
def test_a_lost_answer(
    direct: Session, session: Session, losing_proxy: LosingProxy, accepted: bool
) -> None:
    rkey = new_tid()
    losing_proxy.lose_next(PUT, accepted=accepted)
    with pytest.raises(requests.ConnectionError):
        session.put(rkey, post_record("lost"))

    there = direct.get(rkey)
    assert there.status_code == (200 if accepted else 400)
    assert losing_proxy.count(PUT) == 1
    assert losing_proxy.armed == 0

    again = session.put(rkey, post_record("lost"))
    assert again.status_code == 200
    assert ("commit" in again.json()) is not accepted


def test_it_waits_for_the_call_that_it_is_to_lose(
    session: Session, losing_proxy: LosingProxy
) -> None:
    losing_proxy.lose_next(PUT, accepted=False)
    assert session.get(new_tid()).status_code == 400
    assert losing_proxy.armed == 1
    with pytest.raises(requests.ConnectionError):
        session.put(new_tid(), post_record("lost"))


def test_losses_wait_in_line(session: Session, losing_proxy: LosingProxy) -> None:
    rkey = new_tid()
    losing_proxy.lose_next(PUT, accepted=False)
    losing_proxy.lose_next(PUT, accepted=True)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            session.put(rkey, post_record("twice"))
    assert "commit" not in session.put(rkey, post_record("twice")).json()
    assert losing_proxy.count(PUT) == 3


def test_a_lost_answer_is_an_orderly_close(session: Session, losing_proxy: LosingProxy) -> None:
    """The client sees the end of the connection and not a byte, also after a large body."""
    losing_proxy.lose_next("com.atproto.repo.uploadBlob", accepted=False)
    connection = http.client.HTTPConnection(urlsplit(losing_proxy.url).netloc, timeout=10)
    connection.request("POST", "/xrpc/com.atproto.repo.uploadBlob", bytes(1_000_000))
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()


def test_a_server_that_is_gone_is_502() -> None:
    with LosingProxy("http://127.0.0.1:9") as proxy:
        assert requests.get(f"{proxy.url}/xrpc/_health", timeout=10).status_code == 502


def test_it_wants_a_host_and_a_port() -> None:
    with pytest.raises(ValueError, match="is not http://HOST:PORT"):
        LosingProxy("bluesky")

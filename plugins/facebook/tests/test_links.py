"""Where a link leads: to the readers' site, or to a stand-in's own page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from postkit_facebook.client import Client
from postkit_facebook.emulator.owners import PAGE_ID
from postkit_facebook.plugin import Facebook, receipt_of

from postkit.accounts.secret import Secret
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.network import Receipt
from postkit.transport import Session


@pytest.mark.parametrize("endpoint", [None, "https://graph.example.com"])
def test_the_real_network_is_read_on_its_site(endpoint: str | None) -> None:
    session = Session(Facebook.hosts, endpoint, connect_timeout=2, read_timeout=2)
    client = Client(session, PAGE_ID, Secret("pk_canary"))
    assert client.web == "https://www.facebook.com"
    session.close()


def test_a_stand_in_is_read_where_it_is(
    connect: Callable[..., Connection], server: EmulatorServer
) -> None:
    client: Any = connect().client
    assert client.web == f"{server.url}/facebook"
    assert receipt_of({"id": "1_2"}, client.web) == Receipt("1_2", f"{server.url}/facebook/1_2")


def test_a_permalink_is_taken_as_it_is() -> None:
    post = {"id": "1_2", "permalink_url": "https://www.facebook.com/1/posts/2"}
    assert receipt_of(post, "http://127.0.0.1:1").url == "https://www.facebook.com/1/posts/2"

"""Logins, tokens, scopes, and no secret in what is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postkit.deliver.clients import ask
from postkit.errors import InDoubt, NeedsLogin
from postkit.network import Outgoing, RenderedPart

if TYPE_CHECKING:
    from conftest import Link

Parts = Callable[..., RenderedPart]


def test_a_password_logs_in_too(script: Link, part: Parts) -> None:
    assert script.send(script.outgoing(part())).id == script.server.posts("reddit")[0].id


def test_one_login_serves_many_clients(link: Link, part: Parts) -> None:
    link.send(link.outgoing(part()))
    session, client = link.open()
    client.me()
    session.close()
    assert link.paths().count("POST /api/v1/access_token") == 1


def test_a_dead_token_is_a_login_and_renewed_once(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    session, other = link.open()
    link.server.add_fault("reddit", "expire_token")
    with pytest.raises(NeedsLogin):
        link.send(outgoing)
    link.network.refresh(link.client)
    link.network.refresh(other)
    session.close()
    link.send(outgoing)
    assert link.paths().count("POST /api/v1/access_token") == 2
    assert len(link.server.posts("reddit")) == 1


def test_a_refresh_token_that_another_process_was_given_is_used(link: Link, part: Parts) -> None:
    outgoing = link.outgoing(part())
    access = link.emulator.access
    access.refresh_token = link.emulator.canary("refresh_token")
    link.vault.fields["refresh_token"] = access.refresh_token
    link.server.add_fault("reddit", "expire_token")
    with pytest.raises(NeedsLogin):
        link.send(outgoing)
    link.network.refresh(link.client)
    assert link.send(outgoing).id == link.server.posts("reddit")[0].id


def test_a_token_that_ends_soon_is_renewed_before_the_create(link: Link, part: Parts) -> None:
    link.server.set("reddit", "token_seconds", 60)
    outgoing = link.outgoing(part())
    before = link.paths().count("POST /api/v1/access_token")
    link.outgoing(part())
    assert link.paths().count("POST /api/v1/access_token") > before
    link.send(outgoing)


def test_publish_never_logs_in(link: Link, part: Parts) -> None:
    outgoing = Outgoing(part(), {}, "key", datetime.now(UTC))
    with pytest.raises(NeedsLogin, match="before anything was sent"):
        link.send(outgoing)
    assert link.paths() == []


@pytest.mark.parametrize("field", ["refresh_token", "client_secret"])
def test_wrong_credentials_need_a_person(link: Link, field: str) -> None:
    link.vault.fields[field] = "pk_canary_wrong"
    _, client = link.open()
    with pytest.raises(NeedsLogin, match="does not accept the credentials") as caught:
        client.me()
    assert "postkit connect reddit --name acme --replace" in caught.value.message
    assert "pk_canary" not in str(caught.value)


def test_a_wrong_password_needs_a_person(script: Link) -> None:
    script.vault.fields["password"] = "pk_canary_wrong"
    _, client = script.open()
    with pytest.raises(NeedsLogin, match="invalid_grant"):
        client.me()


def test_a_missing_scope_needs_a_person(link: Link) -> None:
    link.server.set("reddit", "scopes", "read submit")
    with pytest.raises(NeedsLogin, match="lacks a scope"):
        ask(link.network, link.session, link.client.me)


def test_no_secret_shows(link: Link, part: Parts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outgoing = link.outgoing(part())
    link.server.add_fault("reddit", "reset")
    with pytest.raises(InDoubt) as caught:
        link.send(outgoing)
    shown = f"{caught.value!r} {caught.value.__cause__!r} {link.client!r} {link.session.last!r}"
    assert "pk_canary" not in caplog.text + shown

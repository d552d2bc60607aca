"""The plugin through the real facebook-sdk, over a real socket, against the emulated Page."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from postkit_facebook.client import Client
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.emulator.owners import PAGE_ID, USER_ID
from postkit_facebook.plugin import Facebook, form_of
from postkit_facebook.versions import VERSIONS

from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.errors import (
    Duplicate,
    InputError,
    NeedsLogin,
    Refused,
    Throttled,
    Unavailable,
)
from postkit.network import Account, Attachment, CanDelete, CanList, CanRefresh, Outgoing, Receipt

Connect = Callable[..., Connection]
Out = Callable[..., Outgoing]
Picture = Callable[..., bytes]
Attach = Callable[..., Attachment]


def send(connection: Connection, outgoing: Outgoing) -> Receipt:
    return create(connection.network, connection.client, connection.session, outgoing)


def find(connection: Connection, outgoing: Outgoing, ago: float = 60.0) -> list[Any]:
    since = datetime.now(UTC) - timedelta(seconds=ago)
    return list(connection.network.find(connection.client, outgoing, since))


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests("facebook"))


# Who we are


def test_identify_names_the_page_and_the_version_that_served(
    connection: Connection, server: EmulatorServer
) -> None:
    identity = connection.ask(lambda: connection.network.identify(connection.client))
    assert (identity.id, identity.name) == (PAGE_ID, "Emulated Page")
    assert identity.url == f"{server.url}/#facebook"
    shown = requests.get(identity.url, timeout=5)
    assert '<section id="facebook"' in shown.text
    assert identity.facts == {"api_version": "v26.0"}


def test_connecting_sends_nothing(connection: Connection, server: EmulatorServer) -> None:
    assert connection.session.calls == 0
    assert server.requests() == []


def test_the_version_is_a_setting(connect: Connect, server: EmulatorServer) -> None:
    connection = connect(version="v24.0")
    identity = connection.ask(lambda: connection.network.identify(connection.client))
    assert identity.facts == {"api_version": "v24.0"}
    assert server.requests()[0].path == "/v24.0/me"


@pytest.mark.parametrize("version", ["26.0", "v26", "v26.0/../v1.0", "latest", 26.0])
def test_a_version_that_is_none_is_refused_with_the_remedy(
    connect: Connect, version: object
) -> None:
    with pytest.raises(InputError, match=r'postkit\.toml: facebook: version = .*"v26\.0"'):
        connect(version=version)


def test_all_that_is_wrong_at_connect_is_said_at_once(connect: Connect) -> None:
    with pytest.raises(InputError) as caught:
        connect({"page_id": "my.page", "access_token": "canary-token"}, version="newest")
    assert len(caught.value.problems) == 2
    assert "canary-token" not in str(caught.value)


def test_a_users_token_is_refused_before_anything_is_uploaded(
    connect: Connect, server: EmulatorServer, emulator: FacebookEmulator, attach: Attach
) -> None:
    connection = connect(emulator.user_credentials())
    with pytest.raises(NeedsLogin, match="belongs to a person, not to the Page"):
        connection.ask(lambda: connection.network.identify(connection.client))
    part = outgoing_of("look", attach())
    journal: dict[str, Any] = {}
    with pytest.raises(NeedsLogin):
        connection.ask(lambda: connection.network.prepare(connection.client, part.part, journal))
    assert journal == {}
    with pytest.raises(NeedsLogin):
        send(connection, part)
    assert {entry.method for entry in server.requests("facebook")} == {"GET"}
    assert server.posts("facebook") == []


def test_a_users_own_id_in_place_of_the_pages_does_not_help(
    connect: Connect, emulator: FacebookEmulator
) -> None:
    connection = connect({**emulator.user_credentials(), "page_id": USER_ID})
    with pytest.raises(NeedsLogin, match="belongs to a person"):
        connection.ask(lambda: connection.network.identify(connection.client))


def test_an_apps_token_and_another_pages_id_are_refused(
    connect: Connect, emulator: FacebookEmulator
) -> None:
    app = connect(emulator.app_credentials())
    with pytest.raises(NeedsLogin):
        app.ask(lambda: app.network.identify(app.client))
    other = connect({**emulator.credentials(), "page_id": "42"})
    with pytest.raises(NeedsLogin, match=rf"belongs to Emulated Page \({PAGE_ID}\), not to the "
                       "Page 42"):  # fmt: skip
        other.ask(lambda: other.network.identify(other.client))


def test_the_page_is_asserted_once_for_a_client(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    send(connection, outgoing("one"))
    send(connection, outgoing("two"))
    assert [e.path for e in server.requests("facebook")].count("/v26.0/me") == 1


def test_a_repeat_in_a_new_process_asserts_the_page_again(
    connect: Connect, connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    """A stored request comes without ``prepare``: the read is not the create."""
    stored = outgoing("once more")
    receipt = send(connect(), stored)
    assert [post.id for post in server.posts("facebook")] == [receipt.id]


def test_an_unreachable_check_before_a_repeat_sends_nothing(
    connect: Connect, outgoing: Out, server: EmulatorServer
) -> None:
    stored = outgoing("once more")
    fresh = connect()
    server.close()
    with pytest.raises(Unavailable):
        send(fresh, stored)


# Publishing


def test_a_text_becomes_one_post(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    receipt = send(connection, outgoing("Grüße \N{GRINNING FACE}\n\nzweite Zeile"))
    (post,) = server.posts("facebook")
    assert post.text == "Grüße \N{GRINNING FACE}\n\nzweite Zeile"
    assert (receipt.id, receipt.url) == (post.id, post.url)
    assert creates(server) == 1


def test_a_link_is_a_card(connection: Connection, outgoing: Out, server: EmulatorServer) -> None:
    send(connection, outgoing("look", link="https://example.com/a?b=1"))
    (post,) = server.posts("facebook")
    assert (post.text, post.link) == ("look", "https://example.com/a?b=1")
    send(connection, outgoing(link="https://example.com/alone"))
    assert server.posts("facebook")[-1].link == "https://example.com/alone"


def test_photos_are_uploaded_unseen_and_shown_by_one_post_in_order(
    picture: Picture, connection: Connection, outgoing: Out, attach: Attach, server: EmulatorServer
) -> None:
    first = attach(picture("red"), "A red rectangle.", "one.png")
    second = attach(picture("blue"), "Ein blaues Rechteck: \N{LARGE BLUE SQUARE}", "zwei.png")
    third = attach(picture("green"), "", "three.png")
    ready = outgoing("three", first, second, third)
    assert server.posts("facebook") == []
    receipt = send(connection, ready)
    (post,) = server.posts("facebook")
    assert post.id == receipt.id
    assert [media.alt for media in post.media] == [
        "A red rectangle.", "Ein blaues Rechteck: \N{LARGE BLUE SQUARE}", "",
    ]  # fmt: skip
    assert [media.id for media in post.media] == [ready.prepared[f"photo_{n}"] for n in range(3)]
    stored = [server.world.media.get(media.sha256) for media in post.media]
    assert [media and media.data for media in stored] == [
        picture("red"), picture("blue"), picture("green"),
    ]  # fmt: skip
    assert creates(server) == 1


def test_even_a_single_photo_goes_unseen_first(
    connection: Connection, outgoing: Out, attach: Attach, server: EmulatorServer
) -> None:
    send(connection, outgoing("", attach(alt="A teal rectangle.")))
    posted = [entry.path for entry in server.requests("facebook") if entry.method == "POST"]
    assert posted == [f"/v26.0/{PAGE_ID}/photos", f"/v26.0/{PAGE_ID}/feed"]
    (post,) = server.posts("facebook")
    assert [media.alt for media in post.media] == ["A teal rectangle."]


def test_an_upload_that_the_journal_has_is_not_redone(
    picture: Picture, connection: Connection, attach: Attach, server: EmulatorServer
) -> None:
    part = outgoing_of("two", attach(picture("red")), attach(b"no picture")).part
    journal: dict[str, Any] = {}
    with pytest.raises(Refused, match="Invalid image file"):
        connection.ask(lambda: connection.network.prepare(connection.client, part, journal))
    assert set(journal) == {"photo_0"}
    kept = journal["photo_0"]
    good = replace(part, media=(part.media[0], attach(picture("blue"))))
    connection.ask(lambda: connection.network.prepare(connection.client, good, journal))
    assert journal["photo_0"] == kept
    uploads = [e for e in server.requests("facebook") if e.path.endswith("/photos")]
    assert [entry.status for entry in uploads] == [200, 400, 200]


def test_the_same_values_give_the_same_bytes(picture: Picture, attach: Attach) -> None:
    part = outgoing_of("text", attach(), attach(picture("red"))).part
    one = Outgoing(part, {"photo_0": "1", "photo_1": "2"}, "a", datetime.now(UTC))
    other = Outgoing(part, {"photo_1": "2", "photo_0": "1"}, "b", datetime.now(UTC))
    assert list(form_of(one).items()) == list(form_of(other).items())
    assert form_of(one) == {
        "message": "text", "attached_media": '[{"media_fbid":"1"},{"media_fbid":"2"}]',
    }  # fmt: skip


# The token


def test_the_token_is_in_no_url_and_no_form(
    connection: Connection, outgoing: Out, server: EmulatorServer, attach: Attach,
    emulator: FacebookEmulator, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    sent: list[requests.PreparedRequest] = []
    hooks: Any = connection.session.hooks["response"]
    hooks.append(lambda answer, *_, **__: sent.append(answer.request))
    receipt = send(connection, outgoing("look", attach()))
    find(connection, outgoing("look"))
    assert isinstance(connection.network, CanDelete)
    connection.network.delete(connection.client, receipt)
    token = emulator.credentials()["access_token"]
    assert len(sent) >= 5
    for request in sent:
        assert "access_token" not in (request.url or "")
        body = request.body or b""
        assert token.encode() not in (body if isinstance(body, bytes) else body.encode())
        assert request.headers["Authorization"] == f"Bearer {token}"
    assert token not in caplog.text
    assert token not in repr(connection) + repr(vars(connection.session))


# What the network refuses


def test_the_same_text_in_a_row_is_a_duplicate(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    send(connection, outgoing("again"))
    with pytest.raises(Duplicate) as caught:
        send(connection, outgoing("again"))
    assert caught.value.code == "506"
    assert len(server.posts("facebook")) == 1


def test_an_expired_token_needs_a_login(
    connection: Connection, outgoing: Out, emulator: FacebookEmulator
) -> None:
    ready = outgoing("late")
    emulator.expire_tokens()
    with pytest.raises(NeedsLogin, match="the token has expired") as caught:
        send(connection, ready)
    assert caught.value.code == "190/463"
    assert caught.value.request_id
    assert not isinstance(connection.network, CanRefresh)


def test_a_missing_permission_names_the_scope(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    ready = outgoing("no")
    server.set("facebook", "permissions", ["pages_show_list", "pages_read_engagement"])
    with pytest.raises(Refused, match="pages_manage_posts") as caught:
        send(connection, ready)
    assert (caught.value.status, caught.value.code) == (403, "200")


def test_a_photo_that_is_too_large_is_refused_before_anything_is_live(
    picture: Picture, connection: Connection, outgoing: Out, attach: Attach, server: EmulatorServer
) -> None:
    data = picture(kind="GIF") + random.Random(1).randbytes(4_000_000)
    with pytest.raises(Refused, match="larger than 4 MB") as caught:
        outgoing("big", attach(data))
    assert caught.value.code == "100/1366046"
    assert server.posts("facebook") == []


def test_a_rate_limit_says_when_to_come_back(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    ready = outgoing("slow down")
    server.add_fault("facebook", "rate_limit", seconds=180)
    before = datetime.now(UTC)
    with pytest.raises(Throttled) as caught:
        send(connection, ready)
    assert caught.value.retry_at is not None
    wait = (caught.value.retry_at - before).total_seconds()
    assert 180 <= wait < 185
    send(connection, ready)
    assert len(server.posts("facebook")) == 1


def test_the_pages_own_limit_throttles_uploads_and_reads(
    connection: Connection, outgoing: Out, attach: Attach, server: EmulatorServer
) -> None:
    server.set("facebook", "calls", 1)
    with pytest.raises(Throttled) as caught:
        outgoing("two calls", attach())
    assert caught.value.code == "80001"
    assert caught.value.retry_at is not None
    assert caught.value.retry_at > datetime.now(UTC) + timedelta(hours=23)


# Afterwards


def test_recent_posts_are_newest_first(connection: Connection, outgoing: Out) -> None:
    assert isinstance(connection.network, CanList)
    receipts = [send(connection, outgoing(text)) for text in ("one", "two", "three")]
    recent = connection.network.recent(connection.client, 2)
    assert [post.text for post in recent] == ["three", "two"]
    assert [post.receipt for post in recent] == [receipts[2], receipts[1]]


def test_a_post_is_deleted_and_gone_already_is_fine(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    network = connection.network
    assert isinstance(network, CanDelete)
    receipt = send(connection, outgoing("short-lived"))
    connection.ask(lambda: network.delete(connection.client, receipt))
    assert server.posts("facebook") == []
    connection.ask(lambda: network.delete(connection.client, receipt))


def test_a_post_that_may_not_be_deleted_stays_and_says_why(
    connection: Connection, outgoing: Out, server: EmulatorServer
) -> None:
    network = connection.network
    assert isinstance(network, CanDelete)
    receipt = send(connection, outgoing("stays"))
    server.set("facebook", "deletable", False)
    with pytest.raises(Refused, match="permission"):
        connection.ask(lambda: network.delete(connection.client, receipt))
    assert len(server.posts("facebook")) == 1


# The SDK


def test_importing_the_plugin_is_quiet_without_bytecode() -> None:
    """The SDK's regular expression makes Python warn at each start where nothing is cached."""
    code = (
        "import os, sys; sys.pycache_prefix = os.devnull; sys.dont_write_bytecode = True; "
        "import postkit_facebook.client; print('ready')"
    )
    warn = ["-W", "default::DeprecationWarning", "-W", "default::SyntaxWarning"]
    command = [sys.executable, *warn, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "ready\n"
    assert "escape sequence" not in done.stderr


def test_requests_go_to_the_endpoint_alone(
    connection: Connection, client: Client, server: EmulatorServer
) -> None:
    client.page()
    assert connection.session.last is not None
    assert urlsplit(connection.session.last.url).netloc == urlsplit(server.url).netloc


def outgoing_of(text: str, *media: Attachment) -> Outgoing:
    """A request whose photos were never uploaded."""
    from postkit.network import RenderedPart

    prepared = {f"photo_{number}": str(number) for number in range(len(media))}
    return Outgoing(RenderedPart(text, media), prepared, "key", datetime.now(UTC))


def test_the_version_that_is_used_is_the_newest_that_is_known() -> None:
    network = Facebook()
    account = Account("a_1", "facebook", "page")
    assert network.version_for(account) == VERSIONS[-1].name
    assert VERSIONS[-1].ends is None, "update the table: its end is announced"
    ends = [version.ends for version in VERSIONS[:-1] if version.ends is not None]
    assert len(ends) == len(VERSIONS) - 1
    assert ends == sorted(ends), "the newest is the last"
    older = Account("a_1", "facebook", "page", settings={"version": "v21.0"})
    assert network.version_for(older) == "v21.0"

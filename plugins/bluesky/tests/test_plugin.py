"""The plugin over a real socket: what it sends, what it makes of answers, what it keeps."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from postkit_bluesky.emulator import BlueskyEmulator
from postkit_bluesky.plugin import Bluesky
from postkit_bluesky.record import receipt_of

from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.errors import (
    Duplicate,
    InDoubt,
    NeedsLogin,
    NetworkError,
    Refused,
    Throttled,
    Unavailable,
)
from postkit.network import Account, Attachment, Outgoing, Receipt, RenderedPart
from postkit.transport import SecondCreate, Session

NOW = datetime(2026, 11, 23, 5, 0, 0, 123456, UTC)
DID = "did:plc:emulated2222222222222222"
LINK = "app.bsky.richtext.facet#link"
TAG = "app.bsky.richtext.facet#tag"
MENTION = "app.bsky.richtext.facet#mention"


def png(width: int = 40, height: int = 30, colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def attachment(data: bytes, alt: str, width: int = 40, height: int = 30) -> Attachment:
    return Attachment("0" * 64, "image/png", len(data), width, height, alt, "a.png", lambda: data)


@dataclass
class Desk:
    """One account of the plugin, as the core would hold it."""

    vault: Vault
    account: Account
    read_timeout: float = 5
    network: Bluesky = field(default_factory=Bluesky)

    def __post_init__(self) -> None:
        self.session = Session(
            self.network.hosts,
            self.account.endpoint,
            auth_paths=self.network.auth_paths,
            read_timeout=self.read_timeout,
        )
        self.secrets = Secrets(self.vault, self.account.id, self.account.label, {"handle"})
        self.client = self.network.connect(self.account, self.secrets, self.session)
        self.connection = Connection(self.network, self.account, self.session, self.client)

    def outgoing(
        self,
        part: RenderedPart,
        parent: Receipt | None = None,
        root: Receipt | None = None,
        journal: dict[str, Any] | None = None,
    ) -> Outgoing:
        kept: dict[str, Any] = {} if journal is None else journal
        self.connection.ask(lambda: self.network.prepare(self.client, part, kept))
        key = self.network.new_key(part)
        return Outgoing(part, kept, key, NOW, parent=parent, root=root)

    def send(self, outgoing: Outgoing) -> Receipt:
        return create(self.network, self.client, self.session, outgoing)

    def post(self, text: str, **fields: Any) -> Receipt:
        outgoing = self.outgoing(RenderedPart(text, fields=fields))
        try:
            return self.send(outgoing)
        except NeedsLogin:
            self.connection.renew()
            return self.send(outgoing)


def new_desk(folder: Path, server: EmulatorServer, **changes: Any) -> Desk:
    given = server.accounts()[0]
    vault = Vault(folder / "vault", bytes(32))
    vault.put("a_1", {**given.credentials, **changes.pop("credentials", {})})
    account = Account("a_1", "bluesky", "it", given.endpoint)
    return Desk(vault, account, **changes)


@pytest.fixture
def desk(tmp_path: Path, server: EmulatorServer) -> Desk:
    return new_desk(tmp_path, server)


def emulator(server: EmulatorServer) -> BlueskyEmulator:
    found = server.emulators["bluesky"]
    assert isinstance(found, BlueskyEmulator)
    return found


def count(server: EmulatorServer, method: str) -> int:
    return sum(entry.path == f"/xrpc/{method}" for entry in server.requests())


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests())


def record(server: EmulatorServer, number: int = 0) -> Mapping[str, Any]:
    value: Mapping[str, Any] = server.posts()[number].extra["record"]
    return value


# What is sent


def test_a_text_is_one_record_with_the_time_and_the_key_that_were_stored(
    desk: Desk, server: EmulatorServer
) -> None:
    outgoing = desk.outgoing(RenderedPart("Hello"))
    receipt = desk.send(outgoing)
    assert record(server) == {
        "$type": "app.bsky.feed.post",
        "text": "Hello",
        "createdAt": "2026-11-23T05:00:00.123Z",
    }
    uri = f"at://{DID}/app.bsky.feed.post/{outgoing.key}"
    assert receipt.id == uri
    assert receipt.url == f"{desk.account.endpoint}/profile/emulated.test/post/{outgoing.key}"
    assert receipt.url == server.posts()[0].url
    assert dict(receipt.data) == {"uri": uri, "cid": server.posts()[0].extra["cid"]}
    assert creates(server) == 1


def test_the_stored_request_sends_the_same_bytes_again_and_makes_no_second_post(
    desk: Desk, server: EmulatorServer
) -> None:
    outgoing = desk.outgoing(RenderedPart("Once, see example.com #one", (attachment(png(), "A"),)))
    first = desk.send(outgoing)
    loaded = Outgoing.from_json(outgoing.to_json(), lambda _: png())
    second = desk.send(loaded)
    assert second == first
    assert len(server.posts()) == 1
    sizes = {e.bytes for e in server.requests() if e.path.endswith("putRecord")}
    assert creates(server) == 2
    assert len(sizes) == 1


def test_facets_have_byte_offsets_and_mentions_are_resolved_once(
    desk: Desk, server: EmulatorServer
) -> None:
    text = "Grüße @friend.test, see example.com/ä and #Zürich 👋 https://a.example/x."
    journal: dict[str, Any] = {}
    part = RenderedPart(text)
    desk.send(desk.outgoing(part, journal=journal))
    raw = text.encode()
    found = [
        (raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(), f["features"])
        for f in record(server)["facets"]
    ]
    assert found == [
        ("@friend.test", [{"$type": MENTION, "did": "did:plc:friend222222222222222222"}]),
        ("example.com/ä", [{"$type": LINK, "uri": "https://example.com/ä"}]),
        ("#Zürich", [{"$type": TAG, "tag": "Zürich"}]),
        ("https://a.example/x", [{"$type": LINK, "uri": "https://a.example/x"}]),
    ]
    assert record(server)["facets"][0]["index"] == {"byteStart": 8, "byteEnd": 20}
    desk.connection.ask(lambda: desk.network.prepare(desk.client, part, journal))
    assert count(server, "com.atproto.identity.resolveHandle") == 1


def test_a_mention_of_nobody_stays_plain_text(desk: Desk, server: EmulatorServer) -> None:
    desk.post("Hi @nobody.test and @nobody.example.com")
    assert "facets" not in record(server)
    assert count(server, "com.atproto.identity.resolveHandle") == 2


def test_a_thread_refers_to_its_root_and_its_parent(desk: Desk, server: EmulatorServer) -> None:
    first = desk.post("One")
    second = desk.send(desk.outgoing(RenderedPart("Two"), first, first))
    desk.send(desk.outgoing(RenderedPart("Three"), second, first))
    assert "reply" not in record(server, 0)
    assert record(server, 1)["reply"] == {"root": dict(first.data), "parent": dict(first.data)}
    assert record(server, 2)["reply"] == {"root": dict(first.data), "parent": dict(second.data)}


def test_images_are_uploaded_once_and_embedded_with_alt_text_and_shape(
    desk: Desk, server: EmulatorServer
) -> None:
    journal: dict[str, Any] = {}
    part = RenderedPart("", (attachment(png(), "Two boats"), attachment(png(9, 7), "", 9, 7)))
    outgoing = desk.outgoing(part, journal=journal)
    desk.connection.ask(lambda: desk.network.prepare(desk.client, part, journal))
    desk.send(outgoing)
    assert count(server, "com.atproto.repo.uploadBlob") == 2
    embed = record(server)["embed"]
    assert embed["$type"] == "app.bsky.embed.images"
    assert [(i["alt"], i["aspectRatio"]) for i in embed["images"]] == [
        ("Two boats", {"width": 40, "height": 30}),
        ("", {"width": 9, "height": 7}),
    ]
    assert embed["images"][0]["image"] == journal["blob_0"]["blob"]
    shown = server.posts()[0].media
    assert [(m.mime, m.width, m.height, m.alt) for m in shown] == [
        ("image/png", 40, 30, "Two boats"),
        ("image/png", 9, 7, ""),
    ]


def test_an_upload_that_the_server_may_have_forgotten_is_repeated(
    desk: Desk, server: EmulatorServer
) -> None:
    journal: dict[str, Any] = {}
    part = RenderedPart("", (attachment(png(), ""),))
    desk.outgoing(part, journal=journal)
    old = datetime.now(UTC) - timedelta(minutes=6)
    journal["blob_0"] = {**journal["blob_0"], "at": old.isoformat()}
    blob = journal["blob_0"]["blob"]
    desk.outgoing(part, journal=journal)
    assert count(server, "com.atproto.repo.uploadBlob") == 2
    assert journal["blob_0"]["blob"] == blob


def test_language_labels_and_tags_are_fields_of_the_record(
    desk: Desk, server: EmulatorServer
) -> None:
    desk.post("Hallo", lang="de", labels=["graphic-media"], tags=["eins", "zwei"])
    assert record(server)["langs"] == ["de"]
    assert record(server)["labels"] == {
        "$type": "com.atproto.label.defs#selfLabels",
        "values": [{"val": "graphic-media"}],
    }
    assert record(server)["tags"] == ["eins", "zwei"]


# What is found


def test_find_proves_a_post_by_its_key(desk: Desk) -> None:
    outgoing = desk.outgoing(RenderedPart("Here"))
    assert desk.network.find(desk.client, outgoing, NOW) == ()
    receipt = desk.send(outgoing)
    (found,) = desk.network.find(desk.client, outgoing, NOW)
    assert found.receipt == receipt
    assert found.proof
    assert found.at == datetime(2026, 11, 23, 5, 0, 0, 123000, UTC)


@pytest.mark.parametrize(
    ("endpoint", "handle", "link"),
    [
        (None, "name.bsky.social", "https://bsky.app/profile/name.bsky.social/post/3lb"),
        ("https://pds.example", "me.example", "https://bsky.app/profile/me.example/post/3lb"),
        (None, "handle.invalid", f"https://bsky.app/profile/{DID}/post/3lb"),
        ("http://127.0.0.1:9", "me.test", "http://127.0.0.1:9/profile/me.test/post/3lb"),
    ],
)
def test_permalinks(
    tmp_path: Path, server: EmulatorServer, endpoint: str | None, handle: str, link: str
) -> None:
    vault = new_desk(tmp_path, server).vault
    desk = Desk(vault, Account("a_1", "bluesky", "it", endpoint))
    row = {"uri": f"at://{DID}/app.bsky.feed.post/3lb", "cid": "bafy"}
    assert receipt_of(row, handle, desk.client.web).url == link


def test_find_does_not_take_a_changed_record_for_proof(desk: Desk) -> None:
    outgoing = desk.outgoing(RenderedPart("Here"))
    desk.send(outgoing)
    desk.client.procedure(
        "com.atproto.repo.putRecord",
        {
            "repo": DID,
            "collection": "app.bsky.feed.post",
            "rkey": outgoing.key,
            "record": {"text": "Elsewhere", "createdAt": "2026-11-23T06:00:00Z"},
        },
    )
    (found,) = desk.network.find(desk.client, outgoing, NOW)
    assert not found.proof
    with pytest.raises(Duplicate):
        desk.send(outgoing)


def test_recent_lists_newest_first_and_delete_is_idempotent(
    desk: Desk, server: EmulatorServer
) -> None:
    first, second = desk.post("First"), desk.post("Second")
    listed = desk.network.recent(desk.client)
    assert [(post.text, post.receipt) for post in listed] == [("Second", second), ("First", first)]
    assert [post.text for post in desk.network.recent(desk.client, 1)] == ["Second"]
    desk.network.delete(desk.client, second)
    desk.network.delete(desk.client, second)
    assert [post.text for post in server.posts()] == ["First"]


# Whose it is


def test_connect_sends_nothing_and_identify_says_who_we_are(
    desk: Desk, server: EmulatorServer
) -> None:
    assert server.requests() == []
    identity = desk.connection.ask(lambda: desk.network.identify(desk.client))
    assert (identity.id, identity.name) == (DID, "@emulated.test")
    assert identity.url == f"{desk.account.endpoint}/profile/emulated.test"
    assert identity.facts == {"handle": "emulated.test"}


def test_ten_posts_and_another_process_take_one_login(
    desk: Desk, server: EmulatorServer, tmp_path: Path
) -> None:
    for number in range(10):
        desk.post(f"Number {number}")
    other = Desk(Vault(tmp_path / "vault", bytes(32)), desk.account)
    other.post("Another process")
    assert count(server, "com.atproto.server.createSession") == 1
    assert count(server, "com.atproto.server.refreshSession") == 0


def test_an_expired_token_is_refused_then_renewed_and_both_tokens_are_stored(
    desk: Desk, server: EmulatorServer
) -> None:
    desk.post("Before")
    before = desk.vault.get("a_1")
    outgoing = desk.outgoing(RenderedPart("After"))
    emulator(server).expire_tokens()
    with pytest.raises(NeedsLogin) as refused:
        desk.send(outgoing)
    assert (refused.value.status, refused.value.code) == (400, "ExpiredToken")
    desk.connection.renew()
    desk.send(outgoing)
    after = desk.vault.get("a_1")
    assert after["access_jwt"] != before["access_jwt"]
    assert after["refresh_jwt"] != before["refresh_jwt"]
    assert (after["handle"], after["app_password"]) == (before["handle"], before["app_password"])
    assert [post.text for post in server.posts()] == ["Before", "After"]
    assert count(server, "com.atproto.server.refreshSession") == 1
    assert count(server, "com.atproto.server.createSession") == 1


def test_a_dead_refresh_token_leads_to_one_login(desk: Desk, server: EmulatorServer) -> None:
    desk.post("Before")
    emulator(server).expire_tokens()
    emulator(server).tokens.expire("refresh")
    desk.post("After")
    assert count(server, "com.atproto.server.refreshSession") == 1
    assert count(server, "com.atproto.server.createSession") == 2


def test_eight_clients_with_one_expired_token_renew_it_once(
    desk: Desk, server: EmulatorServer, tmp_path: Path
) -> None:
    desk.post("Before")
    emulator(server).expire_tokens()
    desks = [Desk(Vault(tmp_path / "vault", bytes(32)), desk.account) for _ in range(8)]
    problems: list[Exception] = []

    def work(one: Desk) -> None:
        try:
            one.post("At once")
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(server.posts()) == 9
    assert count(server, "com.atproto.server.refreshSession") == 1


def test_a_token_that_ends_soon_is_renewed_before_the_work(
    desk: Desk, server: EmulatorServer
) -> None:
    desk.post("Before")
    # {"exp": 1} as the middle part of a token.
    desk.secrets.rotate(access_jwt="e30.eyJleHAiOiAxfQ.soon")
    desk.post("After")
    assert count(server, "com.atproto.server.refreshSession") == 1
    assert all(e.status == 200 for e in server.requests())


def test_publish_never_logs_in_by_itself(desk: Desk, server: EmulatorServer) -> None:
    prepared = {"author": {"did": DID, "handle": "emulated.test"}, "facets": []}
    outgoing = Outgoing(RenderedPart("x"), prepared, "3lbm2222222aa", NOW)
    with pytest.raises(NeedsLogin):
        desk.send(outgoing)
    assert server.requests() == []
    desk.connection.renew()
    assert desk.send(outgoing).id.endswith("/3lbm2222222aa")


def test_a_wrong_password_is_tried_once(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server, credentials={"app_password": "pk_canary_wrong"})
    with pytest.raises(NeedsLogin, match="Invalid identifier or password") as error:
        desk.connection.ask(lambda: desk.network.identify(desk.client))
    assert error.value.code == "AuthenticationRequired"
    assert count(server, "com.atproto.server.createSession") == 1


def test_the_handle_may_be_given_with_its_sign(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server, credentials={"handle": "@emulated.test"})
    assert desk.post("Hello").url is not None


def test_logins_that_are_too_many_are_throttled(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server)
    for _ in range(30):
        desk.secrets.rotate(access_jwt="", refresh_jwt="")
        desk.vault.put("a_1", dict(server.accounts()[0].credentials))
        desk.connection.ask(lambda: Desk(desk.vault, desk.account).client.access.renew())
    desk.vault.put("a_1", dict(server.accounts()[0].credentials))
    late = Desk(desk.vault, desk.account)
    with pytest.raises(Throttled) as error:
        late.connection.ask(lambda: late.network.identify(late.client))
    assert error.value.retry_at is not None
    assert error.value.retry_at > datetime.now(UTC)


# What answers mean


def test_too_many_graphemes_are_refused_with_the_servers_sentence(desk: Desk) -> None:
    with pytest.raises(Refused) as error:
        desk.post("a" * 301)
    assert (error.value.status, error.value.code) == (400, "InvalidRequest")
    assert "grapheme too big (maximum 300, got 301) at $.record.text" in error.value.message


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("lose_answer", {}),
        ("reset", {}),
        ("hang", {}),
        ("truncate", {}),
        ("no_id", {}),
        ("status", {"status": 502}),
        ("status", {"status": 404}),
    ],
)
@pytest.mark.parametrize("accepted", [True, False])
def test_a_spoiled_answer_is_in_doubt_and_a_repeat_makes_no_second_post(
    tmp_path: Path,
    server: EmulatorServer,
    fault: str,
    settings: dict[str, Any],
    accepted: bool,
) -> None:
    desk = new_desk(tmp_path, server, read_timeout=0.5)
    outgoing = desk.outgoing(RenderedPart("Perhaps"))
    server.add_fault("bluesky", fault, accepted=accepted, **settings)
    with pytest.raises(InDoubt):
        desk.send(outgoing)
    assert creates(server) == 1
    assert len(desk.network.find(desk.client, outgoing, NOW)) == int(accepted)
    receipt = desk.send(outgoing)
    assert [post.id for post in server.posts()] == [receipt.id]
    assert creates(server) == 2


def test_a_late_post_and_its_repeat_are_one(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(RenderedPart("Slow"))
    server.add_fault("bluesky", "late", seconds=60)
    with pytest.raises(InDoubt):
        desk.send(outgoing)
    assert desk.network.find(desk.client, outgoing, NOW) == ()
    desk.send(outgoing)
    assert len(server.posts()) == 1


def test_a_rate_limit_names_its_end(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(RenderedPart("Later"))
    server.add_fault("bluesky", "rate_limit", seconds=90)
    with pytest.raises(Throttled) as error:
        desk.send(outgoing)
    assert error.value.code == "RateLimitExceeded"
    assert error.value.retry_at is not None
    wait = (error.value.retry_at - datetime.now(UTC)).total_seconds()
    assert 80 < wait <= 91
    assert server.posts() == []


def test_a_server_that_does_not_listen_is_unavailable(tmp_path: Path) -> None:
    with EmulatorServer([BlueskyEmulator]) as gone:
        desk = new_desk(tmp_path, gone)
        outgoing = desk.outgoing(RenderedPart("x"))
        endpoint = gone.accounts()[0].endpoint
    closed = Desk(desk.vault, Account("a_1", "bluesky", "it", endpoint))
    with pytest.raises(Unavailable):
        closed.send(outgoing)


def test_a_second_create_is_stopped_before_its_socket(desk: Desk, server: EmulatorServer) -> None:
    outgoing = desk.outgoing(RenderedPart("x"))
    with desk.session.create_scope():
        desk.network.publish(desk.client, outgoing)
        with pytest.raises(SecondCreate):
            desk.network.publish(desk.client, outgoing)
    assert creates(server) == 1


def test_another_account_under_the_same_name_is_noticed(
    tmp_path: Path, server: EmulatorServer
) -> None:
    from postkit.network import Identity

    desk = new_desk(tmp_path, server)
    other = Account(
        "a_1", "bluesky", "it", desk.account.endpoint, identity=Identity("did:plc:other", "@x")
    )
    with pytest.raises(NeedsLogin, match="another account"):
        Desk(desk.vault, other).post("x")
    assert server.posts() == []


def test_no_secret_is_in_an_error_or_a_repr(tmp_path: Path, server: EmulatorServer) -> None:
    desk = new_desk(tmp_path, server)
    desk.post("x")
    emulator(server).expire_tokens()
    with pytest.raises(NetworkError) as error:
        desk.send(desk.outgoing(RenderedPart("a" * 301)))
    secret = {v for k, v in desk.vault.get("a_1").items() if k != "handle"}
    shown = repr((error.value, desk.client, desk.secrets, server.requests(), desk.session.last))
    assert len(secret) == 3
    assert not [value for value in secret if value in shown or value in str(error.value)]

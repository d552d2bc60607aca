"""The plugin over a real socket: what it sends, and how it finds it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from postkit_bluesky.record import receipt_of

from postkit.emulator.server import EmulatorServer
from postkit.errors import (
    Duplicate,
)
from postkit.network import Account, Outgoing, RenderedPart
from postkit.testing.media import OneMedium

from .desk import (
    DID,
    LINK,
    MENTION,
    NOW,
    TAG,
    Desk,
    attachment,
    count,
    creates,
    new_desk,
    png,
    record,
)

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
    loaded = Outgoing.from_json(outgoing.to_json(), OneMedium(png()))
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


def test_a_card_is_an_embed_and_its_picture_an_upload(desk: Desk, server: EmulatorServer) -> None:
    card = {"url": "https://example.com/a", "title": "A", "description": "About"}
    outgoing = desk.outgoing(RenderedPart("x", (attachment(png(), ""),), {"card": card}))
    first = desk.send(outgoing)
    loaded = Outgoing.from_json(outgoing.to_json(), OneMedium(png()))
    assert desk.send(loaded) == first, "What was stored makes the same record again."
    external = {"uri": "https://example.com/a", "title": "A", "description": "About"}
    assert record(server)["embed"] == {
        "$type": "app.bsky.embed.external",
        "external": {**external, "thumb": outgoing.prepared["blob_0"]["blob"]},
    }
    assert server.posts()[0].media == ()
    desk.send(desk.outgoing(RenderedPart("y", (), {"card": card})))
    assert record(server, 1)["embed"]["external"] == external


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

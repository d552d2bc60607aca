"""Records and blobs of the emulator, as a real PDS has them (pds/facts.md)."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import pytest
import requests
from PIL import Image

from postkit.emulator.server import EmulatorServer

from .caller import (
    DID,
    KEY,
    LINK,
    OTHER,
    PNG_SIGNATURE,
    POST,
    Caller,
    blob,
    facet,
    images,
    post,
    problem,
    refused,
)

# Records


def test_a_record_is_written_and_read_back(caller: Caller) -> None:
    answer = caller.put(KEY, post()).json()
    assert answer["uri"] == f"at://{DID}/{POST}/{KEY}"
    assert answer["cid"].startswith("bafyrei")
    assert len(answer["cid"]) == 59
    assert set(answer["commit"]) == {"cid", "rev"}
    assert answer["validationStatus"] == "valid"
    assert caller.get(KEY).json() == {
        "uri": answer["uri"],
        "cid": answer["cid"],
        "value": post(),
    }


def test_the_same_record_again_writes_nothing(caller: Caller, server: EmulatorServer) -> None:
    first = caller.put(KEY, post()).json()
    del first["commit"]
    assert caller.put(KEY, post()).json() == first
    assert caller.put(KEY, post(), swapRecord=None).json() == first
    assert len(server.posts()) == 1


def test_a_record_without_type_is_the_same_one(caller: Caller) -> None:
    first = caller.put(KEY, post()).json()
    bare = {name: value for name, value in post().items() if name != "$type"}
    assert caller.put(KEY, bare).json()["cid"] == first["cid"]


def test_swap_null_creates_once_and_no_swap_overwrites(
    caller: Caller, server: EmulatorServer
) -> None:
    cid = caller.put(KEY, post("mine"), swapRecord=None).json()["cid"]
    other = caller.put(KEY, post("other"), swapRecord=None)
    assert problem(other) == (400, "InvalidSwap", f"Record was at {cid}")
    assert caller.get(KEY).json()["value"]["text"] == "mine"
    changed = caller.put(KEY, post("other"))
    assert changed.status_code == 200
    assert changed.json()["cid"] != cid
    assert [one.text for one in server.posts()] == ["other"]


def test_create_with_a_used_key_is_500(caller: Caller, server: EmulatorServer) -> None:
    assert caller.create(post(), rkey=KEY).status_code == 200
    again = caller.create(post(), rkey=KEY)
    assert problem(again) == (500, "InternalServerError", "Internal Server Error")
    assert len(server.posts()) == 1


def test_create_chooses_a_key(caller: Caller, server: EmulatorServer) -> None:
    uris = [caller.create(post()).json()["uri"] for _ in range(3)]
    assert uris == sorted(set(uris))
    assert all(len(uri.rpartition("/")[2]) == 13 for uri in uris)


@pytest.mark.parametrize(
    ("rkey", "message"),
    [
        ("hello", f'Invalid record key for {POST}: Invalid TID string (got "hello") at $'),
        ("a/b", 'Invalid record key (got "a/b") at $.rkey'),
    ],
)
def test_bad_keys(caller: Caller, rkey: str, message: str) -> None:
    assert problem(caller.put(rkey, post())) == (400, "InvalidRequest", message)


def test_others_repositories_and_other_collections(caller: Caller) -> None:
    body = {"repo": "did:plc:x", "collection": POST, "rkey": KEY, "record": post()}
    other = caller.call("com.atproto.repo.putRecord", body)
    assert problem(other) == (403, "AccountNotFound", "Account not found")
    body = {**body, "repo": DID, "collection": "app.bsky.feed.like"}
    assert caller.call("com.atproto.repo.putRecord", body).status_code == 501


def test_what_is_not_json_or_not_whole(caller: Caller) -> None:
    method = "com.atproto.repo.putRecord"
    broken = caller.call(method, data=b"{", headers={"Content-Type": "application/json"})
    assert problem(broken)[:2] == (400, "SyntaxError")
    bare = caller.call(method, data=b"{}")
    message = "Request encoding (Content-Type) required but not provided"
    assert problem(bare) == (400, "InvalidRequest", message)
    empty = caller.call(method, {})
    assert problem(empty) == (400, "InvalidRequest", 'Missing required key "repo" at $')


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (post("a" * 301), "grapheme too big (maximum 300, got 301) at $.record.text"),
        (post("é" * 1501), "string too big (maximum 3000, got 3002) at $.record.text"),
        ({"createdAt": "x"}, 'Missing required key "text" at $.record'),
        ({"text": "x"}, 'Missing required key "createdAt" at $.record'),
        (
            post(createdAt="2026-11-23T05:00:00"),
            'Invalid datetime (got "2026-11-23T05:00:00") at $.record.createdAt',
        ),
        (
            post(langs=["a1", "b", "c", "d"]),
            "array too big (maximum 3, got 4) at $.record.langs",
        ),
        (post(langs=["not a lang"]), 'Invalid language (got "not a lang") at $.record.langs[0]'),
        (
            post(facets=[facet({"$type": LINK, "uri": "https://a.b"}, byteStart=-1)]),
            "integer too small (minimum 0, got -1) at $.record.facets[0].index.byteStart",
        ),
        (
            post(facets=[facet({"$type": LINK, "uri": "not a uri"})]),
            'Invalid uri (got "not a uri") at $.record.facets[0].features[0].uri',
        ),
        (
            post(facets=[facet({"$type": "app.bsky.richtext.facet#tag", "tag": "t" * 65})]),
            "grapheme too big (maximum 64, got 65) at $.record.facets[0].features[0].tag",
        ),
        (
            post(facets=[facet({"$type": "app.bsky.richtext.facet#mention", "did": "alice"})]),
            'Invalid DID (got "alice") at $.record.facets[0].features[0].did',
        ),
        (
            post(reply={"root": {"uri": "at://x", "cid": "b"}, "parent": {}}),
            'Invalid at-uri (got "at://x") at $.record.reply.root.uri',
        ),
        (post(tags=["t"] * 9), "array too big (maximum 8, got 9) at $.record.tags"),
    ],
)
def test_the_lexicon_refuses(caller: Caller, record: dict[str, Any], reason: str) -> None:
    answer = caller.put(KEY, record)
    assert problem(answer) == refused(reason)
    assert caller.get(KEY).status_code == 400


@pytest.mark.parametrize("text", ["a" * 300, "é" * 300, "👩‍👩‍👧‍👦" * 120, ""])
def test_the_longest_and_the_shortest_text(caller: Caller, text: str) -> None:
    assert caller.put(KEY, post(text)).status_code == 200


def test_what_is_not_validated_passes(caller: Caller) -> None:
    answer = caller.put(KEY, post("a" * 301), validate=False).json()
    assert "validationStatus" not in answer
    strange = post(
        unknown="field",
        embed={"$type": "com.example.embed"},
        facets=[facet({"$type": LINK, "uri": "https://a.b"}, byteEnd=99)],
    )
    assert caller.put(OTHER, strange).status_code == 200


def test_fractions_are_no_values(caller: Caller) -> None:
    answer = caller.put(KEY, post(foo=1.5))
    assert problem(answer) == (
        400,
        "InvalidRequest",
        "Expected one of null, boolean, integer, string, cid, bytes, array or object value type "
        "(got 1.5) at $.record.foo",
    )


# Blobs


def test_a_blob_has_the_type_of_its_bytes_and_the_cid_of_its_content(caller: Caller) -> None:
    data = PNG_SIGNATURE + b"rest"
    found = blob(caller, data, "image/jpeg")
    digest = bytes((1, 0x55, 0x12, 0x20)) + hashlib.sha256(data).digest()
    cid = "b" + base64.b32encode(digest).decode().rstrip("=").lower()
    assert found == {
        "$type": "blob",
        "ref": {"$link": cid},
        "mimeType": "image/png",
        "size": len(data),
    }
    assert cid.startswith("bafkrei")
    assert blob(caller, b"words", "text/plain")["mimeType"] == "text/plain"


@pytest.mark.parametrize(("size", "status"), [(5_242_880, 200), (5_242_881, 413)])
def test_the_upload_limit(caller: Caller, size: int, status: int) -> None:
    answer = caller.upload(PNG_SIGNATURE + bytes(size - len(PNG_SIGNATURE)))
    assert answer.status_code == status
    if status == 413:
        assert answer.json() == {"error": "PayloadTooLarge", "message": "request entity too large"}


@pytest.mark.parametrize("size", [2_000_000, 2_000_001])
def test_a_big_image_uploads_but_its_record_is_refused(caller: Caller, size: int) -> None:
    found = blob(caller, PNG_SIGNATURE + bytes(size - len(PNG_SIGNATURE)))
    answer = caller.put(KEY, post(embed=images({"image": found, "alt": ""})))
    if size == 2_000_000:
        assert answer.status_code == 200
        return
    where = "$.record.embed.images[0].image"
    assert problem(answer) == refused(f"blob too big (maximum 2000000, got 2000001) at {where}")


@pytest.mark.parametrize("size", [1_000_000, 1_000_001])
def test_the_picture_of_a_card_has_a_limit_of_its_own(
    caller: Caller, server: EmulatorServer, size: int
) -> None:
    thumb = blob(caller, PNG_SIGNATURE + bytes(size - len(PNG_SIGNATURE)))
    external = {"uri": "https://a.b", "title": "A", "description": "", "thumb": thumb}
    embed = {"$type": "app.bsky.embed.external", "external": external}
    answer = caller.put(KEY, post(embed=embed))
    if size == 1_000_000:
        assert answer.status_code == 200
        card = server.posts()[0].card
        assert card is not None
        assert (card.title, card.image and card.image.mime) == ("A", "image/png")
        return
    where = "$.record.embed.external.thumb"
    assert problem(answer) == refused(f"blob too big (maximum 1000000, got 1000001) at {where}")


def test_a_card_needs_its_title_and_its_description(caller: Caller) -> None:
    whole = {"uri": "https://a.b", "title": "A", "description": ""}
    for name in whole:
        external = {key: value for key, value in whole.items() if key != name}
        embed = {"$type": "app.bsky.embed.external", "external": external}
        reason = f'Missing required key "{name}" at $.record.embed.external'
        assert problem(caller.put(KEY, post(embed=embed))) == refused(reason)


def test_images_are_checked(caller: Caller) -> None:
    good = {"image": blob(caller, PNG_SIGNATURE), "alt": ""}
    words = {"image": blob(caller, b"words", "text/plain"), "alt": ""}
    at = "$.record.embed.images"
    cases = [
        ([good] * 5, f"array too big (maximum 4, got 5) at {at}"),
        ([{"image": good["image"]}], f'Missing required key "alt" at {at}[0]'),
        ([words], f'Expected "image/*" (got "text/plain") at {at}[0].image.mimeType'),
        (
            [{**good, "aspectRatio": {"width": 0, "height": 1}}],
            f"integer too small (minimum 1, got 0) at {at}[0].aspectRatio.width",
        ),
    ]
    for items, reason in cases:
        assert problem(caller.put(KEY, post(embed=images(*items)))) == refused(reason)


def test_a_record_names_only_what_was_uploaded(caller: Caller, server: EmulatorServer) -> None:
    found = blob(caller, PNG_SIGNATURE)
    cid = found["ref"]["$link"]
    lied = {"image": {**found, "size": 3}, "alt": ""}
    assert problem(caller.put(KEY, post(embed=images(lied)))) == (
        400,
        "InvalidSize",
        "Referenced Size does not match stored blob. Expected: 8, Got: 3",
    )
    server.set("bluesky", "blob_life", 0.0)
    late = caller.put(KEY, post(embed=images({"image": found, "alt": ""})))
    assert problem(late) == (400, "BlobNotFound", f"Could not find blob: {cid}")
    server.set("bluesky", "blob_life", 900.0)
    assert caller.put(KEY, post(embed=images({"image": found, "alt": ""}))).status_code == 200
    server.set("bluesky", "blob_life", 0.0)
    assert caller.put(OTHER, post(embed=images({"image": found, "alt": ""}))).status_code == 200


# Reading and deleting


def test_what_is_not_there(caller: Caller) -> None:
    answer = caller.get(KEY)
    message = f"Could not locate record: at://{DID}/{POST}/{KEY}"
    assert problem(answer) == (400, "RecordNotFound", message)
    other = caller.ask("com.atproto.repo.getRecord", repo="did:plc:x", collection=POST, rkey=KEY)
    assert problem(other) == (502, "UpstreamFailure", "Upstream service unreachable")


def test_lists_are_by_key_and_go_on_at_the_cursor(caller: Caller) -> None:
    keys = [f"3lbm22222222{letter}" for letter in "abcde"]
    for key in (keys[2], keys[0], keys[4], keys[1], keys[3]):
        caller.put(key, post(key))

    def page(**more: Any) -> tuple[list[str], str | None]:
        answer = caller.ask(
            "com.atproto.repo.listRecords", repo=DID, collection=POST, **more
        ).json()
        return [row["value"]["text"] for row in answer["records"]], answer.get("cursor")

    assert page(limit=2) == ([keys[4], keys[3]], keys[3])
    assert page(limit=2, cursor=keys[3]) == ([keys[2], keys[1]], keys[1])
    assert page(limit=2, reverse="true") == ([keys[0], keys[1]], keys[1])
    assert page(cursor=keys[0]) == ([], None)
    answer = caller.ask("com.atproto.repo.listRecords", repo=DID, collection=POST, limit=101)
    assert problem(answer) == (
        400,
        "InvalidRequest",
        "Invalid com.atproto.repo.listRecords params: integer too big (maximum 100, got 101)",
    )


def test_delete_is_idempotent(caller: Caller) -> None:
    caller.put(KEY, post())
    body = {"repo": DID, "collection": POST, "rkey": KEY}
    first = caller.call("com.atproto.repo.deleteRecord", body)
    assert set(first.json()["commit"]) == {"cid", "rev"}
    second = caller.call("com.atproto.repo.deleteRecord", body)
    assert (second.status_code, second.json()) == (200, {})
    assert caller.get(KEY).json()["error"] == "RecordNotFound"


def test_handles(caller: Caller) -> None:
    method = "com.atproto.identity.resolveHandle"
    assert caller.ask(method, handle="Emulated.test").json() == {"did": DID}
    unknown = (400, "HandleNotFound", "Unable to resolve handle")
    assert problem(caller.ask(method, handle="nobody.test")) == unknown
    assert problem(caller.ask(method, handle="nobody.example"))[1] == "InvalidRequest"


# What the page and the tests see


def test_the_timeline_shows_what_a_reader_would_see(caller: Caller, server: EmulatorServer) -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "navy").save(out, "PNG")
    found = blob(caller, out.getvalue())
    text = "Grüße an example.com"
    labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]}
    link = facet({"$type": LINK, "uri": "https://example.com"}, byteStart=11, byteEnd=22)
    record = post(
        text,
        facets=[link],
        langs=["de"],
        labels=labels,
        embed=images({"image": found, "alt": "Blue"}),
    )
    uri = caller.put(KEY, record).json()["uri"]
    (shown,) = server.posts()
    assert (shown.id, shown.account, shown.language) == (uri, "emulated.test", "de")
    assert shown.content_warning == "nudity"
    assert shown.links is not None
    assert [(text[a.start : a.end], a.href) for a in shown.links] == [
        ("example.com", "https://example.com")
    ]
    (media,) = shown.media
    assert (media.mime, media.width, media.height, media.alt) == ("image/png", 20, 10, "Blue")
    assert media.sha256 == hashlib.sha256(out.getvalue()).hexdigest()
    assert shown.url is not None
    page = requests.get(shown.url, timeout=10)
    assert page.status_code == 200
    assert "example.com" in page.text


def test_only_posts_are_creates(caller: Caller, server: EmulatorServer) -> None:
    server.world.journal.clear()
    caller.upload(b"x")
    caller.put(KEY, post())
    caller.create(post())
    caller.call("com.atproto.repo.deleteRecord", {"repo": DID, "collection": POST, "rkey": KEY})
    assert [entry.create for entry in server.requests()] == [False, True, True, False]


def test_what_is_not_emulated_names_itself(caller: Caller) -> None:
    answer = caller.ask("app.bsky.feed.getPosts", uris="at://x")
    assert answer.status_code == 501
    assert "app.bsky.feed.getPosts" in answer.text

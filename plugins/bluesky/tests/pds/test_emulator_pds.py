"""The emulator beside a real PDS: the same requests, the same answers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image
from postkit_bluesky.emulator import BlueskyEmulator

from postkit.emulator.server import EmulatorServer

from .server_process import Pds
from .xrpc import COLLECTION, Session, call, new_tid, post_record

PNG = b"\x89PNG\r\n\x1a\n"
LINK = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com"}
IMAGES = "app.bsky.embed.images"
GATE = "app.bsky.feed.threadgate"
Seen = tuple[int, Any]


@pytest.fixture(scope="module")
def sessions(pds: Pds) -> Iterator[tuple[Session, Session]]:
    """One at the real server, one at the emulator."""
    real = pds.new_account()
    with EmulatorServer([BlueskyEmulator]) as server:
        mine = server.accounts()[0]
        handle, password = mine.credentials["handle"], mine.credentials["app_password"]
        yield (
            Session.open(real.url, real.handle, real.password),
            Session.open(mine.endpoint, handle, password),
        )


def seen(answer: requests.Response, session: Session) -> Seen:
    """Status and body without what must differ: identifiers, and how long words may be."""
    text = answer.text.replace(session.did, "DID")
    text = re.sub(r"\bbaf[a-z2-7]{56}\b", "CID", text)
    text = re.sub(r'"rev":"[2-7a-z]{13}"', '"rev":"TID"', text)
    body = json.loads(text) if text else None
    if isinstance(body, dict) and body.get("error") == "SyntaxError":
        body.pop("message")
    return answer.status_code, body


def image(session: Session, data: bytes, mime: str = "image/png", **more: Any) -> dict[str, Any]:
    blob = session.upload(data, mime).json()["blob"]
    return {"$type": IMAGES, "images": [{"image": blob, "alt": "", **more}]}


def facet(feature: dict[str, Any], start: int = 0, end: int = 1) -> list[dict[str, Any]]:
    return [{"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}]


RECORDS: dict[str, dict[str, Any]] = {
    "plain": post_record("Hello"),
    "empty": post_record(""),
    "300 graphemes": post_record("é" * 300),
    "301 graphemes": post_record("a" * 301),
    "3001 bytes": post_record("👩‍👩‍👧‍👦" * 120 + "a"),
    "no text": {"$type": COLLECTION, "createdAt": "2026-11-23T05:00:00.000Z"},
    "no time": {"$type": COLLECTION, "text": "x"},
    "no type": {"text": "x", "createdAt": "2026-11-23T05:00:00.000Z"},
    "another type": {**post_record("x"), "$type": "app.bsky.feed.like"},
    "time without zone": post_record("x") | {"createdAt": "2026-11-23T05:00:00"},
    "time without T": post_record("x") | {"createdAt": "2026-11-23 05:00:00Z"},
    "three languages": post_record("x", langs=["en", "pt-BR", "zh-Hant"]),
    "four languages": post_record("x", langs=["en", "de", "fr", "es"]),
    "no language": post_record("x", langs=["not a lang"]),
    "link": post_record("x", facets=facet(LINK)),
    "link with other letters": post_record("x", facets=facet({**LINK, "uri": "https://a.b/ä"})),
    "link without scheme": post_record("x", facets=facet({**LINK, "uri": "example.com"})),
    "facet before the text": post_record("x", facets=facet(LINK, -1)),
    "facet behind the text": post_record("x", facets=facet(LINK, 0, 99)),
    "tag of 64": post_record(
        "x", facets=facet({"$type": "app.bsky.richtext.facet#tag", "tag": "t" * 64})
    ),
    "tag of 65": post_record(
        "x", facets=facet({"$type": "app.bsky.richtext.facet#tag", "tag": "t" * 65})
    ),
    "mention of no DID": post_record(
        "x", facets=facet({"$type": "app.bsky.richtext.facet#mention", "did": "alice"})
    ),
    "eight tags": post_record("x", tags=["t" * 64] * 8),
    "nine tags": post_record("x", tags=["t"] * 9),
    "a tag of 65": post_record("x", tags=["t" * 65]),
    "bad reply": post_record(
        "x", reply={"root": {"uri": "at://x", "cid": "x"}, "parent": {"uri": "at://x", "cid": "x"}}
    ),
    "half a reply": post_record("x", reply={}),
    "labels": post_record(
        "x",
        labels={"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]},
    ),
    "unknown field": post_record("x", unknown={"a": [1, None, True]}),
    "unknown embed": post_record("x", embed={"$type": "com.example.embed"}),
    "a fraction": post_record("x", foo=1.5),
    "card without description": post_record(
        "x",
        embed={
            "$type": "app.bsky.embed.external",
            "external": {"uri": "https://example.com", "title": ""},
        },
    ),
    "card to no address": post_record(
        "x",
        embed={
            "$type": "app.bsky.embed.external",
            "external": {"uri": "x", "title": "", "description": ""},
        },
    ),
    "no images": post_record("x", embed={"$type": IMAGES, "images": []}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record(sessions: tuple[Session, Session], name: str) -> None:
    key = new_tid()
    real, mine = (seen(s.put(key, RECORDS[name], swapRecord=None), s) for s in sessions)
    assert mine == real


@pytest.mark.parametrize(
    ("data", "mime", "more"),
    [
        (PNG, "image/png", {}),
        (PNG, "image/jpeg", {"aspectRatio": {"width": 4, "height": 3}}),
        (PNG, "image/png", {"aspectRatio": {"width": 0, "height": 3}}),
        (b"words", "text/plain", {}),
        (PNG + bytes(1_999_993), "image/png", {}),
    ],
    ids=["png", "another type", "no width", "text", "2,000,001 bytes"],
)
def test_an_image(
    sessions: tuple[Session, Session], data: bytes, mime: str, more: dict[str, Any]
) -> None:
    key = new_tid()
    real, mine = (
        seen(s.put(key, post_record("x", embed=image(s, data, mime, **more))), s) for s in sessions
    )
    assert mine == real


def test_a_blob(sessions: tuple[Session, Session]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "navy").save(out, "PNG")
    real, mine = (s.upload(out.getvalue(), "image/jpeg").json() for s in sessions)
    assert mine == real
    assert mine["blob"]["mimeType"] == "image/png"


def test_a_blob_that_was_not_uploaded_or_has_another_size(
    sessions: tuple[Session, Session],
) -> None:
    key = new_tid()

    def answers(session: Session) -> list[Seen]:
        embed = image(session, PNG + b"size")
        found = embed["images"][0]["image"]
        unknown = {**found, "ref": {"$link": "bafkrei" + "a" * 52}}
        lied = {**found, "size": 3}
        return [
            seen(session.put(key, post_record("x", embed=embed | {"images": [item]})), session)
            for item in ({"image": unknown, "alt": ""}, {"image": lied, "alt": ""})
        ]

    real, mine = map(answers, sessions)
    assert mine == real


def test_a_key_and_its_repeats(sessions: tuple[Session, Session]) -> None:
    key = new_tid()

    def answers(session: Session) -> list[Seen]:
        first, other = post_record("first"), post_record("other")
        return [
            seen(answer, session)
            for answer in (
                session.get(key),
                session.put(key, first, swapRecord=None),
                session.put(key, first, swapRecord=None),
                session.put(key, first),
                session.put(key, other, swapRecord=None),
                session.create(key, first),
                session.get(key),
                session.put(key, other),
                session.get(key),
                delete(session, key),
                delete(session, key),
                session.get(key),
                session.put("hello", first),
                session.put("a/b", first),
            )
        ]

    real, mine = map(answers, sessions)
    assert mine == real


def gated(
    session: Session, key: str, text: str = "x", **gate: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The writes of a post and of its gate."""
    kind = "com.atproto.repo.applyWrites#create"
    value = {
        "$type": GATE,
        "post": f"at://{session.did}/{COLLECTION}/{key}",
        "allow": [],
        "createdAt": "2026-11-29T05:00:00.000Z",
        **gate,
    }
    return (
        {"$type": kind, "collection": COLLECTION, "rkey": key, "value": post_record(text)},
        {"$type": kind, "collection": GATE, "rkey": key, "value": value},
    )


@pytest.mark.parametrize(
    "gate",
    [
        {},
        {"allow": [{"$type": f"{GATE}#{name}Rule"} for name in ("mention", "follower")]},
        {"allow": [{"$type": f"{GATE}#mentionRule"}] * 6},
        {"allow": [{"$type": f"{GATE}#nonsense"}]},
        {"allow": [{"$type": f"{GATE}#listRule"}]},
        {"allow": [{"$type": f"{GATE}#listRule", "list": "x"}]},
        {"allow": [{}]},
        {"allow": "x"},
        {"post": "x"},
        {"createdAt": "x"},
        {"more": 1.5},
        {"$type": "app.bsky.feed.like"},
        {"text": "a" * 301},
    ],
)
def test_a_gate_and_its_post(sessions: tuple[Session, Session], gate: dict[str, Any]) -> None:
    key = new_tid()

    def answers(session: Session) -> list[Seen]:
        writes = gated(session, key, **gate)
        first, again = session.apply(*writes), session.apply(*writes)
        read = session.get(key), session.get(key, GATE)
        gone = delete(session, key), session.get(key, GATE)
        left = delete(session, key, GATE), delete(session, key, GATE), session.get(key, GATE)
        return [seen(answer, session) for answer in (first, again, *read, *gone, *left)]

    real, mine = map(answers, sessions)
    assert mine == real


def test_a_gate_whose_key_is_taken(sessions: tuple[Session, Session]) -> None:
    key = new_tid()

    def answers(session: Session) -> list[Seen]:
        session.put(key, post_record("open"))
        both = session.apply(*gated(session, key))
        return [seen(answer, session) for answer in (both, session.get(key, GATE))]

    real, mine = map(answers, sessions)
    assert mine == real


def delete(session: Session, key: str, collection: str = COLLECTION) -> requests.Response:
    body = {"repo": session.did, "collection": collection, "rkey": key}
    return call(session.url, "com.atproto.repo.deleteRecord", token=session.token, json=body)


def test_bad_requests(sessions: tuple[Session, Session]) -> None:
    def answers(session: Session) -> list[Seen]:
        put, login = "com.atproto.repo.putRecord", "com.atproto.server.createSession"
        refresh = "com.atproto.server.refreshSession"
        lists = f"{session.url}/xrpc/com.atproto.repo.listRecords"
        query = {"repo": session.did, "collection": COLLECTION}
        json_type = {"Content-Type": "application/json"}
        return [
            seen(answer, session)
            for answer in (
                call(session.url, put, json={}),
                call(session.url, put, token="garbage", json={}),
                call(session.url, put, token=session.token, json={}),
                call(session.url, put, token=session.token, data=b"{", headers=json_type),
                call(session.url, login, json={"identifier": "nobody.test"}),
                call(session.url, login, json={"identifier": "nobody.test", "password": "x"}),
                call(session.url, refresh, token=session.token),
                requests.get(lists, params={**query, "limit": "101"}, timeout=30),
                requests.get(lists, params={**query, "limit": "0"}, timeout=30),
                requests.get(
                    f"{session.url}/xrpc/com.atproto.identity.resolveHandle",
                    params={"handle": "nobody-at-all.test"},
                    timeout=30,
                ),
            )
        ]

    real, mine = map(answers, sessions)
    assert mine == real


def test_rate_limit_headers(sessions: tuple[Session, Session]) -> None:
    names = ("RateLimit-Limit", "RateLimit-Policy")

    def headers(session: Session) -> list[str | None]:
        answer = session.put(new_tid(), post_record("x"))
        refused = call(session.url, "com.atproto.repo.putRecord", token="garbage", json={})
        return [one.headers.get(name) for one in (answer, refused) for name in names]

    real, mine = map(headers, sessions)
    assert mine == real

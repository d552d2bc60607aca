"""Records of the wrong shape: the emulator names the mistake, as a real PDS does (pds/facts.md)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from postkit.emulator.server import EmulatorServer

from .caller import DID, KEY, OTHER, POST, Caller, post

BLOB: dict[str, Any] = {
    "$type": "blob",
    "ref": {"$link": "x"},
    "mimeType": "image/png",
    "size": 1,
}
CARD = {"uri": "https://example.com/", "title": "", "description": ""}
LABELS = "com.atproto.label.defs#selfLabels"
TAG = "app.bsky.richtext.facet#tag"


def pictures(**change: Any) -> dict[str, Any]:
    image = {"image": BLOB, "alt": "", **change}
    return {"embed": {"$type": "app.bsky.embed.images", "images": [image]}}


def card(**change: Any) -> dict[str, Any]:
    return {"embed": {"$type": "app.bsky.embed.external", "external": {**CARD, **change}}}


def facets(features: Any, start: Any = 0) -> dict[str, Any]:
    return {"facets": [{"index": {"byteStart": start, "byteEnd": 1}, "features": features}]}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("text", {"text": 5}),
    ("langs", {"langs": 5}),
    ("tags", {"tags": "a"}),
    ("tags[0]", {"tags": [5]}),
    ("labels", {"labels": []}),
    ("labels.values", {"labels": {"$type": LABELS, "values": None}}),
    ("labels.values[0].val", {"labels": {"$type": LABELS, "values": [{"val": 5}]}}),
    ("embed", {"embed": {"images": []}}),
    ("embed.$type", {"embed": {"$type": 5}}),
    ("facets", {"facets": 5}),
    ("facets[0].features", facets(5)),
    ("facets[0].features[0]", facets(["a"])),
    ("facets[0].features[0].tag", facets([{"$type": TAG, "tag": 5}])),
    ("facets[0].index.byteStart", facets([], "0")),
    ("embed", {"embed": "a"}),
    ("embed.images", {"embed": {"$type": "app.bsky.embed.images", "images": 5}}),
    ("embed.images[0].alt", pictures(alt=None)),
    ("embed.images[0].image", pictures(image={**BLOB, "ref": 5})),
    ("embed.images[0].image", pictures(image={**BLOB, "size": "1"})),
    ("embed.images[0].aspectRatio.width", pictures(aspectRatio={"width": "1", "height": 1})),
    ("embed.external.title", card(title=5)),
]


@pytest.mark.parametrize(("path", "fields"), WRONG)
def test_a_value_of_another_type_is_named(
    caller: Caller, server: EmulatorServer, path: str, fields: dict[str, Any]
) -> None:
    answer = caller.put(KEY, post(**fields))
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"] == "InvalidRequest"
    assert body["message"].startswith(f"Invalid {POST} record: Expected ")
    assert body["message"].endswith(f" at $.record.{path}")
    assert server.posts() == []


@pytest.mark.parametrize(("_path", "fields"), WRONG)
def test_without_validation_it_is_written_and_shown(
    caller: Caller, server: EmulatorServer, _path: str, fields: dict[str, Any]
) -> None:
    record = post(**fields)
    answer = caller.put(KEY, record, validate=False)
    assert answer.status_code == 200
    assert "validationStatus" not in answer.json()
    assert caller.get(KEY).json()["value"] == record
    assert requests.get(server.url, timeout=5).status_code == 200


def test_a_lone_surrogate_is_stored_as_the_replacement_character(caller: Caller) -> None:
    assert caller.put(KEY, post("a\ud800b")).status_code == 200
    assert caller.get(KEY).json()["value"]["text"] == "a\ufffdb"


def test_a_commit_that_is_not_the_last_one_is_refused(
    caller: Caller, server: EmulatorServer
) -> None:
    head = caller.put(KEY, post()).json()["commit"]["cid"]
    refused = caller.put(OTHER, post(), swapCommit="bafyreiother")
    assert refused.status_code == 400
    assert refused.json() == {"error": "InvalidSwap", "message": f"Commit was at {head}"}
    assert len(server.posts()) == 1
    assert caller.put(OTHER, post(), swapCommit=head).status_code == 200


@pytest.mark.parametrize("name", ["record", "recordWithMedia", "gallery"])
def test_an_embed_that_a_server_would_check_is_a_501(caller: Caller, name: str) -> None:
    answer = caller.put(KEY, post(embed={"$type": f"app.bsky.embed.{name}"}))
    assert answer.status_code == 501
    assert name in answer.json()["postkit_emulator"]
    assert caller.put(KEY, post(embed={"$type": "org.example.embed"})).status_code == 200


@pytest.mark.parametrize("limit", ["²", "9" * 5000, "-1", "0", "101", "a"])
def test_a_limit_is_a_number(caller: Caller, limit: str) -> None:
    answer = caller.ask("com.atproto.repo.listRecords", repo=DID, collection=POST, limit=limit)
    assert answer.status_code == 400
    assert "listRecords params" in answer.json()["message"]

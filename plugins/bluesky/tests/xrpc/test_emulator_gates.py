"""Reply gates at the emulator, as a real PDS has them (pds/facts.md)."""

from __future__ import annotations

from typing import Any

import pytest

from postkit.emulator.server import EmulatorServer

from .caller import DID, GATE, KEY, OTHER, POST, Caller, gated, post, problem

BROKEN = "Invalid app.bsky.feed.threadgate record:"


def rule(name: str, **more: Any) -> dict[str, Any]:
    return {"$type": f"{GATE}#{name}", **more}


@pytest.mark.parametrize(
    ("allow", "replies"),
    [
        ([], "nobody"),
        ([rule("followerRule")], "followers"),
        ([rule("followingRule")], "following"),
        ([rule("mentionRule")], "mentioned"),
        ([rule("mentionRule"), rule("followingRule")], "mentioned, following"),
        ([rule("listRule", list=f"at://{DID}/app.bsky.graph.list/{KEY}")], "listRule"),
    ],
)
def test_a_post_and_its_gate_are_one_write(
    caller: Caller, server: EmulatorServer, allow: list[dict[str, Any]], replies: str
) -> None:
    answer = caller.apply(*gated(KEY, allow=allow)).json()
    assert set(answer["commit"]) == {"cid", "rev"}
    kind = "com.atproto.repo.applyWrites#createResult"
    assert [(row["uri"], row["$type"], row["validationStatus"]) for row in answer["results"]] == [
        (f"at://{DID}/{collection}/{KEY}", kind, "valid") for collection in (POST, GATE)
    ]
    (live,) = server.posts()
    assert live.replies == replies
    gate = caller.get(KEY, GATE).json()
    assert (gate["value"]["allow"], gate["cid"]) == (allow, answer["results"][1]["cid"])
    assert caller.get(KEY).json()["value"] == post()


def test_a_post_alone_is_open_to_everyone(caller: Caller, server: EmulatorServer) -> None:
    alone, _ = gated(KEY)
    assert len(caller.apply(alone).json()["results"]) == 1
    assert [one.replies for one in server.posts()] == ["everyone"]
    assert problem(caller.get(KEY, GATE))[1] == "RecordNotFound"


def test_a_used_key_is_500_and_writes_neither(caller: Caller, server: EmulatorServer) -> None:
    assert caller.apply(*gated(KEY)).status_code == 200
    again = caller.apply(*gated(KEY))
    assert problem(again) == (500, "InternalServerError", "Internal Server Error")
    caller.put(OTHER, post("Open"))
    assert caller.apply(*gated(OTHER)).status_code == 500
    assert problem(caller.get(OTHER, GATE))[1] == "RecordNotFound"
    assert [one.replies for one in server.posts()] == ["nobody", "everyone"]


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ({"allow": [rule("mentionRule")] * 6}, "array too big (maximum 5, got 6) at {}.allow"),
        ({"allow": "x"}, 'Expected array value type (got "x") at {}.allow'),
        ({"post": "x"}, 'Invalid at-uri (got "x") at {}.post'),
        ({"createdAt": "x"}, 'Invalid datetime (got "x") at {}.createdAt'),
        ({"allow": [rule("listRule")]}, 'Missing required key "list" at {}.allow[0]'),
        (
            {"allow": [rule("listRule", list="x")]},
            'Invalid at-uri (got "x") at {}.allow[0].list',
        ),
        (
            {"allow": [{}]},
            'Expected an object which includes the "$type" property value type (got {{}}) '
            "at {}.allow[0]",
        ),
    ],
)
def test_a_broken_gate_is_refused_with_its_post(
    caller: Caller, server: EmulatorServer, gate: dict[str, Any], reason: str
) -> None:
    answer = caller.apply(*gated(KEY, **gate))
    said = f"{BROKEN} {reason.format('$.writes[1].record')}"
    assert problem(answer) == (400, "InvalidRequest", said)
    assert server.posts() == []


def test_a_broken_post_is_refused_with_its_gate(caller: Caller, server: EmulatorServer) -> None:
    answer = caller.apply(*gated(KEY, post("a" * 301)))
    assert problem(answer)[2] == (
        f"Invalid {POST} record: grapheme too big (maximum 300, got 301) at $.writes[0].record.text"
    )
    assert server.posts() == []
    assert problem(caller.get(KEY, GATE))[1] == "RecordNotFound"


def test_a_gate_outlives_its_post(caller: Caller, server: EmulatorServer) -> None:
    caller.apply(*gated(KEY))
    assert "commit" in caller.drop(POST, KEY).json()
    assert server.posts() == []
    assert caller.get(KEY, GATE).status_code == 200
    listed = caller.ask("com.atproto.repo.listRecords", repo=DID, collection=GATE).json()
    assert [row["uri"] for row in listed["records"]] == [f"at://{DID}/{GATE}/{KEY}"]
    assert "commit" in caller.drop(GATE, KEY).json()
    assert caller.drop(GATE, KEY).json() == {}
    assert caller.get(KEY, GATE).status_code == 400


def test_other_batches_are_answered_loudly(caller: Caller) -> None:
    alone, gate = gated(KEY)
    for writes in ([gate], [alone, alone], [alone, {**gate, "rkey": OTHER}], []):
        assert caller.apply(*writes).status_code == 501
    deletion = {"$type": "com.atproto.repo.applyWrites#delete", "collection": POST, "rkey": KEY}
    assert caller.apply(deletion).status_code == 501

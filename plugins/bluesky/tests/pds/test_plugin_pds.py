"""postkit against a real PDS, from a post to the record that anybody can read by plain HTTP."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from postkit import Kit, Media, Part, Post, Wishes
from postkit.errors import NeedsLogin
from postkit.report import DeliveryReport

from .proxy import LosingProxy
from .server_process import Pds

PUT = "com.atproto.repo.putRecord"
APPLY = "com.atproto.repo.applyWrites"
GATE = "app.bsky.feed.threadgate"
LOGIN = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"
UPLOAD = "com.atproto.repo.uploadBlob"
# One grapheme cluster of 25 UTF-8 bytes.
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}"

Publish = Callable[..., DeliveryReport]


@pytest.fixture(scope="module")
def account(pds: Pds) -> Pds:
    """An account of this module: an empty repository."""
    return pds.new_account()


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with Kit(home=tmp_path / "home", key=os.urandom(32)) as kit:
        yield kit


@pytest.fixture
def publish(kit: Kit, account: Pds) -> Publish:
    """Connect by whatever endpoint is given, publish there, and return the one delivery."""

    def run(post: Post, *, endpoint: str = account.url, wait: float = 30, **wishes: Any) -> Any:
        if not kit.accounts:
            connect(kit, account, endpoint)
        planned = Wishes(again=True, **wishes)
        return kit.publish(post, ["bluesky"], wait=wait, wishes=planned).deliveries[0]

    return run


def connect(kit: Kit, account: Pds, endpoint: str) -> None:
    _, problem = kit.connect(
        "bluesky",
        {"handle": account.handle, "app_password": account.password},
        endpoint=endpoint,
    )
    assert problem is None


def read(account: Pds, uri: str | None) -> dict[str, Any]:
    """The record as anybody reads it: no token, no code of postkit."""
    assert uri is not None
    did, collection, rkey = uri.removeprefix("at://").split("/")
    answer = requests.get(
        f"{account.url}/xrpc/com.atproto.repo.getRecord",
        params={"repo": did, "collection": collection, "rkey": rkey},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def gate_of(uri: str | None) -> str:
    """Where the gate of a post would be."""
    assert uri is not None
    return uri.replace("app.bsky.feed.post", GATE)


def is_gone(account: Pds, uri: str) -> bool:
    did, collection, rkey = uri.removeprefix("at://").split("/")
    answer = requests.get(
        f"{account.url}/xrpc/com.atproto.repo.getRecord",
        params={"repo": did, "collection": collection, "rkey": rkey},
        timeout=30,
    )
    return answer.status_code == 400 and answer.json()["error"] == "RecordNotFound"


def values(account: Pds, report: DeliveryReport) -> list[dict[str, Any]]:
    assert report.state == "live", (report.error, report.question)
    return [read(account, part.remote_id)["value"] for part in report.parts]


def records(account: Pds, text: str) -> list[dict[str, Any]]:
    """Every record of the account with this text."""
    answer = requests.get(
        f"{account.url}/xrpc/com.atproto.repo.listRecords",
        params={"repo": account.did, "collection": "app.bsky.feed.post", "limit": "100"},
        timeout=30,
    )
    rows = [row["value"] for row in answer.json()["records"]]
    return [value for value in rows if value["text"] == text]


def noise(width: int, height: int) -> bytes:
    """A PNG that hardly shrinks."""
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(out, "PNG")
    return out.getvalue()


def plain_png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("replies", "allow"),
    [
        ("nobody", []),
        ("followers", [{"$type": f"{GATE}#followerRule"}]),
        ("following", [{"$type": f"{GATE}#followingRule"}]),
        ("mentioned", [{"$type": f"{GATE}#mentionRule"}]),
    ],
)
def test_the_first_part_of_a_thread_has_the_gate(
    publish: Publish, account: Pds, kit: Kit, replies: str, allow: list[dict[str, str]]
) -> None:
    report = publish(Post([f"For {replies}", "More"], replies=replies))
    first, _ = values(account, report)
    one, two = (str(part.remote_id) for part in report.parts)
    gate = read(account, gate_of(one))["value"]
    assert (gate["post"], gate["allow"]) == (one, allow)
    assert gate["createdAt"] == first["createdAt"]
    assert is_gone(account, gate_of(two))
    assert report.id is not None
    kit.delete(report.id)
    assert all(is_gone(account, uri) for uri in (one, two, gate_of(one)))


@pytest.mark.parametrize("accepted", [True, False])
def test_a_gated_post_whose_answer_is_lost_is_one(
    publish: Publish, account: Pds, losing_proxy: LosingProxy, accepted: bool
) -> None:
    text = f"Gated, the answer was lost, {accepted}"
    losing_proxy.lose_next(APPLY, accepted=accepted)
    report = publish(Post(text, replies="nobody"), endpoint=losing_proxy.url)
    (value,) = values(account, report)
    gate = read(account, gate_of(report.parts[0].remote_id))["value"]
    assert (value["text"], gate["allow"]) == (text, [])
    assert len(records(account, text)) == 1
    assert losing_proxy.armed == 0
    assert losing_proxy.count(APPLY) == (1 if accepted else 2)


def test_a_text_is_read_back(publish: Publish, account: Pds) -> None:
    report = publish(Post("Hello from postkit", lang="en", tags=["launch"]))
    (value,) = values(account, report)
    created_at = value.pop("createdAt")
    assert value == {
        "$type": "app.bsky.feed.post",
        "text": "Hello from postkit",
        "langs": ["en"],
        "tags": ["launch"],
    }
    assert created_at.endswith("Z")
    uri = report.parts[0].remote_id
    assert uri is not None
    assert uri.startswith(f"at://{account.did}/app.bsky.feed.post/")


def test_a_thread_refers_to_its_parts(publish: Publish, account: Pds) -> None:
    report = publish(Post(["One of three", "Two of three", "Three of three"]))
    rows = [read(account, part.remote_id) for part in report.parts]
    root, second, third = ({"uri": row["uri"], "cid": row["cid"]} for row in rows)
    assert "reply" not in rows[0]["value"]
    assert rows[1]["value"]["reply"] == {"root": root, "parent": root}
    assert rows[2]["value"]["reply"] == {"root": root, "parent": second}
    assert third["uri"] > second["uri"] > root["uri"]


def test_an_image_has_its_alt_text_and_its_very_bytes(publish: Publish, account: Pds) -> None:
    data = plain_png()
    report = publish(Post("A picture", media=[Media(data, "A navy field", name="navy.png")]))
    (value,) = values(account, report)
    (image,) = value["embed"]["images"]
    assert (image["alt"], image["aspectRatio"]) == ("A navy field", {"width": 40, "height": 30})
    assert (image["image"]["mimeType"], image["image"]["size"]) == ("image/png", len(data))
    blob = requests.get(
        f"{account.url}/xrpc/com.atproto.sync.getBlob",
        params={"did": account.did, "cid": image["image"]["ref"]["$link"]},
        timeout=30,
    )
    assert blob.content == data


def test_an_image_of_more_than_the_limit_is_adapted(publish: Publish, account: Pds) -> None:
    big = noise(1200, 900)
    assert len(big) > 2_000_000
    report = publish(Post("A big picture", media=[Media(big, "Noise", name="noise.png")]))
    (value,) = values(account, report)
    assert value["embed"]["images"][0]["image"]["size"] <= 2_000_000
    assert [change["field"] for change in report.changes] == ["media"]


def test_facets_point_at_the_bytes(publish: Publish, account: Pds, pds: Pds) -> None:
    text = (
        f"Grüße 👋 @{pds.handle}, siehe example.com/ä und #Zürich (https://example.com/?a=b) "
        "@nobody-at-all.test"
    )
    (value,) = values(account, publish(Post(text)))
    raw = value["text"].encode()
    found = {
        raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(): f["features"][0]
        for f in value["facets"]
    }
    assert found == {
        f"@{pds.handle}": {"$type": "app.bsky.richtext.facet#mention", "did": pds.did},
        "example.com/ä": {
            "$type": "app.bsky.richtext.facet#link",
            "uri": "https://example.com/ä",
        },
        "#Zürich": {"$type": "app.bsky.richtext.facet#tag", "tag": "Zürich"},
        "https://example.com/?a=b": {
            "$type": "app.bsky.richtext.facet#link",
            "uri": "https://example.com/?a=b",
        },
    }


@pytest.mark.parametrize("text", ["a" * 300, FAMILY * 120], ids=["300 graphemes", "3000 bytes"])
def test_the_longest_text_is_one_post(publish: Publish, account: Pds, text: str) -> None:
    report = publish(Post(text))
    assert [value["text"] for value in values(account, report)] == [text]
    assert report.changes == ()


@pytest.mark.parametrize(
    "text", ["ab " * 100 + "c", FAMILY * 119 + " " + FAMILY], ids=["301 graphemes", "3001 bytes"]
)
def test_one_more_is_a_thread_that_the_server_takes(
    publish: Publish, account: Pds, text: str
) -> None:
    report = publish(Post(text))
    parts = [value["text"] for value in values(account, report)]
    assert len(parts) == 2
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert "text" in [change["field"] for change in report.changes]


def test_a_label_is_a_self_label(publish: Publish, account: Pds) -> None:
    report = publish(Post("Careful"), options={"bluesky": {"label": "graphic-media"}})
    (value,) = values(account, report)
    assert value["labels"] == {
        "$type": "com.atproto.label.defs#selfLabels",
        "values": [{"val": "graphic-media"}],
    }


@pytest.mark.parametrize("accepted", [True, False], ids=["made", "not made"])
def test_a_lost_answer_makes_one_post(
    publish: Publish, account: Pds, losing_proxy: LosingProxy, accepted: bool
) -> None:
    text = f"The answer was lost, {accepted}"
    losing_proxy.lose_next(PUT, accepted=accepted)
    report = publish(Post(text), endpoint=losing_proxy.url)
    assert [value["text"] for value in values(account, report)] == [text]
    assert len(records(account, text)) == 1
    assert losing_proxy.armed == 0
    assert losing_proxy.count(PUT) == (1 if accepted else 2)


def test_answers_lost_in_a_thread_with_pictures_change_nothing(
    publish: Publish, account: Pds, losing_proxy: LosingProxy
) -> None:
    parts = [Part("Lost 1", (Media(plain_png(), "A", name="a.png"),)), Part("Lost 2")]
    losing_proxy.lose_next(UPLOAD, accepted=True)
    losing_proxy.lose_next(PUT, accepted=True)
    losing_proxy.lose_next(PUT, accepted=False)
    losing_proxy.lose_next("com.atproto.repo.getRecord", accepted=True)
    report = publish(Post(parts), endpoint=losing_proxy.url)
    rows = values(account, report)
    assert [row["text"] for row in rows] == ["Lost 1", "Lost 2"]
    assert rows[1]["reply"]["root"]["uri"] == report.parts[0].remote_id
    assert [len(records(account, text)) for text in ("Lost 1", "Lost 2")] == [1, 1]
    assert losing_proxy.armed == 0


def test_interrupted_and_finished_by_another_process(
    kit: Kit, account: Pds, losing_proxy: LosingProxy, tmp_path: Path
) -> None:
    connect(kit, account, losing_proxy.url)
    losing_proxy.lose_next(PUT, accepted=True)
    first = kit.publish("Interrupted", ["bluesky"], wait=0)
    assert first.publication is not None
    report = kit.finish(first.publication).deliveries[0]
    assert [value["text"] for value in values(account, report)] == ["Interrupted"]
    assert losing_proxy.count(PUT) == 1


def test_ten_posts_take_one_login(
    publish: Publish, losing_proxy: LosingProxy, account: Pds
) -> None:
    for number in range(10):
        report = publish(Post(f"Number {number}"), endpoint=losing_proxy.url)
        assert report.state == "live"
    assert losing_proxy.count(LOGIN) == 1
    assert losing_proxy.count(REFRESH) == 0


def test_a_token_that_the_server_does_not_know_is_renewed(
    kit: Kit, publish: Publish, losing_proxy: LosingProxy, account: Pds
) -> None:
    connect(kit, account, losing_proxy.url)
    vault, name = kit.vault(), kit.accounts[0].id
    kept = vault.get(name)
    vault.put(name, {**kept, "access_jwt": "not.a.token"})
    report = publish(Post("Renewed"))
    assert [value["text"] for value in values(account, report)] == ["Renewed"]
    assert losing_proxy.count(REFRESH) == 1
    assert losing_proxy.count(LOGIN) == 1
    renewed = vault.get(name)
    # Access tokens of one second are equal; refresh tokens have an id of their own.
    assert renewed["access_jwt"] != "not.a.token"
    assert renewed["refresh_jwt"] != kept["refresh_jwt"]


def test_a_wrong_password_is_not_kept(kit: Kit, pds: Pds, losing_proxy: LosingProxy) -> None:
    other = pds.new_account()
    with pytest.raises(NeedsLogin):
        kit.connect(
            "bluesky",
            {"handle": other.handle, "app_password": "wrong-wrong"},
            endpoint=losing_proxy.url,
        )
    assert kit.accounts == []
    assert losing_proxy.count(LOGIN) == 1


def test_recent_and_delete(kit: Kit, publish: Publish, account: Pds) -> None:
    report = publish(Post(["To be deleted", "with its second part"]))
    newest = kit.recent("bluesky:bluesky", 2)
    assert [post.text for post in newest] == ["with its second part", "To be deleted"]
    assert [post.receipt.url for post in newest] == list(reversed(report.urls))
    assert report.id is not None
    kit.delete(report.id)
    assert records(account, "To be deleted") == []
    assert records(account, "with its second part") == []

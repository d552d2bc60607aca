"""The plugin through tweepy, over a real socket, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from postkit_x.readback import plain
from postkit_x.request import body_of, post_id

from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.emulator.timeline import LivePost
from postkit.errors import InDoubt, NeedsLogin, Refused, Throttled
from postkit.network import Account, Attachment, Identity, Outgoing, Receipt, RenderedPart
from postkit.testing.media import OneMedium
from postkit.transport import SecondCreate

if TYPE_CHECKING:
    from conftest import Bench

Attach = Callable[..., Attachment]


def outgoing(
    text: str = "Hello",
    *media: Attachment,
    prepared: dict[str, Any] | None = None,
    parent: Receipt | None = None,
    **fields: Any,
) -> Outgoing:
    part = RenderedPart(text, media, fields)
    return Outgoing(part, prepared or {}, "key", datetime.now(UTC), parent=parent)


def send(connection: Connection, what: Outgoing) -> Receipt:
    """As the core does it: prepare, then exactly one create request."""
    journal: dict[str, Any] = dict(what.prepared)
    connection.ask(lambda: connection.network.prepare(connection.client, what.part, journal))
    whole = Outgoing(
        what.part, journal, what.key, what.created_at, parent=what.parent, root=what.root
    )
    return create(connection.network, connection.client, connection.session, whole)


def look(connection: Connection, what: Outgoing, minutes: float = 2) -> list[Any]:
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    network = connection.network
    return list(connection.ask(lambda: network.find(connection.client, what, since)))


@pytest.fixture(params=["oauth2", "oauth1"])
def connection(request: pytest.FixtureRequest, bench: Bench) -> Connection:
    emulator = bench.emulator
    kinds = {"oauth2": emulator.credentials, "oauth1": emulator.oauth1_credentials}
    return bench.connect(kinds[request.param]())


# Publishing


def test_text(connection: Connection, bench: Bench) -> None:
    receipt = send(connection, outgoing("Hello & <b>"))
    (post,) = bench.server.posts("x")
    assert (post.id, post.text) == (receipt.id, "Hello & <b>")
    assert receipt.url == post.url
    assert bench.creates() == 1


def test_who_we_are(connection: Connection, bench: Bench) -> None:
    identity = connection.network.identify(connection.client)
    assert identity.name == "@emulated"
    assert identity.id == "1000000000000000001"
    assert identity.facts == {"username": "emulated"}


def test_permalinks(bench: Bench) -> None:
    identity = Identity("5", "@Some_One", facts={"username": "Some_One"})
    bench.vault.put("a_1", dict(bench.emulator.credentials()))
    for endpoint, web in (
        (None, "https://x.com"),
        ("https://gateway.example.com", "https://x.com"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
    ):
        account = Account("a_1", "x", "me", endpoint, identity=identity)
        client = bench.again(account).client
        assert client.permalink("42") == f"{web}/Some_One/status/42"
    assert bench.server.requests("x") == []


def test_connecting_asks_nothing(connection: Connection, bench: Bench) -> None:
    assert bench.server.requests("x") == []


def test_publishing_asks_for_nothing_else(connection: Connection, bench: Bench) -> None:
    network = connection.network
    network.prepare(connection.client, RenderedPart("Hi"), {})
    before = len(bench.server.requests("x"))
    with connection.session.create_scope() as scope:
        network.publish(connection.client, outgoing("Hi"))
    assert len(bench.server.requests("x")) == before + 1
    assert scope.reads == []


def test_thread(connection: Connection, bench: Bench) -> None:
    first = send(connection, outgoing("One"))
    second = send(connection, outgoing("Two", parent=first))
    third = send(connection, outgoing("Three", parent=second))
    assert [(p.id, p.parent) for p in bench.server.posts("x")] == [
        (first.id, None),
        (second.id, first.id),
        (third.id, second.id),
    ]


def test_pictures_with_alternative_texts(
    connection: Connection, bench: Bench, attached: Attach
) -> None:
    media = [attached("red", "Red"), attached("blue"), attached("green", "Grün"), attached("white")]
    send(connection, outgoing("Four", *media))
    (post,) = bench.server.posts("x")
    assert [shown.alt for shown in post.media] == ["Red", "", "Grün", ""]
    data = bench.server.world.media.get(post.media[0].sha256)
    assert data is not None
    assert data.data == media[0].read()
    assert bench.asked("POST", "/2/media/metadata") == 2
    assert bench.creates() == 1


def test_pictures_without_a_text(connection: Connection, bench: Bench, attached: Attach) -> None:
    send(connection, outgoing("", attached()))
    (post,) = bench.server.posts("x")
    assert len(post.media) == 1


def test_poll(connection: Connection, bench: Bench) -> None:
    poll = {"options": ["Yes", "No"], "minutes": 90, "multiple": False}
    what = outgoing("Tea?", poll=poll)
    receipt = send(connection, what)
    (post,) = bench.server.posts("x")
    assert post.poll is not None
    assert post.poll.options == ("Yes", "No")
    assert post.poll.ends_at is not None
    assert round((post.poll.ends_at - post.created_at).total_seconds() / 60) == 90
    assert [found.receipt.id for found in look(connection, what)] == [receipt.id]
    assert look(connection, outgoing("Tea?")) == []


@pytest.mark.parametrize(
    ("replies", "setting"),
    [("everyone", None), ("following", "following"), ("mentioned", "mentionedUsers")],
)
def test_who_may_reply_is_asked_for_by_the_first_part(
    bench: Bench, replies: str, setting: str | None
) -> None:
    connection = bench.connect()
    first = send(connection, outgoing("One", replies=replies))
    send(connection, outgoing("Two", replies=replies, parent=first))
    one, two = sorted(bench.server.posts("x"), key=lambda post: int(post.id))
    assert (one.replies, one.extra["asked"].get("reply_settings")) == (replies, setting)
    assert "reply_settings" not in two.extra["asked"]


def test_options(bench: Bench) -> None:
    connection = bench.connect()
    bench.server.world.timeline.add(LivePost("x", "42", "stranger", "Dear @emulated"))
    options = {
        "reply_to": "https://x.com/stranger/status/42?s=20",
        "reply_settings": "mentionedUsers",
        "made_with_ai": True,
        "paid_partnership": False,
        "community": "77",
        "share_with_followers": True,
    }
    first = send(connection, outgoing("Options", options=options))
    send(connection, outgoing("More", options=options, parent=first))
    stranger, one, two = sorted(bench.server.posts("x"), key=lambda post: int(post.id))
    assert one.parent == stranger.id
    assert one.extra["asked"] == {
        "text": "Options",
        "reply": {"in_reply_to_tweet_id": "42"},
        "made_with_ai": True,
        "reply_settings": "mentionedUsers",
        "community_id": "77",
        "share_with_followers": True,
    }
    assert two.extra["asked"] == {
        "text": "More",
        "reply": {"in_reply_to_tweet_id": first.id},
        "made_with_ai": True,
    }


def test_a_repeat_is_the_same_to_the_byte(attached: Attach) -> None:
    prepared = {"media_0": {"id": "9", "key": "3_9", "until": 5}}
    what = outgoing("Same é", attached("red", "x"), prepared=prepared, options={"reply_to": "5"})
    restored = Outgoing.from_json(json.loads(json.dumps(what.to_json())), OneMedium())
    assert json.dumps(body_of(restored)) == json.dumps(body_of(what))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("123", "123"),
        (" 123 ", "123"),
        ("https://x.com/some_one/status/123", "123"),
        ("https://twitter.com/some_one/status/123?s=20&t=abc", "123"),
        ("x.com/i/status/123/photo/1", "123"),
        ("https://mobile.twitter.com/a/statuses/123#top", "123"),
        ("https://example.com/a/status/123", None),
        ("12345678901234567890", None),
        ("https://x.com/some_one", None),
        ("abc", None),
        ("", None),
    ],
)
def test_post_ids(given: str, found: str | None) -> None:
    assert post_id(given) == found


# Read back


@pytest.mark.parametrize(
    "text",
    [
        "Plain",
        "Fish & <chips> &amp; &copy;",
        "See https://example.com/a?b=1&copy=2 and example.org, file.py.",
        "HTTPS://Example.COM/Path/ (nested.example.com)",
        "Two\n\nparagraphs \r\n and   spaces ",
        "cafe\u0301 👨\u200d👩\u200d👧\u200d👦 日本",
        "@some_one #tag $TAG",
    ],
)
def test_our_own_post_is_found(connection: Connection, text: str) -> None:
    what = outgoing(text)
    receipt = send(connection, what)
    (found,) = look(connection, what)
    assert found.receipt == receipt
    assert not found.proof
    assert abs(found.at - datetime.now(UTC)) < timedelta(seconds=5)


def test_others_are_not_found(bench: Bench, attached: Attach) -> None:
    connection = bench.connect()
    root = send(connection, outgoing("Hello there"))
    assert look(connection, outgoing("Hello")) == []
    assert look(connection, outgoing("Hello there", parent=root)) == []
    picture = {"media_0": {"id": "9", "key": "3_9", "until": 5}}
    assert look(connection, outgoing("Hello there", attached(), prepared=picture)) == []
    assert look(connection, outgoing("Hello there"), minutes=-1) == []


def test_media_prove_the_post(bench: Bench, attached: Attach) -> None:
    connection = bench.connect()
    part = RenderedPart("Look https://example.com", (attached("red"), attached("blue")))
    receipts = []
    whole = []
    for _ in range(2):
        journal: dict[str, Any] = {}
        connection.network.prepare(connection.client, part, journal)
        whole.append(Outgoing(part, journal, "key", datetime.now(UTC)))
        receipts.append(create(bench.network, connection.client, connection.session, whole[-1]))
    for what, receipt in zip(whole, receipts, strict=True):
        (found,) = look(connection, what)
        assert found.proof
        assert found.receipt.id == receipt.id


def test_every_page_is_read(bench: Bench) -> None:
    connection = bench.connect()
    timeline = bench.server.world.timeline
    now = datetime.now(UTC)
    for number in range(150):
        at = now - timedelta(seconds=number)
        timeline.add(LivePost("x", str(1000 - number), "emulated", f"n{number}", created_at=at))
    assert [c.receipt.id for c in look(connection, outgoing("n149"), 10)] == ["851"]
    assert bench.asked("GET", "/2/users/1000000000000000001/tweets") == 2


@pytest.mark.parametrize(
    ("post", "text"),
    [
        ({"text": "a &lt;b&gt; &amp;amp; c"}, "a <b> &amp; c"),
        (
            {
                "text": "Go https://t.co/1 https://t.co/2",
                "entities": {
                    "urls": [
                        {"url": "https://t.co/1", "expanded_url": "https://example.com/?a&copy=1"},
                        {
                            "url": "https://t.co/2",
                            "expanded_url": "https://x.com/me/status/5/photo/1",
                        },
                    ]
                },
            },
            "Go https://example.com/?a&copy=1",
        ),
        ({"text": "Long…", "note_tweet": {"text": "Long and whole"}}, "Long and whole"),
        ({"text": "Go https://t.co/1"}, "Go https://t.co/1"),
    ],
)
def test_plain_text(post: dict[str, Any], text: str) -> None:
    assert plain(post) == text


def test_recent_and_delete(connection: Connection, bench: Bench) -> None:
    receipts = [send(connection, outgoing(f"Number {n} & more")) for n in range(7)]
    listed = bench.network.recent(connection.client, 3)
    assert [post.receipt for post in listed] == receipts[:3:-1]
    assert listed[0].text == "Number 6 & more"
    bench.network.delete(connection.client, receipts[0])
    bench.network.delete(connection.client, receipts[0])
    assert len(bench.server.posts("x")) == 6


# What went wrong


@pytest.mark.parametrize("kind", ["lose_answer", "reset", "truncate", "no_id", "late", "index_lag"])
def test_a_lost_answer_is_in_doubt_and_then_found(
    connection: Connection, bench: Bench, kind: str
) -> None:
    bench.server.add_fault("x", kind, seconds=0.0)
    what = outgoing(f"Lost by {kind}")
    with pytest.raises(InDoubt):
        send(connection, what)
    (found,) = look(connection, what)
    (post,) = bench.server.posts("x")
    assert found.receipt.id == post.id
    assert bench.creates() == 1


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_page_of_a_proxy_is_in_doubt(bench: Bench, status: int) -> None:
    connection = bench.connect()
    bench.server.add_fault("x", "status", status=status)
    with pytest.raises(InDoubt):
        send(connection, outgoing())
    assert len(bench.server.posts("x")) == 1


def test_a_second_create_is_stopped(bench: Bench) -> None:
    connection = bench.connect()
    network, client = connection.network, connection.client
    send(connection, outgoing("First"))
    with connection.session.create_scope():
        network.publish(client, outgoing("Second"))
        with pytest.raises(SecondCreate):
            network.publish(client, outgoing("Third"))
    assert len(bench.server.posts("x")) == 2


def test_the_rate_limit_names_its_end(connection: Connection, bench: Bench) -> None:
    bench.server.add_fault("x", "rate_limit", seconds=60)
    with pytest.raises(Throttled) as caught:
        send(connection, outgoing())
    assert caught.value.retry_at is not None
    left = (caught.value.retry_at - datetime.now(UTC)).total_seconds()
    assert 55 < left <= 61
    assert bench.server.posts("x") == []


def test_credits_that_are_used_up(bench: Bench) -> None:
    connection = bench.connect()
    bench.server.set("x", "credits", False)
    with pytest.raises(Refused, match="credits or the spending cap"):
        send(connection, outgoing())


def test_an_app_token_cannot_post(bench: Bench) -> None:
    connection = bench.connect({"access_token": bench.emulator.access.app_token})
    with pytest.raises(NeedsLogin, match="app's bearer token"):
        connection.ask(lambda: bench.network.identify(connection.client))

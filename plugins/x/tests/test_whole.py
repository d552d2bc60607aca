"""From a Post to live posts, through the whole of postkit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postkit_x import plugin
from postkit_x.emulator import XEmulator

from postkit.emulator.server import EmulatorServer
from postkit.emulator.timeline import LivePost
from postkit.kit import Kit
from postkit.plan import Wishes
from postkit.post import Media, Poll, Post, Settings


@pytest.fixture
def kit(home: Path, server: EmulatorServer) -> Iterator[Kit]:
    with Kit(home=home, plugins=[plugin]) as kit:
        (given,) = server.accounts()
        account, problem = kit.connect("x", given.credentials, endpoint=given.endpoint)
        assert problem is None
        assert account.state == "ok"
        yield kit


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests("x"))


def live(server: EmulatorServer) -> list[LivePost]:
    return server.posts("x")


def test_a_thread_with_pictures(
    kit: Kit, server: EmulatorServer, picture: Callable[..., bytes]
) -> None:
    post = Post(
        ["We ship <today> & smile", "More at https://example.com 👨\u200d👩\u200d👧"],
        media=[Media(picture(), "A rocket")],
        link="https://example.com/launch",
    )
    assert kit.plan(post, to=["x"]).deliveries[0].cost == {"amount": 0.405, "currency": "USD"}
    report = kit.publish(post, to=["x"], wait=20)
    (delivery,) = report.deliveries
    assert delivery.state == "live", delivery
    first, second = live(server)
    assert [part.url for part in delivery.parts] == [first.url, second.url]
    assert second.parent == first.id
    assert first.media[0].alt == "A rocket"
    assert creates(server) == 2
    assert kit.recent("x:x")[0].text == second.text


@pytest.mark.parametrize("kind", ["lose_answer", "reset", "truncate", "no_id", "late", "index_lag"])
@pytest.mark.parametrize("with_picture", [False, True])
def test_a_lost_answer_makes_one_post(
    kit: Kit,
    server: EmulatorServer,
    picture: Callable[..., bytes],
    kind: str,
    with_picture: bool,
) -> None:
    server.add_fault("x", kind)
    media = [Media(picture(), "Red")] if with_picture else []
    report = kit.publish(Post("Exactly once & only", media=media), to=["x"], wait=20)
    (post,) = live(server)
    assert report.deliveries[0].state == "live"
    assert report.deliveries[0].parts[0].remote_id == post.id
    assert creates(server) == 1


def test_a_repeat_of_a_text_that_is_late_is_refused_and_found(
    kit: Kit, server: EmulatorServer
) -> None:
    server.add_fault("x", "late", seconds=600)
    report = kit.publish(Post("Late, and once"), to=["x"], wait=20)
    (post,) = live(server)
    assert report.deliveries[0].state == "live"
    assert report.deliveries[0].parts[0].remote_id == post.id
    assert creates(server) == 2
    assert server.world.timeline.pending("x", "emulated") == []


def test_a_text_that_never_arrived_is_sent_again(kit: Kit, server: EmulatorServer) -> None:
    server.add_fault("x", "lose_answer", accepted=False)
    report = kit.publish(Post("Lost on the way"), to=["x"], wait=20)
    assert report.deliveries[0].state == "live"
    assert len(live(server)) == 1
    assert creates(server) == 2


def test_a_picture_that_never_arrived_is_a_question(
    kit: Kit, server: EmulatorServer, picture: Callable[..., bytes]
) -> None:
    server.add_fault("x", "lose_answer", accepted=False)
    post = Post("Lost on the way", media=[Media(picture())])
    report = kit.publish(post, to=["x"], wait=20)
    assert report.deliveries[0].state == "uncertain"
    assert live(server) == []
    assert creates(server) == 1


def test_the_first_refusal_of_a_duplicate_is_a_failure(kit: Kit, server: EmulatorServer) -> None:
    kit.publish(Post("Said before"), to=["x"], wait=20)
    report = kit.publish(Post("Said before"), to=["x"], wait=20, wishes=Wishes(again=True))
    (delivery,) = report.deliveries
    assert delivery.state == "failed"
    assert delivery.error is not None
    assert delivery.error["kind"] == "duplicate"
    assert len(live(server)) == 1


def test_access_that_ends_in_between(kit: Kit, server: EmulatorServer) -> None:
    server.add_fault("x", "expire_token", skip=1)
    report = kit.publish(Post(["One", "Two", "Three"]), to=["x"], wait=20)
    assert report.deliveries[0].state == "live"
    assert [post.text for post in live(server)] == ["One", "Two", "Three"]


def test_a_rate_limit_is_waited_for(kit: Kit, server: EmulatorServer) -> None:
    server.add_fault("x", "rate_limit", seconds=1)
    report = kit.publish(Post("Patience"), to=["x"], wait=20)
    assert report.deliveries[0].state == "live"
    assert creates(server) == 2


def test_poll_options_and_delete(kit: Kit, server: EmulatorServer) -> None:
    settings = Settings(options={"reply_settings": "verified", "made_with_ai": "yes"})
    post = Post("Tea?", poll=Poll(("Yes", "No"), 60), networks={"x": settings})
    report = kit.publish(post, to=["x"], wait=20)
    (shown,) = live(server)
    assert shown.extra["asked"]["reply_settings"] == "verified"
    assert shown.extra["asked"]["made_with_ai"] is True
    assert shown.poll is not None
    assert report.publication is not None
    kit.delete(report.publication)
    assert live(server) == []


def test_oauth1_from_end_to_end(home: Path, server: EmulatorServer) -> None:
    emulator = server.emulators["x"]
    assert isinstance(emulator, XEmulator)
    with Kit(home=home, plugins=[plugin]) as kit:
        given = emulator.oauth1_credentials()
        account, problem = kit.connect("x", given, endpoint=emulator.endpoint(server.url))
        assert problem is None
        assert account.identity is not None
        assert account.identity.name == "@emulated"
        assert kit.publish(Post("Signed"), to=["x"], wait=20).deliveries[0].state == "live"


def test_no_secret_shows(
    kit: Kit, server: EmulatorServer, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from postkit.accounts.secret import RedactingFilter

    caplog.handler.addFilter(RedactingFilter())
    caplog.set_level(logging.DEBUG)
    server.add_fault("x", "expire_token")
    server.add_fault("x", "lose_answer")
    report = kit.publish(Post("Quiet"), to=["x"], wait=20)
    assert report.deliveries[0].state == "live"
    assert "tweepy" in {record.name.split(".")[0] for record in caplog.records}
    texts = [caplog.text, repr(report), repr(kit.accounts)]
    texts += [p.read_bytes().decode("latin-1") for p in home.rglob("*") if p.is_file()]
    assert not [text for text in texts if "pk_canary" in text]

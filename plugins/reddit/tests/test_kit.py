"""From a post to a link: the whole of postkit over this plugin."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postkit_reddit.emulator import RedditEmulator

from postkit.emulator.server import EmulatorServer
from postkit.errors import InputError, NeedsLogin, PlanRefused
from postkit.kit import Kit
from postkit.plan import Wishes
from postkit.post import Media, Post

TO = ["reddit:acme/postkit_demo"]


@pytest.fixture
def kit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: EmulatorServer,
    emulator: RedditEmulator,
) -> Iterator[Kit]:
    monkeypatch.setenv("POSTKIT_KEY", base64.b64encode(b"k" * 32).decode())
    with Kit(home=tmp_path) as kit:
        endpoint = emulator.endpoint(server.url)
        kit.connect("reddit", emulator.credentials(), name="acme", endpoint=endpoint)
        yield kit


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests("reddit"))


def test_a_gallery_with_flair(kit: Kit, server: EmulatorServer, picture: Any) -> None:
    media = [Media(picture(c).read(), alt=f"A {c} one", name=f"{c}.png") for c in ("red", "blue")]
    wishes = Wishes(options={"reddit": {"flair": "Release"}})
    report = kit.publish(Post("We *ship*", title="Hello", media=media), to=TO, wishes=wishes)
    (delivery,) = report.deliveries
    (post,) = server.posts("reddit")
    assert delivery.state == "live"
    assert delivery.urls == (post.url,)
    assert (post.text, post.extra["flair_text"]) == ("We *ship*", "Release")
    assert [loss["field"] for loss in delivery.losses] == ["alt", "alt"]


def test_a_file_is_sent_as_markdown_and_a_text_as_it_is(
    kit: Kit, server: EmulatorServer, tmp_path: Path
) -> None:
    file = tmp_path / "p.md"
    file.write_text("---\ntitle: One\n---\nWe *ship* 2 \\* 3:\n- now\n- **soon**\n", "utf-8")
    report = kit.publish(Post.from_file(file), to=TO)
    assert report.deliveries[0].changes == ()
    kit.publish(Post("We *ship* 2 * 3", title="Two"), to=TO)
    sent = {post.extra["source"] for post in server.posts("reddit")}
    assert sent == {"We *ship* 2 \\* 3:\n\n-   now\n-   **soon**", r"We \*ship\* 2 \* 3"}


def test_a_picture_is_live_though_its_answer_has_no_id(
    kit: Kit, server: EmulatorServer, picture: Any
) -> None:
    report = kit.publish(Post("", title="One", media=[Media(picture().read(), name="a")]), to=TO)
    assert report.deliveries[0].state == "live"
    assert creates(server) == 1


@pytest.mark.parametrize(
    "fault", ["lose_answer", "reset", "truncate", "status", "no_id", "late", "index_lag"]
)
def test_one_live_post_whatever_happens_to_the_answer(
    kit: Kit, server: EmulatorServer, fault: str
) -> None:
    server.add_fault("reddit", fault)
    report = kit.publish(Post("x", title="T"), to=TO, wait=10)
    assert report.deliveries[0].state == "live"
    assert len(server.posts("reddit")) == 1
    assert creates(server) == 1


def test_what_may_be_live_is_asked_and_never_sent_again(kit: Kit, server: EmulatorServer) -> None:
    server.add_fault("reddit", "status", accepted=False)
    report = kit.publish(Post("x", title="T"), to=TO, wait=10)
    assert report.deliveries[0].state == "uncertain"
    assert report.deliveries[0].question is not None
    assert creates(server) == 1


@pytest.mark.parametrize("fault", ["expire_token", "rate_limit"])
def test_what_was_not_taken_is_sent_again(kit: Kit, server: EmulatorServer, fault: str) -> None:
    server.add_fault("reddit", fault, **({"seconds": 1} if fault == "rate_limit" else {}))
    report = kit.publish(Post("x", title="T"), to=TO, wait=10)
    assert report.deliveries[0].state == "live"
    assert (creates(server), len(server.posts("reddit"))) == (2, 1)


def test_a_subreddit_is_needed_and_checked(kit: Kit, server: EmulatorServer) -> None:
    with pytest.raises(InputError, match="needs a subreddit"):
        kit.plan(Post("x", title="T"), to=["reddit:acme"])
    with pytest.raises(InputError, match="is no subreddit"):
        kit.plan(Post("x", title="T"), to=["reddit:acme/no-dash"])
    with pytest.raises(PlanRefused, match="title"):
        kit.publish(Post("x"), to=TO)
    assert creates(server) == 0


def test_wrong_credentials_connect_nothing(
    kit: Kit, server: EmulatorServer, emulator: RedditEmulator
) -> None:
    wrong = {**emulator.credentials(), "refresh_token": "pk_canary_wrong"}
    with pytest.raises(NeedsLogin):
        kit.connect("reddit", wrong, name="other", endpoint=emulator.endpoint(server.url))
    assert [account.name for account in kit.accounts] == ["acme"]

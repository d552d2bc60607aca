"""From a post to the emulated Page and back, through the whole of postkit."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.emulator.owners import PAGE_ID

from postkit import Kit
from postkit.emulator.server import EmulatorServer
from postkit.errors import NeedsLogin
from postkit.post import Media, Part, Post
from postkit.testing.videos import video

ADDRESS = ["facebook:shop"]
Picture = Callable[..., bytes]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSTKIT_KEY", base64.urlsafe_b64encode(bytes(range(32))).decode())
    return tmp_path


@pytest.fixture
def kit(home: Path, server: EmulatorServer) -> Iterator[Kit]:
    (row,) = server.accounts()
    with Kit(home=home) as kit:
        account, problem = kit.connect(
            "facebook", row.credentials, name="shop", endpoint=row.endpoint
        )
        assert problem is None
        assert account.identity is not None
        assert account.identity.id == PAGE_ID
        yield kit


def test_parts_photos_and_link_become_one_post(
    picture: Picture, kit: Kit, server: EmulatorServer
) -> None:
    post = Post(
        [
            Part("one", (Media(picture("red"), alt="Red."),)),
            Part("two", (Media(picture("blue")),)),
        ],
        link="https://example.com/a",
    )
    report = kit.publish(post, to=ADDRESS)
    (delivery,) = report.deliveries
    (live,) = server.posts("facebook")
    assert delivery.parts[0].url == live.url
    assert live.text == "one\n\ntwo\n\nhttps://example.com/a"
    assert [media.alt for media in live.media] == ["Red.", ""]


def test_a_lost_answer_is_found_and_not_sent_again(
    picture: Picture, kit: Kit, server: EmulatorServer
) -> None:
    server.add_fault("facebook", "lose_answer")
    report = kit.publish(Post("once", media=[Media(picture(), alt="Teal.")]), to=ADDRESS)
    (live,) = server.posts("facebook")
    assert report.deliveries[0].parts[0].url == live.url
    assert [entry.create for entry in server.requests("facebook")].count(True) == 1


def test_a_post_that_never_arrived_asks_a_person(kit: Kit, server: EmulatorServer) -> None:
    server.add_fault("facebook", "lose_answer", accepted=False)
    report = kit.publish("nobody saw it", to=ADDRESS)
    assert report.deliveries[0].state == "uncertain"
    assert server.posts("facebook") == []


def test_a_rate_limit_is_waited_for(kit: Kit, server: EmulatorServer) -> None:
    server.add_fault("facebook", "rate_limit", seconds=0.3)
    report = kit.publish("patience", to=ADDRESS)
    assert [post.text for post in server.posts("facebook")] == ["patience"]
    assert report.deliveries[0].parts[0].url == server.posts("facebook")[0].url


def test_the_version_of_postkit_toml_is_used(home: Path, server: EmulatorServer) -> None:
    (home / "postkit.toml").write_text('[networks.facebook]\nversion = "v25.0"\n')
    (row,) = server.accounts()
    with Kit(home=home) as kit:
        kit.connect("facebook", row.credentials, name="shop", endpoint=row.endpoint)
        kit.publish("at v25.0", to=ADDRESS)
    graph = [entry.path for entry in server.requests("facebook")]
    assert graph
    assert all(path.startswith("/v25.0/") for path in graph)


def test_a_users_token_is_not_connected(
    home: Path, server: EmulatorServer, emulator: FacebookEmulator
) -> None:
    with Kit(home=home) as kit:
        endpoint = emulator.endpoint(server.url)
        fields = emulator.user_credentials()
        with pytest.raises(NeedsLogin, match="not to the Page"):
            kit.connect("facebook", fields, name="shop", endpoint=endpoint)
        assert kit.accounts == []


def test_a_post_is_deleted(kit: Kit, server: EmulatorServer) -> None:
    report = kit.publish("short-lived", to=ADDRESS)
    assert len(server.posts("facebook")) == 1
    assert report.publication is not None
    kit.delete(report.publication)
    assert server.posts("facebook") == []


def test_a_videos_lost_answer_is_found_once_it_is_processed(
    kit: Kit, server: EmulatorServer
) -> None:
    server.add_fault("facebook", "lose_answer")
    film = Media(video(), name="launch.mp4")
    report = kit.publish(Post("once", title="Launch", media=[film]), to=ADDRESS)
    (live,) = server.posts("facebook")
    (part,) = report.deliveries[0].parts
    assert (part.state, part.remote_id, part.url) == ("LIVE", live.id, live.url)
    assert [entry.create for entry in server.requests("facebook")].count(True) == 1
    assert report.publication is not None
    kit.delete(report.publication)
    assert server.posts("facebook") == []


def test_a_video_that_cannot_be_processed_has_failed(
    kit: Kit, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postkit_facebook.emulator.videos.MOST_SECONDS", 1)
    report = kit.publish(Post("", media=[Media(video(), name="launch.mp4")]), to=ADDRESS)
    (delivery,) = report.deliveries
    assert delivery.state == "failed"
    assert delivery.error is not None
    assert "could not process launch.mp4" in delivery.error["message"]
    assert server.posts("facebook") == []

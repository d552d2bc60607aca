"""The plugin against the emulated server: what the conformance suite cannot know."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from PIL import Image
from postkit_mastodon.emulator import MastodonEmulator
from postkit_mastodon.limits import LIMITS, limits_of
from postkit_mastodon.plugin import Mastodon, plain, request_of, same
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from postkit import processing
from postkit.emulator.world import World
from postkit.errors import NeedsLogin, Refused, Throttled, Unavailable
from postkit.network import Outgoing, Receipt, RenderedPart, RenderOptions
from postkit.post import Media, Post
from postkit.testing.pictures import picture
from postkit.testing.rig import Rig, name_of, story
from postkit.testing.suite.bench import Bench

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class ProcessingEmulator(MastodonEmulator):
    """Answers each upload with 202 and is ready after ``looks`` looks (docs, methods/media)."""

    looks = 1

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.left: dict[str, int] = {}

    def routes(self) -> Sequence[BaseRoute]:
        media = ("/api/v2/media", "/api/v1/media/{id}")
        kept = [r for r in super().routes() if isinstance(r, Route) and r.path not in media]
        return [
            *kept,
            self.route(media[0], self.upload, methods=("POST",)),
            self.route(media[1], self.show),
        ]

    async def upload(self, request: Request) -> Response:
        response = await self._uploads.upload(request)
        body = json.loads(bytes(response.body))
        self.left[body["id"]] = self.looks
        return JSONResponse(body | {"url": None}, 202)

    async def show(self, request: Request) -> Response:
        response = await self._uploads.show(request)
        body = json.loads(bytes(response.body))
        self.left[body["id"]] -= 1
        if self.left[body["id"]] > 0:
            return JSONResponse(body | {"url": None}, 206)
        return response


class TestProcessing(Bench):
    """Uploads that are not ready at once."""

    network = "mastodon"
    plugins = (SimpleNamespace(postkit_emulators=lambda: [ProcessingEmulator]),)

    def test_the_post_waits_for_its_media(self, rig: Rig) -> None:
        report = rig.publish(rig.post(media=[Media(picture(), "A picture", name="one.png")]))
        assert report.state == "live", story(rig, report)
        assert [media.alt for post in rig.live() for media in post.media] == ["A picture"]
        paths = [(e.method, e.path.partition("/api/")[2][:8]) for e in rig.requests()][-3:]
        assert paths == [("POST", "v2/media"), ("GET", "v1/media"), ("POST", "v1/statu")]

    def test_nothing_is_uploaded_twice_while_it_is_processed(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ProcessingEmulator, "looks", 2)
        monkeypatch.setattr(processing, "PATIENCE", 0.0)
        part = rig.part(rig.post(media=[Media(picture(), name="one.png")]))
        journal: dict[str, Any] = {}
        with rig.connected() as connection:
            with pytest.raises(Unavailable, match="still at work"):
                rig.network.prepare(connection.client, part, journal)
            rig.network.prepare(connection.client, part, journal)
        assert [e.status for e in rig.requests() if "/media" in e.path] == [202, 206, 200]
        assert list(journal) == ["media_0"]


class TestServer(Bench):
    """The server's own rules."""

    network = "mastodon"

    def test_an_upload_that_the_server_has_forgotten_is_made_again(self, rig: Rig) -> None:
        part = rig.part(rig.post(media=[Media(picture(), name="one.png")]))
        journal: dict[str, Any] = {"media_0": "1"}
        with rig.connected() as connection:
            connection.ask(lambda: rig.network.prepare(connection.client, part, journal))
        assert journal["media_0"] != "1"

    def test_a_content_warning_counts_with_the_text(self, rig: Rig) -> None:
        text = "word " * 97 + "words"
        post = rig.post(text, content_warning="Spoilers!!")
        assert len(text) == 490
        report = rig.publish(post)
        assert report.state == "live", story(rig, report)
        assert [one.text for one in rig.live()] == [text]
        longer = rig.plan(rig.post(text + "!", content_warning="Spoilers!!"))
        assert longer.rendition is not None
        assert len(longer.rendition.parts) == 2

    def test_a_content_warning_without_room_for_text_is_refused(self, rig: Rig) -> None:
        planned = rig.plan(rig.post(content_warning="w" * 500))
        assert planned.rendition is None
        assert "content warning: 500 of 500 graphemes leave no room" in planned.reasons[0]

    def test_a_revoked_token(self, rig: Rig) -> None:
        with rig.connected() as connection:
            rig.server.emulators["mastodon"].expire_tokens()
            with pytest.raises(NeedsLogin, match="The access token is invalid"):
                connection.ask(lambda: rig.network.identify(connection.client))

    def test_too_long_a_text(self, rig: Rig) -> None:
        with pytest.raises(Refused, match="Text character limit of 500 exceeded") as caught:
            rig.send_raw(RenderedPart("x" * 501))
        assert caught.value.status == 422

    def test_throttled_until_the_time_in_the_header(self, rig: Rig) -> None:
        rig.fault("rate_limit", seconds=90)
        with pytest.raises(Throttled, match="Too many requests") as caught:
            rig.send_raw(RenderedPart("Now."))
        assert caught.value.retry_at is not None
        assert 85 < (caught.value.retry_at - rig.now()).total_seconds() <= 90

    def test_deleting_a_thread_begins_at_its_end(self, rig: Rig) -> None:
        report = rig.publish(rig.post(["One.", "Two."]))
        rig.kit.delete(name_of(report))
        deleted = [e.path.rpartition("/")[2] for e in rig.requests() if e.method == "DELETE"]
        assert deleted == [part.remote_id for part in reversed(report.parts)]


class TestLargeServer(Bench):
    """A fork with more characters: the plan follows what was read at connect."""

    network = "mastodon"
    settings: ClassVar[dict[str, Any]] = {"max_characters": 1000}

    def test_the_server_s_own_limit_holds(self, rig: Rig) -> None:
        text = "a" * 1000
        report = rig.publish(rig.post(text))
        assert [post.text for post in rig.live()] == [text], story(rig, report)
        assert rig.plan(rig.post(text + "b"), split=False).rendition is None


def outgoing(text: str, *, parent: str | None = None, **fields: Any) -> Outgoing:
    receipt = Receipt(parent) if parent else None
    part = RenderedPart(text, (), fields)
    return Outgoing(part, {}, "key", NOW, None, receipt, receipt)


def test_the_request_of_a_plain_text() -> None:
    assert request_of(outgoing("Hello")) == {"status": "Hello"}


def test_the_request_with_everything() -> None:
    sent = outgoing(
        "Hello",
        parent="109",
        content_warning="Spoiler",
        lang="de",
        visibility="unlisted",
        poll={"options": ["Yes", "No"], "minutes": 60, "multiple": False},
    )
    assert request_of(sent) == {
        "status": "Hello",
        "in_reply_to_id": "109",
        "spoiler_text": "Spoiler",
        "sensitive": True,
        "language": "de",
        "visibility": "unlisted",
        "poll": {"options": ["Yes", "No"], "expires_in": 3600, "multiple": False},
    }


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>Hello</p>", "Hello"),
        ("<p>One</p><p>Two<br />Three</p>", "One\n\nTwo\nThree"),
        ("<p>Fish &amp; &lt;chips&gt;</p>", "Fish & <chips>"),
        (
            '<p><a href="https://example.com/a" rel="nofollow"><span class="invisible">https://'
            '</span><span>example.com/a</span><span class="invisible"></span></a> now</p>',
            "https://example.com/a now",
        ),
        ('<p><a href="https://m.example/tags/new" rel="tag">#<span>new</span></a></p>', "#new"),
    ],
)
def test_the_text_of_a_status(content: str, text: str) -> None:
    assert plain(content) == text


@pytest.mark.parametrize(
    ("text", "status", "is_same"),
    [
        ("Hello", {"content": "<p>Hello</p>"}, True),
        ("Hello", {"content": "<p>Hello you</p>"}, False),
        ("Hi @ann@one.example", {"content": "<p>Hi @<span>ann</span></p>"}, True),
        ("Hello", {"content": "<p>Hello</p>", "in_reply_to_id": "7"}, False),
        ("Hello", {"content": "<p>Hello</p>", "spoiler_text": "S"}, False),
        ("Hello", {"content": "<p>Hello</p>", "media_attachments": [{"id": "5"}]}, False),
    ],
)
def test_which_status_is_ours(text: str, status: dict[str, Any], is_same: bool) -> None:
    assert same(status, outgoing(text)) is is_same


def test_limits_of_a_server() -> None:
    limits = limits_of(
        {
            "statuses": {
                "max_characters": 11_000,
                "max_media_attachments": 16,
                "characters_reserved_per_url": 30,
            },
            "media_attachments": {
                "supported_mime_types": ["image/png", "video/mp4"],
                "image_size_limit": 1_000,
                "image_matrix_limit": 2_000,
                "description_limit": 420,
            },
            "polls": {
                "max_options": 20,
                "max_characters_per_option": 200,
                "min_expiration": 61,
                "max_expiration": 7200,
            },
        }
    )
    text, image, alt, poll = limits.text[0], limits.image, limits.alt, limits.poll
    assert (text.maximum, text.counter.count("https://example.com/")) == (11_000, 30)
    assert limits.media_count == 16
    assert image is not None
    assert (image.mime_types, image.max_bytes, image.max_pixels) == (("image/png",), 1_000, 2_000)
    assert alt is not None
    assert alt.maximum == 420
    assert poll is not None
    assert (poll.max_options, poll.max_option_length) == (20, 200)
    assert (poll.min_minutes, poll.max_minutes) == (2, 120)


def test_a_server_that_tells_nothing_has_the_usual_limits() -> None:
    assert limits_of({}) == Mastodon.limits


def test_an_animated_picture_stands_alone() -> None:
    frames = [Image.new("RGB", (8, 8), (90 * n, 0, 0)).quantize(2) for n in range(3)]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    moving = Media(target.getvalue(), name="moving.gif")
    post = Post("x", media=[Media(picture(1), name="1.png"), moving])
    parts = Mastodon().adapt(post, LIMITS, RenderOptions()).parts
    assert [[one.name for one in part.media] for part in parts] == [["1.png"], ["moving.gif"]]

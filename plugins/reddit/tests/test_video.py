"""Video posts: the clip and its poster are uploaded, one submission shows them, a list finds it."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image
from postkit_reddit import poster
from postkit_reddit.emulator import RedditEmulator
from postkit_reddit.form import FileForm
from postkit_reddit.limits import LIMITS
from postkit_reddit.plugin import Reddit
from postkit_reddit.submission import listed_kind

from postkit.emulator.server import EmulatorServer
from postkit.errors import InDoubt, InputError, PluginError, Refused
from postkit.network import (
    Attachment,
    Candidate,
    CannotRender,
    Outgoing,
    RenderedPart,
    RenderOptions,
    Rendition,
)
from postkit.post import Media, Post
from postkit.testing.videos import video

if TYPE_CHECKING:
    from conftest import Link

Json = dict[str, Any]
Parts = Callable[..., RenderedPart]
Pictures = Callable[..., Attachment]


def film(data: bytes | None = None, name: str = "a launch.mp4") -> Attachment:
    content = video() if data is None else data
    digest = hashlib.sha256(content).hexdigest()
    return Attachment(
        digest, "video/mp4", len(content), 320, 180, "", name, lambda: content,
        kind="video", seconds=2.0,
    )  # fmt: skip


@pytest.fixture
def clip(part: Parts, picture: Pictures) -> Callable[..., RenderedPart]:
    """A part with a video and its poster."""

    def make(data: bytes | None = None, text: str = "Body", **fields: Any) -> RenderedPart:
        still = poster.Poster(picture("red", mime="image/jpeg").read(), "red")
        return part(text, (film(data),), poster=poster.to_json(still), **fields)

    return make


def found(link: Link, outgoing: Outgoing) -> list[Candidate]:
    since = datetime.now(UTC) - timedelta(minutes=2)
    for _ in range(50):
        if candidates := link.network.find(link.client, outgoing, since):
            return list(candidates)
        time.sleep(0.1)
    return []


def test_clip_and_poster_are_uploaded_and_one_submission_shows_them(
    link: Link, clip: Parts
) -> None:
    data = video()
    outgoing = link.outgoing(clip(data))
    assert sorted(outgoing.prepared) == ["media_0", "poster"]
    hosts = [outgoing.prepared[name]["url"].split("/")[2] for name in ("media_0", "poster")]
    assert hosts == [
        "reddit-uploaded-video.s3-accelerate.amazonaws.com",
        "reddit-uploaded-media.s3-accelerate.amazonaws.com",
    ]
    uploads = [path for path in link.paths() if path in ("POST /api/media/asset.json", "POST /")]
    assert uploads == ["POST /api/media/asset.json", "POST /"] * 2
    assert (link.creates(), link.server.posts("reddit")) == (0, [])
    with pytest.raises(InDoubt, match="without telling its id"):
        link.send(outgoing)
    assert link.creates() == 1
    (candidate,) = found(link, outgoing)
    (live,) = link.server.posts("reddit")
    assert (candidate.receipt.id, candidate.receipt.url) == (live.id, live.url)
    assert candidate.proof
    assert (live.title, live.text) == ("A title", "Body")
    assert [media.sha256 for media in live.media] == [hashlib.sha256(data).hexdigest()]


def test_it_appears_late_and_is_looked_for(link: Link, clip: Parts) -> None:
    link.server.set("reddit", "video_processing", 1.0)
    outgoing = link.outgoing(clip())
    with pytest.raises(InDoubt):
        link.send(outgoing)
    since = datetime.now(UTC) - timedelta(minutes=2)
    assert link.network.find(link.client, outgoing, since) == []
    assert len(found(link, outgoing)) == 1


class Dying(Json):
    """A journal whose process dies right after its n-th line."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("lines", "more"), [(1, 1), (2, 0)])
def test_it_goes_on_after_each_line_of_the_journal(
    link: Link, clip: Parts, lines: int, more: int
) -> None:
    part = clip()
    dying = Dying(lines)
    with pytest.raises(KeyboardInterrupt):
        link.network.prepare(link.client, part, dying)
    before = link.paths().count("POST /")
    journal = dict(dying)
    link.network.prepare(link.client, part, journal)
    assert link.paths().count("POST /") - before == more
    outgoing = Outgoing(part, journal, "key", datetime.now(UTC))
    with pytest.raises(InDoubt):
        link.send(outgoing)
    assert len(found(link, outgoing)) == 1


@pytest.mark.parametrize("fault", ["lose_answer", "reset", "truncate", "status"])
def test_a_lost_answer_is_found_and_not_doubled(link: Link, clip: Parts, fault: str) -> None:
    outgoing = link.outgoing(clip())
    link.server.add_fault("reddit", fault)
    with pytest.raises(InDoubt):
        link.send(outgoing)
    (candidate,) = found(link, outgoing)
    assert candidate.receipt.id == link.server.posts("reddit")[0].id
    assert link.creates() == 1


def test_two_videos_are_told_apart_by_their_uploads(link: Link, clip: Parts) -> None:
    first, second = link.outgoing(clip()), link.outgoing(clip())
    for outgoing in (second, first):
        with pytest.raises(InDoubt):
            link.send(outgoing)
    for number, outgoing in ((0, second), (1, first)):
        while len(link.server.posts("reddit")) < 2:
            time.sleep(0.05)
        proved = [one.receipt.id for one in found(link, outgoing) if one.proof]
        assert proved == [link.server.posts("reddit")[number].id]


def test_find_takes_no_other_kind(link: Link, clip: Parts, part: Parts, picture: Pictures) -> None:
    outgoing = link.outgoing(clip())
    link.send(link.outgoing(part()))
    image = link.outgoing(part(media=(picture(),)))
    with pytest.raises(InDoubt):
        link.send(image)
    assert len(found(link, image)) == 1
    since = datetime.now(UTC) - timedelta(minutes=2)
    assert link.network.find(link.client, outgoing, since) == []


@pytest.mark.parametrize(
    "listed",
    [
        {"is_video": True, "url": "https://www.reddit.com/video/abc"},
        {"url": "https://v.redd.it/abc"},
        {"url": "https://reddit-uploaded-video.s3-accelerate.amazonaws.com/abc"},
    ],
)
def test_kinds_of_listed_videos(listed: Json) -> None:
    assert listed_kind(listed) == "video"


def test_a_video_that_is_too_long_is_refused(link: Link, clip: Parts) -> None:
    outgoing = link.outgoing(clip(video(seconds=902)))
    with pytest.raises(Refused, match="longer than 15 minutes"):
        link.send(outgoing)
    assert link.server.posts("reddit") == []


def test_a_video_that_is_too_large_is_refused_and_forgotten(
    link: Link, clip: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postkit_reddit.emulator.uploads.MAX_VIDEO_BYTES", 5000)
    part, journal = clip(), Dying(99)
    from postkit.deliver.clients import ask

    with pytest.raises(Refused, match="no file of that size"):
        ask(link.network, link.session, lambda: link.network.prepare(link.client, part, journal))
    assert journal == {}


# The rendition


def rendered(post: Post, **options: Any) -> Rendition:
    return Reddit().adapt(post, LIMITS, RenderOptions(options, "r/python"))


def a_post(number: int) -> Post:
    return Post("x", title="T", media=[Media(video(number), "A rocket", name="launch.mp4")])


def still(rendition: Rendition) -> Image.Image:
    row = rendition.parts[0].fields["poster"]
    assert row["mime"] == "image/jpeg"
    assert len(row["base64"]) <= 100_000
    picture = Image.open(io.BytesIO(base64.b64decode(row["base64"])))
    assert picture.format == "JPEG"
    return picture


def lines(rendition: Rendition) -> list[str]:
    return [change.text for change in rendition.changes if change.field == "poster"]


def test_the_poster_is_a_picture_of_the_video() -> None:
    rendition = rendered(a_post(1))
    assert still(rendition).size == (320, 180)
    assert lines(rendition) == [
        "launch.mp4: until it plays, its picture at 1.0 s stands for the video"
    ]
    assert len(set(still(rendition).convert("L").tobytes())) > 20
    assert rendered(a_post(1)).parts == rendition.parts
    assert [(loss.field, "A rocket" in loss.text) for loss in rendition.losses] == [("alt", True)]


def test_without_an_engine_the_poster_is_plain_and_the_report_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing(*_: Any, **__: Any) -> bytes:
        raise InputError("Nothing is installed.")

    monkeypatch.setattr("postkit.video.convert.thumbnail", nothing)
    rendition = rendered(a_post(2))
    picture = still(rendition)
    assert picture.size == (320, 180)
    grey, light = picture.getpixel((5, 5)), picture.getpixel((160, 90))
    assert isinstance(grey, tuple)
    assert isinstance(light, tuple)
    assert max(grey) < 90 < 200 < min(light)
    (line,) = lines(rendition)
    assert line.startswith("launch.mp4: until it plays, a plain picture with a play sign")


def test_a_poster_full_of_noise_is_made_smaller() -> None:
    noise = Image.effect_noise((1280, 720), 120).convert("RGB")
    data = poster._small(noise)
    assert len(data) <= poster.MOST
    assert Image.open(io.BytesIO(data)).width >= 40


def test_the_table() -> None:
    assert LIMITS.video is not None
    assert LIMITS.animation is not None
    limit = LIMITS.video
    assert (limit.max_bytes, limit.max_seconds) == (1_000_000_000, 900)
    assert limit.mime_types == ("video/mp4", "video/quicktime")
    assert (limit.count, limit.beside_images, limit.source.verified) == (1, False, False)
    assert LIMITS.animation.mime_types == ("image/gif",)


def test_a_video_stands_alone(picture: Pictures) -> None:
    media = [Media(video(), name="a.mp4"), Media(picture().read(), name="a.png")]
    with pytest.raises(CannotRender, match="a video stands alone"):
        rendered(Post("x", title="T", media=media))


def test_a_gif_that_moves_stays_a_picture() -> None:
    pictures = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    post = Post("x", title="T", media=[Media(file.getvalue(), name="a.gif")])
    (part,) = rendered(post).parts
    assert [(media.mime, media.kind) for media in part.media] == [("image/gif", "animation")]
    assert "poster" not in part.fields


def test_the_link_goes_into_the_text() -> None:
    post = Post("x", title="T", link="https://example.com/", media=[Media(video(), name="a.mp4")])
    assert rendered(post).parts[0].text == "x\n\nhttps://example.com/"


# The form


def test_a_form_is_read_in_pieces_of_any_size() -> None:
    data = bytes(range(256)) * 600
    whole = FileForm({"key": "a"}, "a.mp4", "video/mp4", io.BytesIO(data), len(data))
    text = whole.read()
    assert len(text) == len(whole)
    form = FileForm({"key": "a"}, "a.mp4", "video/mp4", io.BytesIO(data), len(data))
    pieces = list(iter(lambda: form.read(1000), b""))
    assert max(map(len, pieces)) == 1000
    strip = (whole.content_type[-32:].encode(), form.content_type[-32:].encode())
    assert b"".join(pieces).replace(strip[1], strip[0]) == text


def test_a_file_that_has_shrunk_is_not_sent_as_a_whole() -> None:
    form = FileForm({}, "a.mp4", "video/mp4", io.BytesIO(b"123"), 4)
    with pytest.raises(PluginError, match="3 bytes where 4"):
        form.read()


# The emulator


@pytest.fixture
def submit(link: Link, emulator: RedditEmulator, server: EmulatorServer) -> Callable[..., Json]:
    link.client.authorise()
    token = link.vault.fields["access_token"]
    headers = {"Authorization": f"bearer {token}", "User-Agent": "linux:test:1 (by /u/nobody)"}

    def send(**form: str) -> Json:
        base = {"api_type": "json", "kind": "video", "sr": "test", "title": "Hi"}
        url = f"{emulator.endpoint(server.url)}/api/submit/"
        answer = requests.post(url, {**base, **form}, headers=headers, timeout=5)
        found: Json = answer.json()["json"]
        return found

    return send


def uploaded(link: Link, clip: Parts, data: bytes | None = None) -> dict[str, str]:
    prepared = link.outgoing(clip(data)).prepared
    return {"url": prepared["media_0"]["url"], "video_poster_url": prepared["poster"]["url"]}


def test_a_submission_answers_without_an_id(
    link: Link, clip: Parts, submit: Callable[..., Json]
) -> None:
    answer = submit(**uploaded(link, clip))
    assert answer["errors"] == []
    assert set(answer["data"]) == {"user_submitted_page", "websocket_url"}


@pytest.mark.parametrize("name", ["url", "video_poster_url"])
def test_a_submission_needs_both_uploads(
    link: Link, clip: Parts, submit: Callable[..., Json], name: str
) -> None:
    form = uploaded(link, clip)
    other = form["video_poster_url" if name == "url" else "url"]
    for wrong in ("", "https://example.com/a.mp4", other):
        ((code, _, field),) = submit(**{**form, name: wrong})["errors"]
        assert (code, field) == ("BAD_URL", name)
    assert link.server.posts("reddit") == []


def test_a_video_is_no_image_post(link: Link, clip: Parts, submit: Callable[..., Json]) -> None:
    url = uploaded(link, clip)["url"]
    ((code, _, _),) = submit(kind="image", url=url)["errors"]
    assert code == "BAD_URL"


def test_what_is_no_video_makes_no_post_and_no_error(
    link: Link, clip: Parts, submit: Callable[..., Json]
) -> None:
    link.server.set("reddit", "video_processing", 0.0)
    for data in (b"no video", b"GIF89a" + bytes(100)):
        assert submit(**uploaded(link, clip, data))["errors"] == []
    assert link.server.posts("reddit") == []

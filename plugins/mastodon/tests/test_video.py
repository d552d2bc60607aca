"""Videos and GIFs: sent once, from the file, waited for, alone in their post."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any, ClassVar

import pytest
from PIL import Image
from postkit_mastodon.form import FileForm
from postkit_mastodon.limits import LIMITS, limits_of

from postkit import processing
from postkit.errors import PlanRefused, Refused, Unavailable
from postkit.network import Attachment, RenderedPart
from postkit.post import Media
from postkit.testing.pictures import picture
from postkit.testing.rig import Rig, story
from postkit.testing.suite.bench import Bench
from postkit.testing.videos import video


def gif(frames: int = 3, size: tuple[int, int] = (60, 40)) -> bytes:
    pictures = [Image.new("RGB", size, (80 * n, 20, 90)) for n in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def attached(data: bytes, mime: str = "video/mp4", kind: Any = "video") -> Attachment:
    digest = hashlib.sha256(data).hexdigest()
    name = "launch." + mime.rpartition("/")[2]
    return Attachment(digest, mime, len(data), 320, 180, "A rocket", name, lambda: data, kind=kind)


def steps(rig: Rig) -> list[tuple[str, int | None]]:
    return [(entry.method, entry.status) for entry in rig.requests() if "/media" in entry.path]


class TestVideo(Bench):
    network = "mastodon"

    def test_a_video_is_uploaded_waited_for_and_attached(self, rig: Rig) -> None:
        report = rig.publish(rig.post(media=[Media(video(), "A rocket", name="launch.mp4")]))
        assert report.state == "live", story(rig, report)
        ((shown,),) = [post.media for post in rig.live()]
        assert (shown.mime, shown.width, shown.alt) == ("video/mp4", 320, "A rocket")
        seen = steps(rig)
        assert seen[0] == ("POST", 202)
        assert set(seen[1:-1]) <= {("GET", 206)}
        assert seen[-1] == ("GET", 200)

    def test_a_gif_stays_one_and_stands_alone(self, rig: Rig) -> None:
        data = gif()
        media = [Media(data, "Colours", name="a.gif"), Media(picture(), "A fish", name="b.png")]
        report = rig.publish(rig.post(media=media))
        assert report.state == "live", story(rig, report)
        found = [[(one.mime, one.alt) for one in post.media] for post in rig.live()]
        assert found == [[("image/gif", "Colours")], [("image/png", "A fish")]]

    def test_an_upload_is_found_again(self, rig: Rig) -> None:
        part = rig.part(rig.post(media=[Media(video(), "A rocket", name="launch.mp4")]))
        with rig.connected() as connection:
            outgoing = rig.outgoing(part, connection)
            receipt = rig.sent(outgoing, connection)
            assert [one.receipt.id for one in rig.find(outgoing, connection)] == [receipt.id]
            other = replace(outgoing, prepared={"media_0": "1"})
            assert rig.find(other, connection) == []

    def test_it_waits_on_after_a_crash(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        rig.server.set("mastodon", "processing", 1.0)
        part = rig.part(rig.post(media=[Media(video(), name="launch.mp4")]))
        journal: dict[str, Any] = {}
        with rig.connected() as connection:
            with monkeypatch.context() as hasty:
                hasty.setattr(processing, "PATIENCE", 0.0)
                with pytest.raises(Unavailable, match="still at work") as caught:
                    rig.network.prepare(connection.client, part, journal)
            assert caught.value.retry_at is not None
            rig.network.prepare(connection.client, part, journal)
        assert [method for method, _ in steps(rig)].count("POST") == 1

    def test_what_the_server_has_lost_is_sent_again(self, rig: Rig) -> None:
        part = rig.part(rig.post(media=[Media(video(), name="launch.mp4")]))
        journal: dict[str, Any] = {"media_0": "1"}
        with rig.connected() as connection:
            connection.ask(lambda: rig.network.prepare(connection.client, part, journal))
        assert journal["media_0"] != "1"
        assert steps(rig)[:2] == [("GET", 404), ("POST", 202)]

    def test_what_is_lost_while_it_is_waited_for_is_unavailable(self, rig: Rig) -> None:
        class Losing(dict[str, Any]):
            def __setitem__(self, name: str, value: Any) -> None:
                super().__setitem__(name, "1")

        journal = Losing()
        part = rig.part(rig.post(media=[Media(video(), name="launch.mp4")]))
        with rig.connected() as connection:
            with pytest.raises(Unavailable, match=r"lost launch\.mp4"):
                rig.network.prepare(connection.client, part, journal)
        assert journal == {}

    def test_what_cannot_be_processed_is_refused_and_forgotten(self, rig: Rig) -> None:
        rig.server.set("mastodon", "processing_fails", True)
        part = rig.part(rig.post(media=[Media(video(), name="launch.mp4")]))
        journal: dict[str, Any] = {}
        with rig.connected() as connection:
            with pytest.raises(Refused, match=r"not process launch\.mp4: Error processing"):
                rig.network.prepare(connection.client, part, journal)
        assert journal == {}

    def test_the_server_refuses_bad_company(self, rig: Rig) -> None:
        clips = (attached(video(1)), attached(video(2)))
        still = attached(picture(), "image/png", "image")
        for media in (clips, (clips[0], still), (attached(gif(), "image/gif", "animation"), still)):
            with pytest.raises(Refused, match="Cannot attach a video to a post that already"):
                rig.send_raw(RenderedPart("Both", media))

    def test_a_status_cannot_have_what_is_not_ready(self, rig: Rig) -> None:
        rig.server.set("mastodon", "processing", 60.0)
        part = RenderedPart("Too early", (attached(video()),))
        with rig.connected() as connection:
            media_id = str(connection.client.upload(part.media[0])["id"])
            with pytest.raises(Refused, match="have not finished processing"):
                connection.ask(
                    lambda: connection.client.post(
                        "/api/v1/statuses", json={"status": "Too early", "media_ids": [media_id]}
                    )
                )

    @pytest.mark.parametrize(
        ("data", "mime", "words"),
        [
            (b"no video", "video/mp4", "content type is invalid"),
            (picture(), "video/mp4", "content type is invalid"),
            (video()[:2000], "video/mp4", "content type is invalid"),
            (gif(size=(1281, 720)), "image/gif", "1281x720 GIF files are not supported"),
        ],
    )
    def test_the_server_refuses_files(self, rig: Rig, data: bytes, mime: str, words: str) -> None:
        with pytest.raises(Refused, match=words):
            rig.send_raw(RenderedPart("No", (attached(data, mime),)))

    def test_the_server_refuses_what_is_too_large(self, rig: Rig) -> None:
        rig.server.set("mastodon", "video_size_limit", 20 * 1_048_576)
        data = video(size=20 * 1_048_576 + 1)
        with pytest.raises(Refused, match="must be less than 20 MB"):
            rig.send_raw(RenderedPart("No", (attached(data),)))


class TestSmallServer(Bench):
    """The plan follows what was read at connect."""

    network = "mastodon"
    settings: ClassVar[dict[str, Any]] = {"video_size_limit": 30_000}

    def test_the_server_s_own_size_holds(self, rig: Rig) -> None:
        assert rig.limits.video is not None
        assert rig.limits.video.max_bytes == 30_000
        fits = rig.publish(rig.post(media=[Media(video(size=30_000), name="launch.mp4")]))
        assert fits.state == "live", story(rig, fits)
        long = Media(video(seconds=60, size=30_001), name="launch.mp4")
        with pytest.raises(PlanRefused, match="30001 bytes, at most 30000"):
            rig.publish(rig.post(media=[long]))


def test_the_limits_of_a_server() -> None:
    stated = {
        "supported_mime_types": ["image/png", "video/webm", "video/mp4", "audio/mpeg"],
        "image_size_limit": 1_000,
        "video_size_limit": 2_000,
        "video_matrix_limit": 3_000,
        "video_frame_rate_limit": 30,
    }
    limits = limits_of({"media_attachments": stated})
    assert limits.animation is None
    found = limits.video
    assert found is not None
    assert found.mime_types == ("video/mp4", "video/webm")
    assert (found.max_bytes, found.max_pixels, found.max_fps) == (2_000, 3_000, 30.0)
    gifs = limits_of({"media_attachments": {"image_size_limit": 1_000}}).animation
    assert gifs is not None
    assert gifs.max_bytes == 1_000


def test_a_server_without_videos() -> None:
    stated = {"supported_mime_types": ["image/png", "image/gif"]}
    limits = limits_of({"media_attachments": stated})
    assert limits.video is None
    assert limits.animation == LIMITS.animation


# The form


class Counting(io.BytesIO):
    """A file that knows how much was asked of it at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, len(self.getvalue()) if size in (None, -1) else size or 0)
        return super().read(size)


def in_one(form: FileForm) -> bytes:
    return b"".join(form)


@pytest.mark.parametrize("read", [in_one, lambda form: b"".join(iter(lambda: form.read(7), b""))])
def test_a_form_is_as_long_as_it_says(read: Callable[[FileForm], bytes]) -> None:
    data = video()
    form = FileForm({"description": 'Zo\u00eb\'s "rocket"'}, attached(data), io.BytesIO(data))
    said = len(form)
    body = read(form)
    assert len(body) == said
    assert data in body
    boundary = form.content_type.partition("boundary=")[2].encode()
    assert body.startswith(b"--" + boundary + b"\r\n")
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")


def test_a_name_cannot_end_its_quotes() -> None:
    named = replace(attached(b"1"), name='a"\r\nX: b.mp4')
    body = in_one(FileForm({}, named, io.BytesIO(b"1")))
    assert b'filename="a%22%0D%0AX: b.mp4"' in body


class TestStreaming(Bench):
    network = "mastodon"

    def test_the_file_is_never_in_memory_as_a_whole(self, rig: Rig) -> None:
        data = video(size=1_000_000)
        files: list[Counting] = []

        def opened() -> IO[bytes]:
            files.append(Counting(data))
            return files[-1]

        def load() -> bytes:
            raise AssertionError("All bytes were read at once.")

        part = RenderedPart("Large", (replace(attached(data), load=load, stream=opened),))
        rig.send_raw(part)
        (file,) = files
        assert 0 < file.most <= 65_536
        assert file.closed
        ((shown,),) = [post.media for post in rig.live()]
        assert shown.sha256 == hashlib.sha256(data).hexdigest()

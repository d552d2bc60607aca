"""A video on its way to a network: as it is, packed, coded anew or refused, and each line of it."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace
from datetime import date
from fractions import Fraction
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from postkit.adapt import videos
from postkit.adapt.default import adapt
from postkit.adapt.videos import fit_video
from postkit.adapt.workshop import watched
from postkit.errors import InputError
from postkit.installed import NETWORKS
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, Source, TextLimit, VideoLimit
from postkit.network import CannotRender, RenderOptions, Rendition
from postkit.outcomes import outcomes_of
from postkit.plugins import Plugins
from postkit.post import Media, Part, Post, Settings
from postkit.testing.pictures import picture
from postkit.testing.videos import video
from postkit.video.probe import probe

from .films import Film, make, subtitled

SOURCE = Source("made for these tests", date(2026, 11, 29))
LIMIT = VideoLimit(("video/mp4",), 50_000_000, SOURCE, max_seconds=60, max_width=640)
IMAGE = ImageLimit(("image/png", "image/jpeg"), 1_000_000, SOURCE)


def limits(**changed: object) -> Limits:
    return replace(
        Limits(
            SOURCE,
            (TextLimit(CodePoints(), 280, SOURCE),),
            EntityRules(),
            threads=True,
            media_count=4,
            image=IMAGE,
            video=LIMIT,
            alt=TextLimit(CodePoints(), 100, SOURCE),
        ),
        **changed,  # type: ignore[arg-type] # fields of the table, by name
    )


def rendered(post: Post, table: Limits) -> Rendition:
    return adapt("here", post, table, RenderOptions())


def clip(number: int = 0) -> Media:
    return Media(video(number), f"A rocket, {number}", name=f"{number}.mp4")


def gif(seconds: float = 0.6, kind: str = "GIF", size: tuple[int, int] = (64, 48)) -> bytes:
    frames = [Image.new("RGB", size, (80 * n, 20, 90)) for n in range(3)]
    file = io.BytesIO()
    each = int(seconds * 1000 / 3)
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=each, loop=0)
    return file.getvalue()


def test_what_fits_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(video())
    attachment, changes, _ = fit_video(Media(path), "Alt", LIMIT)
    assert changes == ()
    assert attachment.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with attachment.open() as file:
        assert file.read() == path.read_bytes()
    assert (attachment.kind, attachment.mime, attachment.name) == ("video", "video/mp4", "film.mp4")
    assert (attachment.seconds, attachment.width, attachment.height) == (2.0, 320, 180)


def test_what_it_tells_beside_its_pictures_is_taken_out(tmp_path: Path) -> None:
    tags = {"location": "+48.8577+002.2950/", "comment": "secret"}
    path = make(tmp_path / "film.mp4", Film(tags=tags))
    attachment, changes, _ = fit_video(Media(path), "", LIMIT)
    assert len(changes) == 1
    assert changes[0].startswith("film.mp4: metadata removed (")
    assert "place" in changes[0]
    assert probe(io.BytesIO(attachment.read()), "made").metadata == ()
    assert b"secret" not in attachment.read()
    assert b"secret" in path.read_bytes(), "The author's file is the author's."


def test_a_container_that_is_not_taken_is_packed_anew(tmp_path: Path) -> None:
    path = make(tmp_path / "film.mov", Film(format="mov"))
    attachment, changes, _ = fit_video(Media(path), "", LIMIT)
    assert attachment.name == "film.mp4"
    assert "packed anew as MP4" in changes[0]
    assert probe(io.BytesIO(attachment.read()), "made").mime == "video/mp4"


@pytest.mark.parametrize("container", ["mov", "matroska"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"], ids=["packed anew", "coded anew"])
def test_tracks_that_are_not_sent_are_losses(tmp_path: Path, container: str, codec: str) -> None:
    film = Film(format=container, codec=codec, videos=2, audio="aac", sounds=3, change=subtitled)
    path = make(tmp_path / "film", film)
    clip = probe(path, "film")
    assert (clip.picture_tracks, clip.sound_tracks, clip.subtitle_tracks) == (2, 2, 1)
    losses = (
        "film: 1 of 2 picture tracks is not sent",
        "film: 1 of 2 sound tracks is not sent",
        "film: its subtitles are not sent",
    )
    assert fit_video(Media(path), "", LIMIT)[2] == losses
    post = Post("x", media=[Media(path)])
    rendition = rendered(post, limits())
    assert [(loss.field, loss.text, loss.items) for loss in rendition.losses] == [
        ("tracks", loss, (1,)) for loss in losses
    ]
    # It goes, if with less: the medium is no loss.
    outcomes = [row.outcome for row in outcomes_of(post, Settings(), rendition)]
    assert outcomes == ["delivered", "adapted"]
    kept = replace(LIMIT, mime_types=("video/mp4", clip.mime), video_codecs=("h264", "mpeg4"))
    assert fit_video(Media(path), "", kept)[2] == (), "As it is, it has all of them."


def test_less_colour_is_told_where_only_the_pictures_say_what_they_are(tmp_path: Path) -> None:
    code = {
        "x265-params": "log-level=none:transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"
    }
    film = Film(codec="libx265", pixels="yuv420p10le", code=code)
    path = make(tmp_path / "film.mp4", film)
    path.write_bytes(path.read_bytes().replace(b"colr", b"free"))
    assert not probe(path, "film").is_hdr
    _, changes, _ = fit_video(Media(path), "", LIMIT)
    assert changes[1] == "film.mp4: high dynamic range -> standard (BT.709)"


@pytest.mark.parametrize(
    ("film", "reason"),
    [
        (Film(audio="aac", layout="5.1"), "sound of 6 channels, at most 2"),
        (Film(shape=Fraction(4, 3)), "its pixels are not square"),
        (Film(audio="aac"), None),
    ],
)
def test_sound_and_pixels_that_are_not_taken_are_coded_anew(
    tmp_path: Path, film: Film, reason: str | None
) -> None:
    path = make(tmp_path / "film.mp4", film)
    narrow = replace(LIMIT, max_audio_channels=2, square_pixels=True)
    attachment, changes, _ = fit_video(Media(path), "", narrow)
    clip = probe(io.BytesIO(attachment.read()), "made")
    assert clip.square_pixels
    assert clip.audio_channels in (None, 2)
    assert [change for change in changes if "(MP4)" in change] == ([changes[0]] if reason else [])
    assert reason is None or reason in changes[0]
    assert not any("(MP4)" in change for change in fit_video(Media(path), "", LIMIT)[1])


def test_less_sound_is_told(tmp_path: Path) -> None:
    film = Film(format="mov", audio="pcm_s16le", layout="5.1", sample_rate=96_000)
    _, changes, losses = fit_video(Media(make(tmp_path / "film.mov", film)), "", LIMIT)
    assert changes[1:-1] == (
        "film.mov: sound of 6 channels -> 2",
        "film.mov: sound of 96000 Hz -> 48000 Hz",
    )
    assert losses == ()


def test_what_is_too_large_is_scaled_down_and_told(tmp_path: Path) -> None:
    path = make(tmp_path / "film.mp4", Film(width=1280, height=720))
    told: list[tuple[str, float]] = []
    with watched(lambda name, done: told.append((name, done))):
        attachment, changes, _ = fit_video(Media(path), "", LIMIT)
    assert (attachment.width, attachment.height) == (640, 360)
    assert changes[0].startswith("film.mp4: 1280x720 -> 640x360, ")
    assert told[-1] == ("film.mp4", 1.0)


def test_what_cannot_be_made_to_fit_is_refused_with_every_reason(tmp_path: Path) -> None:
    path = make(tmp_path / "film.mp4", Film(width=640, height=64))
    narrow = replace(LIMIT, max_seconds=0.2, max_ratio=2.0)
    with pytest.raises(CannotRender) as caught:
        fit_video(Media(path), "", narrow)
    (reason,) = caught.value.reasons
    assert reason.startswith("film.mp4: it cannot be sent here: it plays 0.5 s, at most 0.2 s")
    assert "at most 2.00: crop it" in reason


def test_what_is_too_long_is_cut_only_when_told_to(tmp_path: Path) -> None:
    path = make(tmp_path / "film.mp4", Film(frames=72))
    short = replace(LIMIT, max_seconds=1.0)
    with pytest.raises(CannotRender):
        fit_video(Media(path), "", short)
    attachment, changes, _ = fit_video(Media(path), "", short, trim=True)
    assert attachment.seconds is not None
    assert attachment.seconds <= 1.0
    assert "3.0 s -> 1.0 s" in changes[0]


def test_addresses_with_bounds_that_do_not_matter_share_a_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "film.mov", Film(format="mov", codec="mpeg4"))
    made: list[str] = []
    real = videos._moved

    def counted(media: Media, *given: Any) -> Any:
        made.append(media.name)
        return real(media, *given)

    monkeypatch.setattr(videos, "_moved", counted)
    sizes = (10**7, 10**8, 10**9)
    each = [replace(LIMIT, max_bytes=size, max_seconds=size / 1e6) for size in sizes]
    found = {fit_video(Media(path), "", limit)[0].sha256 for limit in each}
    assert len(made) == len(found) == 1
    fit_video(Media(path), "", replace(LIMIT, max_width=32))
    assert len(made) == 2


def test_an_animated_picture_becomes_a_video_where_there_is_no_place_for_it() -> None:
    moving = Media(gif(), "It turns", name="turn.gif")
    (part,) = rendered(Post("x", media=[moving]), limits()).parts
    (attachment,) = part.media
    assert (attachment.kind, attachment.name, attachment.alt) == ("video", "turn.mp4", "It turns")
    kept = limits(animation=ImageLimit(("image/gif",), 1_000_000, SOURCE))
    (part,) = rendered(Post("x", media=[Media(gif(), name="turn.gif")]), kept).parts
    assert (part.media[0].kind, part.media[0].read()) == ("animation", gif())
    few = limits(animation=ImageLimit(("image/gif",), 1_000_000, SOURCE, max_frames=2))
    (part,) = rendered(Post("x", media=[Media(gif(), name="turn.gif")]), few).parts
    assert part.media[0].kind == "video"
    with pytest.raises(CannotRender, match="animated"):
        rendered(Post("x", media=[Media(gif(), name="turn.gif")]), limits(video=None))


def test_a_video_stands_alone_and_the_order_stays() -> None:
    media = [Media(picture(1), name="a.png"), clip(1), clip(2), Media(picture(2), name="b.png")]
    rendition = rendered(Post("x", media=media), limits())
    names = [[one.name for one in part.media] for part in rendition.parts]
    assert names == [["a.png"], ["1.mp4"], ["2.mp4"], ["b.png"]]
    assert rendition.changes[0].text == (
        "2 videos and 1 picture go on in the next post (a video stands alone in a post)"
    ) or rendition.changes[0].text.startswith("1 picture and 2 videos go on in the next post")
    beside = limits(video=replace(LIMIT, count=2, beside_images=True))
    (part,) = rendered(Post("x", media=media), beside).parts
    assert len(part.media) == 4


def test_without_threads_what_cannot_be_together_is_refused() -> None:
    post = Post("x", media=[Media(picture(1), name="a.png"), clip()])
    with pytest.raises(CannotRender) as caught:
        rendered(post, limits(threads=False))
    (problem,) = caught.value.problems
    assert (problem.field, problem.items) == ("media", (2,))
    assert problem.text.startswith("media: 1 picture and 1 video do not fit (a video stands alone")


def test_where_no_video_can_be_sent_it_is_a_loss_and_the_picture_goes() -> None:
    post = Post("x", media=[Media(picture(1), "A", name="a.png"), clip()])
    rendition = rendered(post, limits(video=None))
    assert [one.name for one in rendition.parts[0].media] == ["a.png"]
    rows = {(row.field, row.item): row.outcome for row in outcomes_of(post, Settings(), rendition)}
    assert rows == {
        ("text", 1): "delivered",
        ("media", 1): "delivered",
        ("alt", 1): "delivered",
        ("media", 2): "lost",
        ("alt", 2): "lost",
    }


def test_an_alt_text_that_only_pictures_carry_is_a_loss() -> None:
    rendition = rendered(Post("x", media=[clip()]), limits(video_alt=False))
    assert rendition.parts[0].media[0].alt == ""
    assert [(loss.field, loss.items) for loss in rendition.losses] == [("alt", (1,))]


def test_a_file_that_changes_between_plan_and_acceptance_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(video(1))
    attachment, _, _ = fit_video(Media(path), "", LIMIT)
    path.write_bytes(video(2))
    with attachment.open() as file:
        assert hashlib.sha256(file.read()).hexdigest() != attachment.sha256


@pytest.mark.parametrize("kind", ["gone", "pipe"])
def test_a_file_that_is_gone_before_it_is_kept_is_one_sentence(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(video())
    attachment, _, _ = fit_video(Media(source), "", LIMIT)
    source.unlink()
    if kind == "pipe":
        os.mkfifo(source)
    for use in (attachment.open, attachment.read):
        with pytest.raises(InputError, match=r"a\.mp4: (there is no such file|it is a pipe); "):
            use()


@pytest.mark.parametrize("filler", [b"free", b"skip", b"pnot"])
def test_a_video_may_begin_with_a_box_of_nothing(filler: bytes) -> None:
    data = b"\0\0\0\x0c" + filler + bytes(4) + video()
    assert Media(data, name="a.mov").kind == "video"
    assert Media(b"The free software", name="a.txt").kind == "image"


def test_the_same_bytes_are_found_where_they_are_now(tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    for path in (first, second):
        path.write_bytes(video(1))
        attachment, _, _ = fit_video(Media(path), "", LIMIT)
        if path == first:
            path.unlink()
    assert attachment.read() == second.read_bytes()


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypisom", video()[:3_000]], ids=["head", "half"])
def test_a_broken_file_is_one_sentence(data: bytes) -> None:
    with pytest.raises(CannotRender) as caught:
        rendered(Post([Part("x", (Media(data, name="broken.mp4"),))]), limits())
    assert [reason.startswith("broken.mp4: ") for reason in caught.value.reasons] == [True]


def test_without_an_engine_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "film.mov", Film(format="mov", codec="mpeg4", frames=5))
    monkeypatch.setattr("postkit.video.engine.has_av", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"postkit-social\[video\]"):
        fit_video(Media(path), "", LIMIT)


@pytest.mark.parametrize("name", sorted(each.name for each in entry_points(group=NETWORKS)))
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_short_animation_goes_to_every_network_that_has_videos(name: str, kind: str) -> None:
    """A bound of a gigabyte for a second is no rate that an encoder can be told."""
    table = Plugins().network(name).limits
    assert table.video is not None
    data = gif(1.0, kind, size=(320, 240))
    attachment, _, _ = fit_video(Media(data, name=f"turn.{kind.lower()}"), "", table.video)
    assert attachment.seconds == pytest.approx(1.0, abs=0.4)


def test_the_alt_text_of_an_animation_goes_where_the_animation_does() -> None:
    animations = ImageLimit(("image/gif",), 1_000_000, SOURCE)
    post = Post("x", media=[Media(gif(), "It spins", name="a.gif")])
    table = limits(animation=animations, video_alt=False)
    rendition = rendered(post, table)
    assert [m.alt for m in rendition.parts[0].media] == ["It spins"]
    assert rendition.losses == ()
    # Too large to stay one, it is a video, and has a video's.
    small = replace(table, animation=replace(animations, max_bytes=10))
    rendition = rendered(post, small)
    assert [(m.kind, m.alt) for m in rendition.parts[0].media] == [("video", "")]
    assert [(loss.field, loss.items) for loss in rendition.losses] == [("alt", (1,))]
    rendition = rendered(post, replace(table, animation_alt=False))
    assert [(m.kind, m.alt) for m in rendition.parts[0].media] == [("animation", "")]
    assert [loss.field for loss in rendition.losses] == ["alt"]


def test_no_network_that_comes_with_postkit_asks_for_a_fast_start() -> None:
    """docs/media.md says so."""
    plugins = Plugins()
    tables = [plugins.network(each.name).limits for each in entry_points(group=NETWORKS)]
    assert not [table for table in tables if table.video and table.video.fast_start]

"""Real conversions, looked at with PyAV."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import av
import pytest
from PIL import Image

from postkit.errors import InputError
from postkit.testing.videos import video
from postkit.video.animation import from_animation
from postkit.video.convert import convert, thumbnail
from postkit.video.count import Count
from postkit.video.probe import probe
from postkit.video.wish import Wish

from .films import Film, at, make, turned

Films = Callable[[str], Path]
Colour = tuple[int, int, int]
RED, BLUE, GREEN = (200, 0, 0), (0, 0, 200), (0, 160, 0)


def frames(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        decoded: Any = container.decode(video=0)
        return [frame.to_image() for frame in decoded]


def times(path: Path, kind: str) -> list[float]:
    with av.open(str(path)) as container:
        decoded: Any = container.decode(container.streams.get(**{kind: 0}))
        return [float(frame.time) for frame in decoded]


def near(image: Image.Image, across: float, down: float, colour: Colour) -> bool:
    pixel: Any = image.getpixel((int(image.width * across), int(image.height * down)))
    # The third part of green moves from picture to picture, up to 60.
    return all(
        abs(a - b) < (70 if colour == GREEN else 40) for a, b in zip(pixel, colour, strict=True)
    )


CORNERS = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
UPRIGHT = {
    (0, False): (RED, GREEN, BLUE, GREEN),
    (90, False): (BLUE, RED, GREEN, GREEN),
    (180, False): (GREEN, BLUE, GREEN, RED),
    (270, False): (GREEN, GREEN, RED, BLUE),
    (0, True): (GREEN, RED, GREEN, BLUE),
    (90, True): (GREEN, GREEN, BLUE, RED),
}


@pytest.mark.parametrize(("degrees", "flip"), UPRIGHT)
def test_the_turn_is_baked_in(tmp_path: Path, degrees: int, flip: bool) -> None:
    source = make(tmp_path / "a.mp4", Film(change=turned(degrees, flip=flip)))
    clip = convert(source, tmp_path / "b.mp4", Wish())
    assert (clip.rotation, clip.mirrored) == (0, False)
    assert (clip.width, clip.height) == ((48, 64) if degrees in (90, 270) else (64, 48))
    made = frames(tmp_path / "b.mp4")
    still = Image.open(io.BytesIO(thumbnail(source, 0.2)))
    assert still.size == made[0].size
    for image in (made[0], made[-1], still.convert("RGB")):
        for (across, down), colour in zip(CORNERS, UPRIGHT[degrees, flip], strict=True):
            assert near(image, across, down, colour), (across, down, colour)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_a_remux_keeps_pictures_sound_and_turn(
    tmp_path: Path, degrees: int, container: str
) -> None:
    source = make(
        tmp_path / "a", Film(format=container, audio="aac", frames=48, change=turned(degrees))
    )
    before = probe(source, "a")
    clip = convert(source, tmp_path / "b.mp4", Wish(copy=True))
    assert clip.mime == "video/mp4"
    assert clip.fast_start
    assert clip.metadata == ()
    assert (clip.rotation, clip.width, clip.height) == (degrees, before.width, before.height)
    assert clip.seconds == pytest.approx(before.seconds, abs=0.03)
    for kind in ("video", "audio"):
        assert coded(tmp_path / "b.mp4", kind) == coded(source, kind)
        assert times(tmp_path / "b.mp4", kind) == pytest.approx(times(source, kind), abs=0.002)


def coded(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.get(**{kind: 0})
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


@pytest.mark.parametrize("name", ["fragmented", "hevc", "av1", "variable", "tagged mov", "opus"])
def test_a_remux_of(film: Films, tmp_path: Path, name: str) -> None:
    before = probe(film(name), name)
    clip = convert(film(name), tmp_path / "b.mp4", Wish(copy=True))
    assert (clip.video_codec, clip.audio_codec) == (before.video_codec, before.audio_codec)
    assert (clip.fast_start, clip.is_fragmented, clip.metadata) == (True, False, ())
    assert clip.seconds == pytest.approx(before.seconds, abs=0.06)
    assert times(tmp_path / "b.mp4", "video") == pytest.approx(
        times(film(name), "video"), abs=0.002
    )


@pytest.mark.parametrize(
    "name",
    [
        "hevc 10 bits",
        "prores",
        "high 4:4:4",
        "av1",
        "mjpeg",
        "mpeg4 with mp3",
        "mov mono pcm",
        "odd size 4:2:0",
        "wide pixels",
        "fragmented",
        "one picture",
        "two videos",
        "44100",
        "half shown",
    ],
)
def test_a_transcode_of(film: Films, tmp_path: Path, name: str) -> None:
    before = probe(film(name), name)
    told: list[float] = []
    clip = convert(film(name), tmp_path / "b.mp4", Wish(), told.append)
    assert (clip.mime, clip.video_codec, clip.fast_start) == ("video/mp4", "h264", True)
    assert (clip.bit_depth, clip.chroma, clip.profile) == (8, "4:2:0", "High")
    assert clip.audio_codec == (before.audio_codec and "aac")
    assert clip.audio_channels == before.audio_channels
    assert (clip.width, clip.height) == (before.width // 2 * 2, before.height // 2 * 2)
    assert clip.seconds == pytest.approx(before.seconds, abs=0.06)
    assert clip.metadata == ()
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert all(0 <= done <= 1 for done in told)
    pictures = frames(tmp_path / "b.mp4")
    for (across, down), colour in zip(CORNERS, UPRIGHT[0, False], strict=True):
        assert near(pictures[-1], across, down, colour)


def test_sound_and_pictures_stay_together(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mov", Film(format="mov", audio="pcm_s16le", frames=72))
    convert(source, tmp_path / "b.mp4", Wish(max_width=32))
    pictures, sound = times(tmp_path / "b.mp4", "video"), times(tmp_path / "b.mp4", "audio")
    assert pictures[0] == 0
    assert abs(sound[0]) < 0.025
    assert len(pictures) == 72
    assert pictures[-1] == pytest.approx(71 / 24, abs=0.002)
    assert sound[-1] == pytest.approx(3.0, abs=0.05)


def test_smaller_slower_shorter_when_told(tmp_path: Path) -> None:
    source = make(
        tmp_path / "a.mp4",
        Film(width=320, height=180, frames=180, rate=Fraction(60), audio="aac"),
    )
    target = tmp_path / "b.mp4"
    clip = convert(source, target, Wish(max_width=200, max_fps=30))
    assert (clip.width, clip.height, clip.frame_rate) == (200, 112, 30.0)
    assert clip.seconds == pytest.approx(3.0, abs=0.05)
    clip = convert(source, target, Wish(max_seconds=2.0))
    assert clip.seconds == pytest.approx(3.0, abs=0.05)
    clip = convert(source, target, Wish(max_seconds=2.0, trim=True))
    assert 1.9 < clip.seconds <= 2.0
    clip = convert(source, target, Wish(max_width=4000, max_height=4000))
    assert (clip.width, clip.height) == (320, 180)


def test_a_variable_rate_becomes_steady(film: Films, tmp_path: Path) -> None:
    before = probe(film("variable with sound"), "a")
    clip = convert(film("variable with sound"), tmp_path / "b.mp4", Wish())
    assert before.is_variable
    assert not clip.is_variable
    assert clip.frame_rate == pytest.approx(24.0)
    assert clip.seconds == pytest.approx(before.seconds, abs=0.1)


def noise(path: Path, seconds: int) -> Path:
    """Pictures that take many bits, whatever codes them."""
    import random

    draw = random.Random(5)
    with av.open(str(path), "w") as target:
        stream: Any = target.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.bit_rate = 8_000_000
        for number in range(seconds * 24):
            frame = av.VideoFrame(128, 96, "yuv420p")
            for plane in frame.planes:
                plane.update(draw.randbytes(plane.buffer_size))
            frame.pts, frame.time_base = number, Fraction(1, 24)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def test_the_bytes_are_kept(tmp_path: Path) -> None:
    source = noise(tmp_path / "a.mp4", 4)
    most = 150_000
    assert source.stat().st_size > 6 * most
    clip = convert(source, tmp_path / "b.mp4", Wish(max_bytes=most))
    assert most * 0.5 < clip.size <= most
    with pytest.raises(InputError, match="shorten it"):
        convert(source, tmp_path / "c.mp4", Wish(max_bytes=20_000))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("told", [True, False], ids=["told by the container", "by pictures alone"])
def test_colours_of_high_contrast_become_usual_ones(tmp_path: Path, told: bool) -> None:
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as target:
        stream: Any = target.add_stream("libx265", options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9
        for number in range(6):
            frame = av.VideoFrame(64, 64, "yuv420p10le")
            for plane, level in zip(frame.planes, (400, 512, 512), strict=True):
                plane.update(level.to_bytes(2, "little") * (plane.buffer_size // 2))
            frame.pts, frame.time_base = number, Fraction(1, 24)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    if not told:
        source.write_bytes(source.read_bytes().replace(b"colr", b"free"))
    assert probe(source, "a").is_hdr == told
    clip = convert(source, tmp_path / "b.mp4", Wish())
    assert (clip.is_hdr, clip.bit_depth) == (False, 8)
    with av.open(str(tmp_path / "b.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)
    # 400 of 1023 is 36 cd/m2: a middle grey at 203 for white, and 100 of 255 if only cut.
    grey: Any = frames(tmp_path / "b.mp4")[0].getpixel((30, 30))
    assert 100 < grey[0] < 160


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libsvtav1"])
def test_webm(tmp_path: Path, codec: str) -> None:
    film = Film(
        format="webm",
        codec=codec,
        audio="libopus",
        frames=30,
        rate=Fraction(30),
        tags={"title": "A title", "comment": "c", "location": "+48.1+11.6/"},
    )
    source = make(tmp_path / "a.webm", film)
    clip = probe(source, "a")
    assert (clip.mime, clip.brand, clip.audio_codec) == ("video/webm", "webm", "opus")
    assert clip.video_codec == {"libvpx": "vp8", "libvpx-vp9": "vp9", "libsvtav1": "av1"}[codec]
    assert (clip.width, clip.height, clip.sample_rate) == (64, 48, 48_000)
    assert clip.seconds == pytest.approx(1.0, abs=0.05)
    assert clip.metadata == ("comment", "place", "title")
    assert probe(source.read_bytes(), "a") == clip
    made = convert(source, tmp_path / "b.mp4", Wish())
    assert (made.video_codec, made.audio_codec, made.metadata) == ("h264", "aac", ())
    assert thumbnail(source, 0.5).startswith(b"\xff\xd8\xff")


def test_matroska_and_a_recording_without_a_duration(tmp_path: Path) -> None:
    source = make(tmp_path / "a.mkv", Film(format="matroska", audio="aac", frames=48))
    clip = probe(source, "a")
    assert (clip.mime, clip.brand, clip.video_codec) == ("video/x-matroska", "matroska", "h264")
    live = make(tmp_path / "b.webm", replace(WEBM, mux={"live": "1"}))
    assert probe(live, "b").seconds == pytest.approx(2.0, abs=0.05)


WEBM = Film(format="webm", codec="libvpx", frames=48)


@pytest.mark.parametrize(("audio", "bf"), [(None, "0"), (None, "5"), ("aac", "2")])
def test_matroska_is_remuxed_whole(tmp_path: Path, audio: str | None, bf: str) -> None:
    """Its packets have no decoding times; none is lost, and all are shown when they were."""
    film = Film(format="matroska", audio=audio, frames=30, code={"bf": bf})
    source = make(tmp_path / "a.mkv", film)
    clip = convert(source, tmp_path / "b.mp4", Wish(copy=True))
    assert clip.seconds == pytest.approx(30 / 24, abs=0.05)
    for kind in ("video", *(["audio"] if audio else [])):
        assert coded(tmp_path / "b.mp4", kind) == coded(source, kind)
        shown, told = times(tmp_path / "b.mp4", kind), times(source, kind)
        assert shown == pytest.approx([each - told[0] + shown[0] for each in told], abs=0.003)


def test_broken_webm_is_one_sentence(tmp_path: Path) -> None:
    data = make(tmp_path / "a.webm", WEBM).read_bytes()
    for broken in (
        data[:4],
        data[:40],
        data[:300],
        b"\x1aE\xdf\xa3" + bytes(400),
        data[:4] + b"\xff" * 999,
    ):
        with pytest.raises(InputError) as caught:
            probe(broken, "f.webm")
        assert len(caught.value.problems) == 1
        assert caught.value.message.startswith("f.webm: it ")
        assert caught.value.message.endswith(".")


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_moving_pictures_become_a_film(tmp_path: Path, kind: str) -> None:
    images = [Image.new("RGB", (51, 33), (n * 20, 200 - n * 10, 30)) for n in range(10)]
    source = tmp_path / f"a.{kind}"
    images[0].save(
        source, save_all=True, append_images=images[1:], duration=[40, 100] * 5, lossless=True
    )
    told: list[float] = []
    clip = from_animation(source, tmp_path / "b.mp4", Wish(), told.append).clip
    assert (clip.width, clip.height, clip.video_codec) == (50, 32, "h264")
    assert clip.audio_codec is None
    assert clip.seconds == pytest.approx(0.7, abs=0.045)
    assert told[-1] == 1.0
    made = frames(tmp_path / "b.mp4")
    first: Any = made[0].getpixel((25, 16))
    last: Any = made[-1].getpixel((25, 16))
    assert all(abs(a - b) < 20 for a, b in zip(first, (0, 200, 30), strict=True))
    assert all(abs(a - b) < 20 for a, b in zip(last, (180, 110, 30), strict=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name, "b.mp4"]


def test_a_still_picture_is_no_film(tmp_path: Path) -> None:
    source = tmp_path / "a.gif"
    Image.new("RGB", (8, 8)).save(source)
    with pytest.raises(InputError, match="it is a still picture"):
        from_animation(source, tmp_path / "b.mp4", Wish())
    source.write_bytes(b"GIF89a" + bytes(50))
    with pytest.raises(InputError, match="no whole moving picture"):
        from_animation(source, tmp_path / "b.mp4", Wish())
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_thumbnails_at_a_moment(film: Films) -> None:
    for moment in (0.0, 0.3, 0.5, 99.0):
        picture = Image.open(io.BytesIO(thumbnail(film("wide pixels"), moment)))
        assert (picture.format, picture.size) == ("JPEG", (84, 48))
        assert not picture.getexif()


def test_a_cut_ends_before_the_bound_also_where_pictures_last_long(tmp_path: Path) -> None:
    source = tmp_path / "slow.mp4"
    source.write_bytes(video(seconds=30))  # twenty pictures of a second and a half
    wish = Wish(max_seconds=10.0, trim=True)
    clip = convert(source, tmp_path / "cut.mp4", wish)
    assert 7.0 < clip.seconds <= 10.0


def damaged(path: Path, start: float, end: float) -> Path:
    """The same film with a part of its pictures' bytes overwritten."""
    data = bytearray(path.read_bytes())
    mdat = at(bytes(data), "mdat")
    size = int.from_bytes(data[mdat : mdat + 4], "big") - 8
    first, last = (mdat + 8 + int(size * share) for share in (start, end))
    data[first:last] = Random(3).randbytes(last - first)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
def test_a_damaged_film_is_refused_and_not_made_shorter(tmp_path: Path, codec: str) -> None:
    # Pictures without others to lean on: an encoder of flat colours would leave a few bytes each.
    film = Film(codec=codec, frames=60, code={"g": "1"} if codec != "libx265" else {})
    source = damaged(make(tmp_path / "a.mp4", film), 0.4, 0.9)
    with pytest.raises(InputError, match=r"it is damaged: \d+ of 60 pictures cannot be decoded"):
        convert(source, tmp_path / "b.mp4", Wish())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_picture_that_players_pass_over_is_forgiven(tmp_path: Path) -> None:
    film = make(tmp_path / "a.mov", Film(codec="mjpeg", pixels="yuvj420p", format="mov", frames=48))
    with av.open(str(film)) as container:
        packets = [(each.pos or 0, each.size) for each in container.demux(video=0) if each.size]
    data = bytearray(film.read_bytes())
    (place, size) = packets[20]
    data[place : place + size] = bytes(size)
    film.write_bytes(data)
    assert convert(film, tmp_path / "b.mp4", Wish()).seconds == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize(("codec", "refused"), [("vp8", False), ("h264", True)])
def test_pictures_that_are_never_shown_are_not_missed(codec: str, refused: bool) -> None:
    """Every fourth packet has the bit clear that says "show it", which only VP8 has."""
    count = Count("pictures", 24.0)
    for number in range(80):
        packet = bytes([0x00 if number % 4 == 3 else 0x10])
        count.goes_in(Packet(packet, number, codec), 99.0)
        if number % 4 != 3:
            count.comes_out(None, number / 24)
    assert bool(count.refusal()) == refused


class Packet(bytearray):
    """As much of PyAV's packet as is counted."""

    is_discard = False
    time_base = Fraction(1, 24)

    def __init__(self, data: bytes, pts: int, codec: str) -> None:
        super().__init__(data)
        self.pts, self.size = pts, len(data)
        self.stream = SimpleNamespace(codec_context=SimpleNamespace(name=codec))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("container", ["webm", "matroska"])
def test_a_truncated_matroska_file_is_refused(tmp_path: Path, container: str, share: float) -> None:
    codec = "libvpx" if container == "webm" else "mpeg4"
    film = Film(format=container, codec=codec, frames=48, audio="libopus")
    data = make(tmp_path / "a", film).read_bytes()
    assert probe(data, "a").seconds == pytest.approx(2.0, abs=0.06)
    with pytest.raises(InputError, match=r"it is truncated: \d+ bytes of it are missing"):
        probe(data[: int(len(data) * share)], "a")


def test_a_recording_that_ends_before_its_own_end_is_refused(tmp_path: Path) -> None:
    """Its segment says no size, as those of browsers; its duration was written later."""
    data = bytearray(make(tmp_path / "a.mkv", Film(format="matroska", frames=96)).read_bytes())
    place = data.index(b"\x18\x53\x80\x67") + 4
    data[place : place + 8] = b"\x01" + b"\xff" * 7
    assert probe(bytes(data), "a").seconds == pytest.approx(4.0, abs=0.06)
    with pytest.raises(InputError, match="it is truncated: its last pictures"):
        probe(bytes(data[: len(data) // 2]), "a")

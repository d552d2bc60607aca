"""Moving pictures: measured by their blocks, refused before they are decoded, told what changes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from postkit.adapt.videos import fit_video
from postkit.errors import InputError
from postkit.network import CannotRender
from postkit.post import Media
from postkit.video import process
from postkit.video.animated import MOST_PIXELS, measured
from postkit.video.animation import from_animation
from postkit.video.wish import Wish

from .test_convert import frames
from .test_fitting import LIMIT


def moving(
    kind: str, *, size: tuple[int, int] = (64, 48), loop: int = 0, hole: bool = False
) -> bytes:
    """Three pictures of 40, 200 and 100 ms; with ``hole`` the left half can be seen through."""
    pictures = []
    for number in range(3):
        picture = Image.new("RGBA", size, (80 * number, 20, 90, 255))
        if hole:
            picture.paste((0, 0, 0, 0), (0, 0, size[0] // 2, size[1]))
        pictures.append(picture)
    if kind == "WEBP" and hole:
        return webp(pictures)
    file = io.BytesIO()
    more = {"disposal": 2} if kind == "GIF" else {}
    pictures[0].save(
        file,
        kind,
        save_all=True,
        append_images=pictures[1:],
        duration=[40, 200, 100],
        loop=loop,
        **more,
    )
    return file.getvalue()


def webp(pictures: list[Image.Image]) -> bytes:
    """By hand: what Pillow makes of moving pictures that can be seen through differs."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)

    def short(number: int) -> bytes:
        return number.to_bytes(3, "little")

    width, height = pictures[0].size
    size = short(width - 1) + short(height - 1)
    body = chunk(b"VP8X", b"\x12\0\0\0" + size) + chunk(b"ANIM", bytes(6))
    for picture in pictures:
        still = io.BytesIO()
        picture.save(still, "WEBP", lossless=True)
        body += chunk(b"ANMF", bytes(6) + size + short(100) + b"\x02" + still.getvalue()[12:])
    return chunk(b"RIFF", b"WEBP" + body)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("loop", [0, 3])
def test_its_blocks_tell_its_size_its_length_and_its_loops(
    tmp_path: Path, kind: str, loop: int
) -> None:
    source = tmp_path / "a"
    source.write_bytes(moving(kind, loop=loop))
    found = measured(source, "a")
    assert (found.width, found.height, found.frames, found.milliseconds) == (64, 48, 3, 340)
    # The Netscape extension counts how often it is shown again.
    assert found.plays == (4 if kind == "GIF" and loop else loop)
    for length in range(1, source.stat().st_size):
        source.write_bytes(moving(kind, loop=loop)[:length])
        assert measured(source, "a").frames <= 3


def many(frames: int, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("P", size).save(file, "GIF")
    data = file.getvalue()
    start = data.index(b"\x2c", 13)
    return data[:start] + data[start:-1] * frames + b"\x3b"


@pytest.mark.parametrize(("count", "size"), [(100_000, (100, 100)), (500, (1000, 1000))])
def test_what_is_too_much_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, count: int, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(process, "run", lambda *_: pytest.fail("It was decoded."))
    with pytest.raises(InputError, match=rf"many.gif: .*{MOST_PIXELS:,} pixels"):
        fit_video(Media(many(count, size), name="many.gif"), "", LIMIT)


def test_what_the_network_refuses_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "run", lambda *_: pytest.fail("It was decoded."))
    with pytest.raises(CannotRender, match=r"it plays 200.0 s, at most 60 s"):
        fit_video(Media(many(2_000, (100, 100)), name="long.gif"), "", LIMIT)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_what_can_be_seen_through_is_laid_on_white(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "a"
    source.write_bytes(moving(kind, hole=True))
    assert from_animation(source, tmp_path / "b.mp4", Wish()).on_white
    for picture in frames(tmp_path / "b.mp4"):
        pixel = picture.getpixel((16, 24))
        assert isinstance(pixel, tuple)
        assert min(pixel) > 240


def test_all_that_changes_is_told() -> None:
    large = moving("GIF", size=(1280, 720), hole=True)
    attachment, changes, losses = fit_video(Media(large, name="a.gif"), "", LIMIT)
    assert changes[0].startswith("a.gif: animated picture -> video of 0.4 s, 1280x720 -> 640x360, ")
    assert changes[1:] == (
        "a.gif: plays once (the picture: for ever)",
        "a.gif: transparency laid on white",
    )
    assert (losses, attachment.width) == ((), 640)
    _, changes, _ = fit_video(Media(moving("PNG", loop=1), name="b.png"), "", LIMIT)
    assert len(changes) == 1


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    target = tmp_path / ("\u65e5" * 83 + ".mp4")  # 253 of 255 bytes
    source = tmp_path / "a"
    source.write_bytes(moving("GIF"))
    from_animation(source, target, Wish())
    assert sorted(tmp_path.iterdir()) == sorted([source, target])


def test_what_is_too_long_is_cut_only_when_told_to() -> None:
    still = many(1, (64, 48))
    at = still.index(b"\x2c", 13)
    minute = b"\x21\xf9\x04\x00" + (6_000).to_bytes(2, "little") + b"\x00\x00"
    media = Media(still[:at] + (minute + still[at:-1]) * 3 + b"\x3b", name="slow.gif")
    with pytest.raises(CannotRender, match=r"it plays 180.0 s, at most 60 s"):
        fit_video(media, "", LIMIT)
    attachment, changes, _ = fit_video(media, "", LIMIT, trim=True)
    assert attachment.seconds is not None
    assert 59.8 < attachment.seconds <= 60
    assert "video of 60.0 s, trimmed from 180.0 s" in changes[0]


def test_a_picture_for_old_viewers_is_no_frame_of_the_video(tmp_path: Path) -> None:
    """What a PNG shows where it cannot move may be none of its frames."""
    old = Image.new("RGB", (64, 48), "red")
    pictures = [Image.new("RGB", (64, 48), (0, 0, 80 * number)) for number in range(1, 4)]
    source = tmp_path / "a.png"
    old.save(source, save_all=True, append_images=pictures, default_image=True, duration=100)
    made = from_animation(source, tmp_path / "b.mp4", Wish())
    assert made.clip.seconds == pytest.approx(0.3, abs=0.02)
    for picture in frames(tmp_path / "b.mp4"):
        pixel = picture.getpixel((16, 24))
        assert isinstance(pixel, tuple)
        assert pixel[0] < 60


def test_a_film_of_blocks_is_not_followed_for_ever(tmp_path: Path) -> None:
    data = many(1, (64, 48))
    at = data.index(b"\x2c", 13) + 11
    source = tmp_path / "a"
    source.write_bytes(data[:at] + b"\1\0" * 600_000 + data[at:])
    with pytest.raises(InputError, match="more than 500,000 blocks"):
        measured(source, "a.gif")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (5, "one of its pictures is larger than is decoded here"),
        (10, "one of its pictures cannot be decoded"),
    ],
)
def test_what_no_decoder_takes_is_told_in_words(tmp_path: Path, place: int, said: str) -> None:
    """The second picture says that it is larger than any screen, or is coded in no known way."""
    data = bytearray(many(2, (64, 48)))
    at = data.rindex(b"\x2c\0\0\0\0")
    data[at + place : at + place + 4] = b"\xff\xff\xff\xff"[: 4 if place == 5 else 1]
    source = tmp_path / "a.gif"
    source.write_bytes(data)
    with pytest.raises(InputError, match=said):
        from_animation(source, tmp_path / "b.mp4", Wish())

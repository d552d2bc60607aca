"""The reader of boxes against PyAV, which decodes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from postkit.video.clip import Clip
from postkit.video.probe import probe

from .films import FILMS, TURNS, Film, at, disabled_first, make, turned, with_bytes

Films = Callable[[str], Path]
NAMES = {"pcm_s16le": "pcm", "mpeg4": "mpeg4", "libdav1d": "av1", "av1": "av1", "mp3float": "mp3"}


def seen_by_av(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        audio: Any = next(iter(container.streams.audio), None)
        frame = next(container.decode(video))
        shape = video.sample_aspect_ratio or 1
        width, height = round(frame.width * shape), frame.height
        # PyAV turns against the clock.
        rotation = -frame.rotation % 360
        if rotation in (90, 270):
            width, height = height, width
        codec = video.codec_context.name.removeprefix("lib")
        return {
            "seconds": (container.duration or 0) / 1_000_000,
            "size": (width, height),
            "rotation": rotation,
            "video": NAMES.get(video.codec_context.name, codec),
            "rate": float(video.average_rate or 0),
            "audio": NAMES.get(audio.codec_context.name, audio.codec_context.name)
            if audio
            else None,
            "sound": (audio.codec_context.channels, audio.codec_context.sample_rate)
            if audio
            else (None, None),
            "ids": (video.id, audio.id if audio else None),
            "pixels": frame.format.name,
        }


@pytest.mark.parametrize("name", FILMS)
def test_it_says_what_pyav_says(film: Films, name: str) -> None:
    path = film(name)
    clip, peer = probe(path, name), seen_by_av(path)
    assert (clip.width, clip.height) == peer["size"]
    assert clip.rotation == peer["rotation"]
    assert clip.video_codec == peer["video"]
    assert clip.audio_codec == peer["audio"]
    assert (clip.audio_channels, clip.sample_rate) == peer["sound"]
    assert (clip.video_track, clip.audio_track) == peer["ids"]
    assert clip.size == path.stat().st_size
    assert clip.frame_rate is not None
    # PyAV's average leaves out what an edit list does not show, and guesses without one.
    if not FILMS[name].steps and name not in ("half shown", "one picture"):
        assert clip.frame_rate == pytest.approx(peer["rate"], rel=0.01)
    # A frame of sound is 32 ms at most; PyAV counts the last one whole where a file cuts it.
    assert clip.seconds == pytest.approx(peer["seconds"], abs=0.034)
    depth = 10 if "10le" in peer["pixels"] else 8
    assert clip.bit_depth in (depth, None)
    chroma = next(c for c in ("420", "422", "444") if c in peer["pixels"])
    assert clip.chroma in (":".join(chroma), None)


def test_there_are_enough_films() -> None:
    assert len(FILMS) >= 40


@pytest.mark.parametrize("name", FILMS)
def test_the_container_is_told_by_the_bytes(film: Films, name: str) -> None:
    clip = probe(film(name), "film.avi")
    assert clip.mime == ("video/quicktime" if FILMS[name].format == "mov" else "video/mp4")
    options = FILMS[name].mux.get("movflags", "")
    assert clip.is_fragmented == ("frag" in options)
    assert clip.fast_start == ("frag" in options or "faststart" in options)
    expected = {"variable", "variable with sound"}
    assert clip.is_variable == (name in expected)


@pytest.mark.parametrize("degrees", TURNS)
def test_a_flipped_picture_is_told_from_a_turned_one(tmp_path: Path, degrees: int) -> None:
    path = make(tmp_path / "f.mp4", Film(change=turned(degrees, flip=True)))
    clip = probe(path, "f")
    assert (clip.rotation, clip.mirrored) == (degrees, True)


def test_bytes_paths_and_files_read_the_same(film: Films) -> None:
    path = film("with sound")
    with path.open("rb") as file:
        clips = [probe(path, "a"), probe(path.read_bytes(), "a"), probe(file, "a")]
    assert clips[0] == clips[1] == clips[2]


def test_the_first_enabled_video_track_counts(film: Films, tmp_path: Path) -> None:
    assert probe(film("two videos"), "a").video_track == 1
    data = bytearray(disabled_first(film("two videos").read_bytes()))
    second = at(bytes(data), "moov", "trak", "tkhd", skip=1)
    data[second + 11] = 1
    assert probe(bytes(data), "a").video_track == 2


class Watched(io.BytesIO):
    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[tuple[int, int]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        self.reads.append((start, start + len(data)))
        return data


@pytest.mark.parametrize("name", ["with sound", "moov first", "64-bit mdat", "tagged mov"])
def test_no_byte_of_the_pictures_is_read(film: Films, name: str) -> None:
    data = film(name).read_bytes()
    file = Watched(data)
    probe(file, "a")
    kinds = {"64-bit mdat": "mdat"}
    start = at(data, "ftyp") + int.from_bytes(data[:4], "big") if kinds.get(name) else None
    mdat = start if start is not None else at(data, "mdat")
    size = int.from_bytes(data[mdat : mdat + 4], "big")
    if size == 1:
        size = int.from_bytes(data[mdat + 8 : mdat + 16], "big")
    inside = [r for r in file.reads if r[1] > mdat + 16 and r[0] < mdat + size]
    # A file's first 64 bytes decide what it is, and may reach that far.
    assert all(end <= 64 for _, end in inside), inside


def test_sizes_and_rates_are_consistent(film: Films) -> None:
    clip = probe(film("wide pixels"), "a")
    assert (clip.width, clip.height, clip.ratio) == (85, 48, 85 / 48)
    assert clip.bit_rate == round(clip.size * 8 / 0.5)
    assert replace(clip, seconds=0.0).bit_rate == 0


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("plain", ("High", 8, "4:2:0")),
        ("high 10", ("High 10", 10, "4:2:0")),
        ("high 4:4:4", ("High 4:4:4 Predictive", 8, "4:4:4")),
        ("hevc", ("Main", 8, "4:2:0")),
        ("hevc 10 bits", ("Main 10", 10, "4:2:0")),
        ("av1", ("Main", 8, "4:2:0")),
        ("vp9 in mp4", ("Profile 0", 8, "4:2:0")),
        ("prores", (None, 10, "4:2:2")),
        ("mpeg4", (None, None, None)),
    ],
)
def test_the_coding_is_read_from_its_configuration(
    film: Films, name: str, facts: tuple[object, ...]
) -> None:
    clip: Clip = probe(film(name), name)
    assert (clip.profile, clip.bit_depth, clip.chroma) == facts


@pytest.mark.parametrize(("config", "told"), [(b"\x11\x90", False), (b"\x29\x90", True)])
def test_aac_of_high_efficiency(film: Films, config: bytes, told: bool) -> None:
    """Spectral band replication is another kind of object, in the first five bits."""
    data = film("with sound").read_bytes()
    place = data.index(b"\x11\x90", data.index(b"esds"))
    clip = probe(with_bytes(data, place, config), "a")
    assert (clip.audio_codec, clip.audio_channels, clip.is_he_aac) == ("aac", 2, told)

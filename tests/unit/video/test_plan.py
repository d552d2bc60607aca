"""As it is, remuxed, transcoded or refused: decided by the description alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from postkit.errors import InputError
from postkit.video.clip import Clip
from postkit.video.plan import Decision, fitted, plan
from postkit.video.recipe import encoder_options, filters
from postkit.video.wish import Wish, recipe_for, wish_for

CLIP = Clip(
    mime="video/mp4",
    brand="isom",
    seconds=30.0,
    width=1920,
    height=1080,
    size=30_000_000,
    video_codec="h264",
    frame_rate=30.0,
    bit_depth=8,
    chroma="4:2:0",
    audio_codec="aac",
    audio_channels=2,
    sample_rate=48_000,
)


@dataclass(frozen=True)
class Rules:
    mime_types: tuple[str, ...] = ("video/mp4",)
    video_codecs: tuple[str, ...] = ("h264",)
    audio_codecs: tuple[str, ...] = ("aac",)
    max_bytes: int = 500_000_000
    min_seconds: float | None = None
    max_seconds: float | None = None
    max_width: int | None = None
    max_height: int | None = None
    max_pixels: int | None = None
    min_width: int | None = None
    min_height: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None
    max_fps: float | None = None
    max_bit_rate: int | None = None
    max_audio_channels: int | None = None
    he_aac: bool = True
    square_pixels: bool = False
    fast_start: bool = False


RULES = Rules()


def way(clip: Clip, rules: Rules, *, trim: bool = False) -> str:
    decision = plan(clip, rules, trim=trim)
    assert bool(decision.reasons) == (decision.way != "as it is")
    return decision.way


def test_what_fits_goes_as_it_is() -> None:
    assert plan(CLIP, RULES) == Decision("as it is")
    assert way(replace(CLIP, audio_codec=None), RULES) == "as it is"
    assert way(replace(CLIP, fast_start=False, is_fragmented=True), RULES) == "as it is"
    assert way(replace(CLIP, bit_depth=None, chroma=None), RULES) == "as it is"


@pytest.mark.parametrize(
    ("clip", "rules"),
    [
        (replace(CLIP, mime="video/quicktime"), RULES),
        (replace(CLIP, mime="video/x-matroska"), RULES),
        (replace(CLIP, fast_start=False), replace(RULES, fast_start=True)),
        (replace(CLIP, is_fragmented=True), replace(RULES, fast_start=True)),
    ],
)
def test_only_the_container_is_wrong(clip: Clip, rules: Rules) -> None:
    assert way(clip, rules) == "remux"


@pytest.mark.parametrize(
    ("clip", "rules", "reason"),
    [
        (replace(CLIP, video_codec="hevc"), RULES, "hevc is not taken"),
        (replace(CLIP, audio_codec="pcm"), RULES, "sound in pcm is not taken"),
        (replace(CLIP, bit_depth=10), RULES, "10 bits"),
        (replace(CLIP, chroma="4:2:2"), RULES, "4:2:2"),
        (CLIP, replace(RULES, max_width=1919), "at most 1919 wide"),
        (CLIP, replace(RULES, max_pixels=1920 * 1080 - 1), "at most 2073599 pixels in all"),
        (CLIP, replace(RULES, max_height=1079), "at most 1079 high"),
        (CLIP, replace(RULES, max_fps=29), "30 frames a second, at most 29"),
        (
            replace(CLIP, audio_channels=6),
            replace(RULES, max_audio_channels=2),
            "sound of 6 channels, at most 2",
        ),
        (
            replace(CLIP, is_he_aac=True),
            replace(RULES, he_aac=False),
            "sound in HE-AAC is not taken",
        ),
        (
            replace(CLIP, square_pixels=False),
            replace(RULES, square_pixels=True),
            "its pixels are not square",
        ),
        (CLIP, replace(RULES, max_bit_rate=7_999_999), "8000 kbit/s, at most 7999"),
        (CLIP, replace(RULES, max_bytes=29_999_999), "30000000 bytes, at most 29999999"),
    ],
)
def test_the_pictures_must_be_coded_anew(clip: Clip, rules: Rules, reason: str) -> None:
    decision = plan(clip, rules)
    assert decision.way == "transcode"
    assert len(decision.reasons) == 1
    assert reason in decision.reasons[0]


@pytest.mark.parametrize(
    ("clip", "rules"),
    [
        (CLIP, replace(RULES, max_width=1920, max_height=1080, max_fps=30)),
        (CLIP, replace(RULES, max_bit_rate=8_000_000, max_bytes=30_000_000)),
        (CLIP, replace(RULES, min_seconds=30, max_seconds=30)),
        (CLIP, replace(RULES, min_width=1920, min_height=1080)),
        (CLIP, replace(RULES, min_ratio=16 / 9, max_ratio=16 / 9)),
    ],
)
def test_a_limit_may_be_reached(clip: Clip, rules: Rules) -> None:
    assert way(clip, rules) == "as it is"


@pytest.mark.parametrize(
    ("clip", "rules", "reason"),
    [
        (CLIP, replace(RULES, max_seconds=29), "30.0 s, at most 29 s: shorten or trim it"),
        (CLIP, replace(RULES, min_seconds=31), "at least 31 s"),
        (CLIP, replace(RULES, min_width=1921), "1920 pixels wide, at least 1921"),
        (CLIP, replace(RULES, min_height=1081), "1080 pixels high, at least 1081"),
        (CLIP, replace(RULES, max_ratio=1.0), "1.78 times as wide as high, at most 1.00: crop it"),
        (CLIP, replace(RULES, min_ratio=2.0), "at least 2.00: crop it"),
        (replace(CLIP, mime="video/x-new"), RULES, "video/x-new cannot be read"),
        (replace(CLIP, video_codec="vp9"), replace(RULES, video_codecs=("av1",)), "only H.264"),
        (
            replace(CLIP, audio_codec="opus"),
            replace(RULES, audio_codecs=("vorbis",)),
            "only AAC can be made of its sound",
        ),
        (CLIP, replace(RULES, mime_types=("video/webm",)), "only MP4 can be made of it"),
        (CLIP, replace(RULES, max_height=100, min_width=400), "176x100 pixels, which is too small"),
        (CLIP, replace(RULES, max_bytes=100_000), "26 kbit/s would be left"),
    ],
)
def test_what_cannot_be_had_and_why(clip: Clip, rules: Rules, reason: str) -> None:
    decision = plan(clip, rules)
    assert decision.way == "refused"
    assert any(reason in each for each in decision.reasons), decision


def test_what_mp4_cannot_hold_is_coded_anew() -> None:
    rules = replace(RULES, video_codecs=("h264", "prores"), audio_codecs=("aac", "pcm"))
    film = replace(CLIP, mime="video/quicktime")
    assert way(film, rules) == "remux"
    assert way(replace(film, video_codec="prores"), rules) == "transcode"
    assert way(replace(film, audio_codec="pcm"), rules) == "transcode"


def test_all_reasons_come_at_once() -> None:
    rules = replace(RULES, max_seconds=10, max_ratio=1.0, min_height=2000)
    assert len(plan(CLIP, rules).reasons) == 3


def test_it_is_trimmed_only_when_told() -> None:
    rules = replace(RULES, max_seconds=10)
    assert way(CLIP, rules) == "refused"
    assert way(CLIP, rules, trim=True) == "transcode"
    path = Path("a.mp4")
    told = recipe_for(CLIP, path, path, wish_for(rules, copy=False, trim=True))
    assert told.seconds == pytest.approx(9.95)
    assert recipe_for(CLIP, path, path, wish_for(rules, copy=False)).seconds is None


@pytest.mark.parametrize(
    ("size", "most", "result"),
    [
        ((1920, 1080), (1280, None), (1280, 720)),
        ((1080, 1920), (None, 1280), (720, 1280)),
        ((640, 360), (1280, 720), (640, 360)),
        ((641, 361), (None, None), (640, 360)),
        ((3000, 2000), (2048, 2048), (2048, 1364)),
        ((4000, 10), (100, 100), (100, 2)),
        ((1, 1), (None, None), (2, 2)),
    ],
)
def test_even_and_never_larger(
    size: tuple[int, int], most: tuple[int | None, int | None], result: tuple[int, int]
) -> None:
    assert fitted(*size, *most) == result


@pytest.mark.parametrize(
    ("size", "pixels", "result"),
    [
        ((2160, 3840), 8_294_400, (2160, 3840)),
        ((3840, 3840), 8_294_400, (2880, 2880)),
        ((3840, 2160), 921_600, (1280, 720)),
    ],
)
def test_so_many_pixels_in_all(size: tuple[int, int], pixels: int, result: tuple[int, int]) -> None:
    assert fitted(*size, None, None, pixels) == result


def recipe(clip: Clip, wish: Wish) -> object:
    return recipe_for(clip, Path("a"), Path("b"), wish)


def test_the_rate_keeps_the_bytes() -> None:
    made = recipe_for(CLIP, Path("a"), Path("b"), Wish(max_bytes=10_000_000))
    assert made.max_rate is not None
    assert (made.max_rate + made.audio_rate) * CLIP.seconds / 8 < 10_000_000
    assert (made.max_rate + made.audio_rate) * CLIP.seconds / 8 > 9_000_000
    slow = recipe_for(CLIP, Path("a"), Path("b"), Wish(max_bit_rate=1_000_000))
    assert slow.max_rate is not None
    assert slow.max_rate + slow.audio_rate < 1_000_000
    assert recipe_for(CLIP, Path("a"), Path("b"), Wish()).max_rate is None
    with pytest.raises(InputError, match="would be left for its pictures"):
        recipe(CLIP, Wish(max_bytes=10_000))


def test_copying_cannot_trim() -> None:
    with pytest.raises(InputError, match="trimming takes a new coding"):
        recipe(CLIP, Wish(copy=True, trim=True, max_seconds=3))


@pytest.mark.parametrize(
    ("rate", "is_variable", "most", "made"),
    [
        (30.0, False, None, None),
        (30.0, False, 30.0, None),
        (60.0, False, 30.0, 30.0),
        (23.0, True, None, 24.0),
        (41.0, True, 30.0, 30.0),
        (240.0, True, None, 60.0),
        (None, False, 30.0, None),
    ],
)
def test_the_frame_rate(
    rate: float | None, is_variable: bool, most: float | None, made: float | None
) -> None:
    clip = replace(CLIP, frame_rate=rate, is_variable=is_variable)
    assert recipe_for(clip, Path("a"), Path("b"), Wish(max_fps=most)).frame_rate == made


def test_filters_stand_in_their_order() -> None:
    clip = replace(CLIP, rotation=90, mirrored=True, is_hdr=True)
    made = recipe_for(clip, Path("a"), Path("b"), Wish(max_width=540, max_fps=24))
    assert [name for name, _ in filters(made)] == [
        "hflip",
        "transpose",
        "scale",
        "setsar",
        "fps",
        "format",
    ]
    assert "out_transfer=bt709" in dict(filters(made))["scale"]
    assert "w=540:h=302" in dict(filters(made))["scale"]
    assert encoder_options(made)["crf"] == "20"
    assert encoder_options(replace(made, rate=500_000)) == {
        "preset": "fast",
        "profile": "high",
        "b": "500000",
        "maxrate": "500000",
        "bufsize": "500000",
    }

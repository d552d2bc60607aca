"""What a converted clip shall be, and the recipe that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .clip import Clip
from .plan import MIN_VIDEO_RATE, Allowed, fitted
from .recipe import FORMATS, Recipe, Task

_OVERHEAD = 0.96
"""Of the bytes of a file, what its pictures and sound may take: the rest is tables."""
_SOUND_RATES = {1: 96_000, 2: 128_000}
ROOMY = 40_000_000
"""Bits a second that an encoder here never comes to, so that a bound of bytes above it is none."""
_HIGHEST_RATE = 2**31 - 1
"""What x264 reads as a rate: a C int."""
_STEADY = (24.0, 25.0, 30.0, 50.0, 60.0)


@dataclass(frozen=True, slots=True)
class Wish:
    """An MP4 with H.264 and AAC that starts at once; ``copy`` keeps the coded pictures.

    Pixels as displayed, frames and bits per second, bytes, seconds. ``None`` sets no bound.
    ``max_seconds`` cuts the end off and counts only with ``trim``.
    """

    copy: bool = False
    max_width: int | None = None
    max_height: int | None = None
    max_pixels: int | None = None
    max_fps: float | None = None
    max_bytes: int | None = None
    max_bit_rate: int | None = None
    max_seconds: float | None = None
    trim: bool = False


def wish_for(allowed: Allowed, *, copy: bool, trim: bool = False) -> Wish:
    """The wish that ``allowed`` grants."""
    return Wish(
        copy=copy,
        max_width=allowed.max_width,
        max_height=allowed.max_height,
        max_pixels=allowed.max_pixels,
        max_fps=allowed.max_fps,
        max_bytes=allowed.max_bytes,
        max_bit_rate=allowed.max_bit_rate,
        max_seconds=allowed.max_seconds,
        trim=trim,
    )


def recipe_for(clip: Clip, source: Path, target: Path, wish: Wish) -> Recipe:
    """Pure. Raises InputError, without the file's name, where the bytes leave no pictures."""
    task: Task = "copy" if wish.copy else "encode"
    width, height = fitted(
        clip.width, clip.height, wish.max_width, wish.max_height, wish.max_pixels
    )
    cut = None
    if wish.trim and wish.max_seconds is not None and clip.seconds > wish.max_seconds:
        if wish.copy:
            raise InputError("trimming takes a new coding: convert it without copy.")
        # A block of sound may reach 21 ms beyond; the bound is meant for the whole.
        cut = max(0.0, wish.max_seconds - 0.05)
    total = clip.seconds if cut is None else cut
    channels = 1 if clip.audio_channels == 1 else 2
    audio_rate = _SOUND_RATES[channels] if clip.audio_codec else 0
    return Recipe(
        task=task,
        source=str(source.absolute()),
        target=str(target.absolute()),
        format=FORMATS[clip.mime],
        total=total,
        video_track=clip.video_track,
        audio_track=clip.audio_track,
        has_audio=clip.audio_codec is not None,
        rotation=clip.rotation,
        mirrored=clip.mirrored,
        width=width,
        height=height,
        frame_rate=_frame_rate(clip, wish.max_fps),
        to_sdr=clip.is_hdr and not wish.copy,
        seconds=cut,
        max_rate=None if wish.copy else _max_rate(total, audio_rate, wish),
        audio_rate=audio_rate or _SOUND_RATES[2],
        channels=channels,
        sample_rate=44_100 if clip.sample_rate == 44_100 else 48_000,
    )


def _frame_rate(clip: Clip, most: float | None) -> float | None:
    """``None`` keeps the pictures' own times; a variable rate becomes the next usual one."""
    rate = clip.frame_rate
    if rate is None:
        return None
    if clip.is_variable:
        rate = next((each for each in _STEADY if each >= rate * 0.99), _STEADY[-1])
        return min(rate, most or rate)
    return most if most is not None and rate > most else None


def _max_rate(seconds: float, audio_rate: int, wish: Wish) -> int | None:
    rates = []
    if wish.max_bytes is not None and seconds > 0:
        rate = int(wish.max_bytes * 8 * _OVERHEAD / seconds) - audio_rate
        if rate < ROOMY:
            rates.append(rate)
    if wish.max_bit_rate is not None:
        rates.append(min(int(wish.max_bit_rate * _OVERHEAD) - audio_rate, _HIGHEST_RATE))
    if not rates:
        return None
    rate = min(rates)
    if rate < MIN_VIDEO_RATE // 2:
        raise InputError(f"{rate // 1000} kbit/s would be left for its pictures; shorten it.")
    return rate

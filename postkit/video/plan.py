"""Whether a network takes a clip: as it is, in another container, coded anew, or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from .clip import Clip
from .recipe import FORMATS

Way = Literal["as it is", "remux", "transcode", "refused"]

MADE_MIME, MADE_VIDEO, MADE_AUDIO = "video/mp4", "h264", "aac"
"""What a transcode makes."""
_PACKED_VIDEO = frozenset(("h264", "hevc", "av1", "vp9", "mpeg4"))
_PACKED_AUDIO = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"))
MIN_VIDEO_RATE = 100_000
"""Bits per second below which pictures are mud: postkit refuses instead."""
_SLACK = 0.005
"""Seconds, and parts of a ratio, that rounding in a file's clocks and pixels makes."""


class Allowed(Protocol):
    """What a network allows. Bytes, seconds, pixels as displayed, width over height, bits/s."""

    @property
    def mime_types(self) -> tuple[str, ...]: ...
    @property
    def video_codecs(self) -> tuple[str, ...]: ...
    @property
    def audio_codecs(self) -> tuple[str, ...]: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def min_seconds(self) -> float | None: ...
    @property
    def max_seconds(self) -> float | None: ...
    @property
    def max_width(self) -> int | None: ...
    @property
    def max_height(self) -> int | None: ...
    @property
    def max_pixels(self) -> int | None: ...
    @property
    def min_width(self) -> int | None: ...
    @property
    def min_height(self) -> int | None: ...
    @property
    def min_ratio(self) -> float | None: ...
    @property
    def max_ratio(self) -> float | None: ...
    @property
    def max_fps(self) -> float | None: ...
    @property
    def max_bit_rate(self) -> int | None: ...
    @property
    def max_audio_channels(self) -> int | None: ...
    @property
    def he_aac(self) -> bool: ...
    @property
    def square_pixels(self) -> bool: ...
    @property
    def fast_start(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """``way``, and ``reasons`` for it: none for "as it is", all of them at once otherwise."""

    way: Way
    reasons: tuple[str, ...] = ()


def plan(clip: Clip, allowed: Allowed, *, trim: bool = False) -> Decision:
    """What must happen to ``clip``. ``trim`` permits to cut what is too long at the end.

    Nothing is ever cropped or enlarged: what would need it is refused.
    """
    refusals = tuple(_refusals(clip, allowed, trim))
    if refusals:
        return Decision("refused", refusals)
    coded = tuple(_coded_anew(clip, allowed))
    packed = tuple(_packed_anew(clip, allowed))
    if not (coded or packed):
        return Decision("as it is")
    if MADE_MIME not in allowed.mime_types:
        return Decision("refused", (*coded, *packed, "only MP4 can be made of it"))
    if not coded:
        coded = tuple(_unpackable(clip))
        if not coded:
            return Decision("remux", packed)
    cannot = tuple(_cannot_be_coded(clip, allowed, trim))
    return Decision("refused", (*coded, *cannot)) if cannot else Decision("transcode", coded)


def fitted(
    width: int,
    height: int,
    max_width: int | None,
    max_height: int | None,
    max_pixels: int | None = None,
) -> tuple[int, int]:
    """The largest even size of the same shape within all; never larger than it is."""
    area = math.sqrt((max_pixels or width * height) / (width * height))
    scale = min(1.0, (max_width or width) / width, (max_height or height) / height, area)

    def even(length: int) -> int:
        # The small term undoes what the division lost.
        return max(2, math.floor(length * scale / 2 + 1e-6) * 2)

    return even(width), even(height)


def _refusals(clip: Clip, allowed: Allowed, trim: bool) -> Iterator[str]:
    if clip.mime not in FORMATS:
        yield f"{clip.mime} cannot be read"
    longest, shortest = allowed.max_seconds, allowed.min_seconds
    if longest is not None and clip.seconds > longest + _SLACK and not trim:
        yield f"it plays {clip.seconds:.1f} s, at most {longest:g} s: shorten or trim it"
    if shortest is not None and clip.seconds < shortest - _SLACK:
        yield f"it plays {clip.seconds:.1f} s, at least {shortest:g} s"
    if allowed.min_width is not None and clip.width < allowed.min_width:
        yield f"it is {clip.width} pixels wide, at least {allowed.min_width}"
    if allowed.min_height is not None and clip.height < allowed.min_height:
        yield f"it is {clip.height} pixels high, at least {allowed.min_height}"
    shape = f"it is {clip.width}x{clip.height}, {clip.ratio:.2f} times as wide as high"
    if allowed.min_ratio is not None and clip.ratio < allowed.min_ratio * (1 - _SLACK):
        yield f"{shape}, at least {allowed.min_ratio:.2f}: crop it"
    if allowed.max_ratio is not None and clip.ratio > allowed.max_ratio * (1 + _SLACK):
        yield f"{shape}, at most {allowed.max_ratio:.2f}: crop it"


def _coded_anew(clip: Clip, allowed: Allowed) -> Iterator[str]:
    if clip.video_codec not in allowed.video_codecs:
        yield f"{clip.video_codec} is not taken"
    elif clip.video_codec == "h264" and (clip.bit_depth, clip.chroma) not in (
        (8, "4:2:0"),
        (None, None),
    ):
        yield f"H.264 of {clip.bit_depth} bits and {clip.chroma} plays in few players"
    if clip.audio_codec is not None and clip.audio_codec not in allowed.audio_codecs:
        yield f"sound in {clip.audio_codec} is not taken"
    channels, most = clip.audio_channels, allowed.max_audio_channels
    if most is not None and channels is not None and channels > most:
        yield f"sound of {channels} channels, at most {most}"
    if clip.is_he_aac and not allowed.he_aac:
        yield "sound in HE-AAC is not taken"
    if allowed.square_pixels and not clip.square_pixels:
        yield "its pixels are not square"
    size = f"{clip.width}x{clip.height}"
    if allowed.max_width is not None and clip.width > allowed.max_width:
        yield f"{size} pixels, at most {allowed.max_width} wide"
    if allowed.max_height is not None and clip.height > allowed.max_height:
        yield f"{size} pixels, at most {allowed.max_height} high"
    if allowed.max_pixels is not None and clip.width * clip.height > allowed.max_pixels:
        yield f"{size}, at most {allowed.max_pixels} pixels in all"
    rate = clip.frame_rate
    if allowed.max_fps is not None and rate is not None and rate > allowed.max_fps * (1 + _SLACK):
        yield f"{rate:.4g} frames a second, at most {allowed.max_fps:g}"
    if allowed.max_bit_rate is not None and clip.bit_rate > allowed.max_bit_rate:
        yield f"{clip.bit_rate // 1000} kbit/s, at most {allowed.max_bit_rate // 1000}"
    if clip.size > allowed.max_bytes:
        yield f"{clip.size} bytes, at most {allowed.max_bytes}"
    if allowed.max_seconds is not None and clip.seconds > allowed.max_seconds + _SLACK:
        yield f"trimmed from {clip.seconds:.1f} s to {allowed.max_seconds:g} s"


def _packed_anew(clip: Clip, allowed: Allowed) -> Iterator[str]:
    if clip.mime not in allowed.mime_types:
        yield f"{clip.mime} is not taken"
    if allowed.fast_start and not clip.fast_start:
        yield "its table of contents (moov) comes last"
    if allowed.fast_start and clip.is_fragmented:
        yield "it is in fragments"


def _unpackable(clip: Clip) -> Iterator[str]:
    """What few players find in an MP4, and some writers do not put there."""
    if clip.video_codec not in _PACKED_VIDEO:
        yield f"{clip.video_codec} does not go into MP4"
    if clip.audio_codec is not None and clip.audio_codec not in _PACKED_AUDIO:
        yield f"sound in {clip.audio_codec} does not go into MP4"


def _cannot_be_coded(clip: Clip, allowed: Allowed, trim: bool) -> Iterator[str]:
    if MADE_VIDEO not in allowed.video_codecs:
        yield "only H.264 can be made of it"
    if clip.audio_codec is not None and MADE_AUDIO not in allowed.audio_codecs:
        yield "only AAC can be made of its sound"
    width, height = fitted(
        clip.width, clip.height, allowed.max_width, allowed.max_height, allowed.max_pixels
    )
    if width < (allowed.min_width or 0) or height < (allowed.min_height or 0):
        yield f"made to fit it would be {width}x{height} pixels, which is too small"
    seconds = clip.seconds
    if trim and allowed.max_seconds is not None:
        seconds = min(seconds, allowed.max_seconds)
    rates = [allowed.max_bit_rate] if allowed.max_bit_rate is not None else []
    if seconds > 0:
        rates.append(int(allowed.max_bytes * 8 / seconds))
    if rates and min(rates) < MIN_VIDEO_RATE * 1.5:
        yield f"{min(rates) // 1000} kbit/s would be left, too little for pictures: shorten it"

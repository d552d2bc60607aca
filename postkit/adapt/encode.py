"""Encode a picture within a number of bytes: by quality first, then by size."""

from __future__ import annotations

import io
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

BEST, WORST = 92, 60
"""Qualities between which is searched; below, artefacts show sooner than fewer pixels do."""
LOSSLESS = 100

_SMALLEST = 16
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
ENCODABLE = tuple(_NAMES)
_LONGEST = {"image/jpeg": 65_500, "image/webp": 16_383}
"""Pixels of a side: JPEG_MAX_DIMENSION of libjpeg, and WebP's 14 bits (RFC 9649 section 2.5)."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """``flattened``: transparency was laid on white."""

    data: bytes
    mime: str
    width: int
    height: int
    flattened: bool = False

    @property
    def format(self) -> str:
        return _NAMES[self.mime]


def encode(
    image: Image.Image,
    mimes: Collection[str],
    max_bytes: int,
    *,
    without_loss: bool,
    sharp: bool,
) -> Encoded | None:
    """``image`` (RGB or RGBA) as one of ``mimes``, at most ``max_bytes``; ``None``: impossible.

    ``without_loss``: PNG and WebP are tried so first. ``sharp``: it may have text in it, which
    needs each pixel's own colour.
    """
    for lossless in ("image/png", "image/webp") if without_loss else ():
        if lossless in mimes and _scale_for(lossless, image) == 1.0:
            data = _bytes(image, lossless, LOSSLESS)
            if len(data) <= max_bytes:
                return Encoded(data, lossless, *image.size)
    see_through = image.mode == "RGBA"
    mime = next((m for m in ("image/jpeg", "image/webp", "image/png") if m in mimes), None)
    if mime is None:
        return None
    flattened = see_through and mime == "image/jpeg"
    if flattened:
        image = _on_white(image)
    return _smaller(image, mime, max_bytes, flattened=flattened, sharp=sharp)


def _smaller(
    image: Image.Image, mime: str, max_bytes: int, *, flattened: bool, sharp: bool
) -> Encoded | None:
    scale, first = _scale_for(mime, image), BEST
    while True:
        width = max(1, round(image.width * scale))
        height = max(1, round(image.height * scale))
        scaled = image if scale == 1.0 else resized(image, width, height)
        data, smallest = _best_quality(scaled, mime, max_bytes, first, sharp=sharp)
        if data is not None:
            return Encoded(data, mime, width, height, flattened)
        if max(width, height) <= _SMALLEST:
            return None
        # Bytes grow with the area. Aim at a quality in the middle, so that the next round fits.
        middle = 1.0 if mime == "image/png" else 1.5
        scale *= min(0.9, 0.97 * math.sqrt(max_bytes / (smallest * middle)))
        scale = max(scale, _SMALLEST / max(image.size) * 0.999)
        first = 82


def _scale_for(mime: str, image: Image.Image) -> float:
    """By what a picture must shrink so that the type can hold it."""
    longest = max(image.size)
    return min(1.0, _LONGEST.get(mime, longest) / longest)


def _best_quality(
    image: Image.Image, mime: str, max_bytes: int, first: int, *, sharp: bool
) -> tuple[bytes | None, int]:
    """The best encoding that fits (at most five tries), and the size of the smallest tried."""
    data = _bytes(image, mime, first, sharp=sharp)
    if len(data) <= max_bytes or mime == "image/png":
        return (data if len(data) <= max_bytes else None), len(data)
    low, low_data = WORST, _bytes(image, mime, WORST, sharp=sharp)
    if len(low_data) > max_bytes:
        return None, len(low_data)
    high, high_size = first, len(data)
    for _ in range(3):
        # The logarithm of the size is nearly linear in the quality here.
        span = math.log(high_size / len(low_data)) or 1.0
        guess = low + int((high - low) * math.log(max_bytes / len(low_data)) / span)
        guess = min(max(guess, low + 1), high - 1)
        if guess <= low:
            break
        tried = _bytes(image, mime, guess, sharp=sharp)
        if len(tried) > max_bytes:
            high, high_size = guess, len(tried)
        else:
            low, low_data = guess, tried
            if len(tried) > 0.95 * max_bytes:
                break
    return low_data, len(low_data)


def resized(image: Image.Image, width: int, height: int) -> Image.Image:
    """``image`` in other pixels, by a filter that keeps edges sharp."""
    from PIL import Image as Pillow

    return image.resize((width, height), Pillow.Resampling.LANCZOS, reducing_gap=3.0)


def _bytes(image: Image.Image, mime: str, quality: int, *, sharp: bool = False) -> bytes:
    file = io.BytesIO()
    if mime == "image/png":
        image.save(file, "PNG", optimize=image.width * image.height <= 4_000_000)
    elif mime == "image/webp":
        lossless = quality == LOSSLESS
        effort = 20 if lossless else quality
        image.save(file, "WEBP", lossless=lossless, quality=effort, method=4, exact=False)
    else:
        # 4:4:4 where text may be in it: a quarter of the colours' pixels blurs a red letter.
        subsampling = 0 if sharp else 2
        # Pillow has one byte a pixel of room for what it optimises: noise takes more then, and so
        # does less than a block of 16 pixels.
        optimize = not sharp and min(image.size) >= 16
        image.save(file, "JPEG", quality=quality, optimize=optimize, subsampling=subsampling)
    return file.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    from PIL import Image as Pillow

    white = Pillow.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white

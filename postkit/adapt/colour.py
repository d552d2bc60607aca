"""Bring a decoded picture to eight bits of sRGB, the one colour space that every network shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_SCREEN = 2.2
"""The exponent of an sRGB screen, as the PNG specification rounds it."""
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")


def to_srgb(image: Image.Image) -> tuple[Image.Image, str | None]:
    """``image`` as RGB or RGBA in sRGB, and what was converted (``None``: nothing that shows)."""
    profile = image.info.get("icc_profile")
    before = image.mode
    if image.mode in _DEEP:
        return _eight_bits(image).convert("RGB"), "16-bit grey to 8 bits"
    if image.mode not in ("RGB", "RGBA", "CMYK", "L", "LAB"):
        see_through = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
        image = image.convert("RGBA" if see_through else "RGB")
    elif "transparency" in image.info:
        image = image.convert("RGBA")
    converted = _by_profile(image, profile) if profile else None
    corrected = None if profile else _by_gamma(image)
    if corrected is not None:
        return corrected, "gamma"
    if converted is not None:
        return converted, "CMYK to sRGB" if before == "CMYK" else "to sRGB"
    if before in ("CMYK", "LAB"):
        return image.convert("RGB"), f"{before} to sRGB"
    return (image if image.mode in ("RGB", "RGBA") else image.convert("RGB")), None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale to 0..255: a plain conversion would clip everything above 255 to white."""
    grey = image.convert("F")
    low, high = (float(value) for value in grey.getextrema())  # type: ignore[arg-type]
    if image.mode.startswith("I") and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0 if high > 255 else 255.0
    scale = 255.0 / (high - low) if high > low else 1.0
    return grey.point(lambda value: value * scale - low * scale).convert("L")


def _by_gamma(image: Image.Image) -> Image.Image | None:
    """``image`` as viewers show it that follow PNG's gAMA; ``None`` where that changes nothing."""
    gamma = image.info.get("gamma")
    if not gamma or "srgb" in image.info or image.mode not in ("L", "RGB", "RGBA"):
        return None
    power = 1 / (gamma * _SCREEN)
    if abs(power - 1) < 0.05:
        return None
    table = [round(255 * (value / 255) ** power) for value in range(256)]
    colours = image.convert("RGB").point(table * 3)
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """``image`` in sRGB; ``None`` where its profile is sRGB already or cannot be used."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        space = source.profile.xcolor_space.strip()
        if space not in ("RGB", "GRAY", "CMYK", "Lab"):
            return None
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        wanted = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}[space]
        if (wanted == "CMYK") != (image.mode == "CMYK"):
            return None
        colours = image if image.mode == wanted else image.convert(wanted)
        converted = ImageCms.profileToProfile(
            colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A broken profile: the plain values are the best guess that there is.
        return None
    if converted is not None and alpha is not None:
        converted.putalpha(alpha)
    return converted

"""Exactly what an engine is to do: plain values, decided before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal["copy", "encode", "still"]
Container = Literal["mp4", "webm", "matroska"]
Format = Literal["mov", "matroska", "gif", "apng"]

FORMATS: dict[str, Format] = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
}
"""The only reader that an engine may use for a file: what it guesses itself can open others."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """``copy`` moves the coded pictures into a new ``container``, ``encode`` makes H.264 and AAC
    of them, ``still`` one JPEG at ``at`` seconds.

    Width and height are even pixels after the turn. ``seconds`` is where to stop (``None``: at
    the end), ``total`` how long the result plays, for the progress. Rates are bits per second:
    ``quality`` is x264's constant rate factor with ``max_rate`` as its cap, unless ``rate``
    gives an average. ``to_sdr``: colours for screens of high contrast become usual ones.
    """

    task: Task
    source: str
    target: str
    format: Format
    total: float
    video_track: int | None = None
    audio_track: int | None = None
    has_audio: bool = True
    rotation: int = 0
    mirrored: bool = False
    width: int = 0
    height: int = 0
    frame_rate: float | None = None
    to_sdr: bool = False
    seconds: float | None = None
    quality: int = 20
    max_rate: int | None = None
    rate: int | None = None
    audio_rate: int = 128_000
    channels: int = 2
    sample_rate: int = 48_000
    at: float = 0.0
    container: Container = "mp4"


def filters(recipe: Recipe) -> list[tuple[str, str]]:
    """The filters of the pictures, in order: upright, right size, square pixels, steady, 8 bit."""
    chain: list[tuple[str, str]] = []
    if recipe.mirrored:
        chain.append(("hflip", ""))
    if recipe.rotation == 180:
        chain += [("hflip", ""), ("vflip", "")]
    elif recipe.rotation:
        chain.append(("transpose", {90: "clock", 270: "cclock"}[recipe.rotation]))
    size = f"w={recipe.width}:h={recipe.height}:flags=bicubic"
    still = recipe.task == "still"
    size += ":out_range=full" if still else ":out_range=limited"
    if recipe.to_sdr:
        size += ":out_primaries=bt709:out_transfer=bt709"
    if recipe.to_sdr or recipe.format == "apng":
        size += ":out_color_matrix=bt709"
    chain.append(("scale", size))
    chain.append(("setsar", "1"))
    if recipe.frame_rate is not None and not still:
        chain.append(("fps", f"fps={recipe.frame_rate:.6f}"))
    chain.append(("format", "yuvj420p" if still else "yuv420p"))
    return chain


def encoder_options(recipe: Recipe) -> dict[str, str]:
    """x264's options: steady quality under a cap, or an average."""
    options = {"preset": "fast", "profile": "high"}
    if recipe.rate is not None:
        options |= {"b": str(recipe.rate)}
        cap = recipe.rate
    else:
        options |= {"crf": str(recipe.quality)}
        cap = recipe.max_rate or 0
    if cap:
        options |= {"maxrate": str(cap), "bufsize": str(cap)}
    return options

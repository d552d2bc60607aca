"""Moving GIF and WebP pictures as MP4, for networks that show them only as video."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from . import process
from .atomic import beside
from .clip import Clip
from .engine import choose
from .job import run
from .probe import opened, probe
from .strip import blank
from .wish import Wish, recipe_for

_BOUNDS = process.Bounds(wall=120, cpu=60, memory=1024**3, written=1024**3)
_MOST_PER_SECOND = 50.0
"""Pictures a second: the shortest time that browsers give a picture of a GIF is 20 ms."""


def from_animation(
    source: Path,
    target: Path,
    wish: Wish,
    progress: Callable[[float], None] | None = None,
) -> Clip:
    """Write the moving picture ``source`` (GIF, WebP, APNG) as MP4 without sound to ``target``.

    It plays once; transparent places become black. Raises InputError for a still or broken
    picture, and where no engine is installed.
    """
    name = source.name
    with opened(source, name):
        engine = choose(name)
    with beside(target) as made:
        # One reader for all three: what engines know of moving WebP differs by their version.
        frames = made.with_name(made.name + ".png")
        try:
            try:
                told = process.run(
                    [*process.python("animation"), str(source.absolute()), str(frames)], _BOUNDS
                )
            except process.Failed as failed:
                raise InputError(
                    f"{name}: it is no whole moving picture ({failed.detail or failed.reason});"
                    " give a GIF or WebP with several pictures."
                ) from None
            width, height, milliseconds, shortest = map(int, told.split())
            rate = min(1000 / shortest, _MOST_PER_SECOND)
            clip = Clip(
                mime="video/mp4",
                brand="",
                seconds=milliseconds / 1000,
                width=width,
                height=height,
                size=frames.stat().st_size,
                video_codec="apng",
                frame_rate=rate,
            )
            recipe = replace(
                recipe_for(clip, frames, made, wish),
                format="apng",
                frame_rate=min(rate, wish.max_fps or rate),
            )
            run(engine, recipe, clip, name, progress)
        finally:
            frames.unlink(missing_ok=True)
        blank(made, name)
        result = probe(made, name)
        if wish.max_bytes is not None and result.size > wish.max_bytes:
            raise InputError(f"{name}: it cannot be made to fit in {wish.max_bytes} bytes.")
        if progress is not None:
            progress(1.0)
    return result


def _rewrite(source: str, target: str) -> None:
    """In a process of its own: the pictures as APNG, each for its time (at least 20 ms)."""
    from PIL import Image

    with Image.open(source, formats=["GIF", "WEBP", "PNG"]) as image:
        count = getattr(image, "n_frames", 1)
        if count < 2:
            raise SystemExit("it is a still picture")
        times = []
        for number in range(count):
            image.seek(number)
            image.load()
            told = float(image.info.get("duration", 100))
            # Browsers show what is given less than 20 ms for 100 ms.
            times.append(int(told) if told >= 20 else 100)
        image.seek(0)
        image.save(target, format="PNG", save_all=True, duration=times, loop=1, compress_level=1)
        print(*image.size, sum(times), min(times))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    _rewrite(sys.argv[1], sys.argv[2])

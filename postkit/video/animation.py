"""Moving GIF and WebP pictures as MP4, for networks that show them only as video."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InputError
from . import process
from .animated import Animated, measured, shown_for
from .atomic import beside
from .clip import Clip
from .engine import choose
from .job import run
from .probe import opened, probe
from .strip import blank
from .wish import Wish, recipe_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

_BOUNDS = process.Bounds(wall=120, cpu=60, memory=1024**3, written=1024**3)
_MOST_PER_SECOND = 50.0
"""Pictures a second: the shortest time that browsers give a picture of a GIF is 20 ms."""
_LEAST_PER_SECOND = 10.0
"""Of one that is cut: a picture that is shown for a minute can be cut within it."""


class Converted(NamedTuple):
    """``on_white``: some pixel could be seen through, and what was behind is white now."""

    clip: Clip
    animated: Animated
    on_white: bool


def announced(source: Path, animated: Animated) -> Clip:
    """The clip that ``animated`` can become, before anything of it is decoded."""
    return Clip(
        mime="video/mp4",
        brand="",
        seconds=animated.milliseconds / 1000,
        width=animated.width,
        height=animated.height,
        size=source.stat().st_size,
        video_codec="apng",
    )


def from_animation(
    source: Path,
    target: Path,
    wish: Wish,
    progress: Callable[[float], None] | None = None,
) -> Converted:
    """Write the moving picture ``source`` (GIF, WebP, APNG) as MP4 without sound to ``target``.

    It plays once, on white. Raises InputError for a still or broken picture, for one that is
    more than is decoded here, and where no engine is installed.
    """
    name = source.name
    with opened(source, name):
        engine = choose(name)
    animated = measured(source, name)
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
            width, height, milliseconds, shortest, on_white = map(int, told.split())
            rate = min(1000 / shortest, _MOST_PER_SECOND)
            if _is_cut(wish, milliseconds):
                rate = max(rate, _LEAST_PER_SECOND)
            rate = min(rate, wish.max_fps or rate)
            animated.width, animated.height, animated.milliseconds = width, height, milliseconds
            clip = replace(announced(frames, animated), frame_rate=rate)
            recipe = replace(
                recipe_for(clip, frames, made, wish),
                format="apng",
                frame_rate=rate,
            )
            if recipe.seconds is not None and wish.max_seconds is not None:
                # The last picture is shown for its time too.
                recipe = replace(recipe, seconds=wish.max_seconds - 1 / rate)
            run(engine, recipe, clip, name, progress)
        finally:
            frames.unlink(missing_ok=True)
        blank(made, name)
        result = probe(made, name)
        if wish.max_bytes is not None and result.size > wish.max_bytes:
            raise InputError(f"{name}: it cannot be made to fit in {wish.max_bytes} bytes.")
        if progress is not None:
            progress(1.0)
    return Converted(result, animated, bool(on_white))


def _is_cut(wish: Wish, milliseconds: int) -> bool:
    return wish.trim and wish.max_seconds is not None and milliseconds > wish.max_seconds * 1000


def _rewrite(source: str, target: str) -> None:
    """In a process of its own: the pictures on white as APNG, each for its time."""
    from PIL import Image

    from .apng import write

    times: list[int] = []
    see_through = False

    def pictures(image: Image.Image, count: int) -> Iterator[tuple[Image.Image, int]]:
        nonlocal see_through
        # The picture for viewers that show no animation may be none of its frames.
        for number in range(first, count):
            image.seek(number)
            image.load()
            times.append(shown_for(float(image.info.get("duration", 100))))
            picture = image.convert("RGBA")
            if picture.getchannel("A").histogram()[255] < picture.width * picture.height:
                see_through = True
                white = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(white, picture)
            yield picture.convert("RGB"), times[-1]

    with Image.open(source, formats=["GIF", "WEBP", "PNG"]) as image:
        count = getattr(image, "n_frames", 1)
        first = int(getattr(image, "default_image", False))
        if count - first < 2:
            raise SystemExit("it is a still picture")
        with Path(target).open("wb") as file:
            write(file, image.size, count - first, pictures(image, count))
        told = *image.size, sum(times), min(times), int(see_through)
        print(*told)  # noqa: T201 - the parent reads it


def _main() -> None:
    from PIL import Image

    try:
        _rewrite(sys.argv[1], sys.argv[2])
    except Image.DecompressionBombError:
        raise SystemExit("one of its pictures is larger than is decoded here") from None
    except (OSError, EOFError, SyntaxError, ValueError, IndexError, struct.error):
        raise SystemExit("one of its pictures cannot be decoded") from None


if __name__ == "__main__":
    _main()

"""One run of an engine, with the time and the memory that a clip may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from . import process
from .clip import Clip
from .engine import Engine
from .recipe import Recipe

_MEMORY = 3 * 1024**3
_MOST_WRITTEN = 64 * 1024**3


def run(
    engine: Engine,
    recipe: Recipe,
    clip: Clip,
    name: str,
    progress: Callable[[float], None] | None = None,
) -> None:
    """One run of ``engine``. Raises InputError where it fails, takes too long or too much."""

    def on_line(line: str) -> None:
        done = engine.done(line, recipe)
        if done is not None and progress is not None:
            progress(done)

    try:
        try:
            process.run(engine.command(recipe), bounds(clip, recipe), on_line)
        except process.Failed:
            if not recipe.to_sdr:
                raise
            # Before 7.1, FFmpeg's scaler cannot convert such colours: pale pictures, not none.
            plain = replace(recipe, to_sdr=False)
            process.run(engine.command(plain), bounds(clip, plain), on_line)
        if not Path(recipe.target).stat().st_size:
            raise process.Failed("nothing was written")
    except FileNotFoundError:
        raise InputError(f"{name}: it cannot be converted (nothing was written).") from None
    except process.Failed as failed:
        detail = f": {failed.detail}" if failed.detail else ""
        raise InputError(
            f"{name}: it cannot be converted ({failed.reason}{detail});"
            " give it as MP4 (H.264, AAC)."
        ) from None


def bounds(clip: Clip, recipe: Recipe) -> process.Bounds:
    """Time by the pixels there are to move: 2 million a second in the worst case."""
    if recipe.task != "encode":
        seconds = 60 + clip.size / 5_000_000
    else:
        # Two files of the same length differ by their pictures' size and number.
        frames = recipe.total * max(clip.frame_rate or 30.0, recipe.frame_rate or 0.0)
        seconds = 60 + frames * max(clip.width * clip.height, 100_000) / 2_000_000
    return process.Bounds(wall=seconds, cpu=int(seconds) * 2, memory=_MEMORY, written=_MOST_WRITTEN)

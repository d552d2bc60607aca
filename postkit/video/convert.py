"""Make another file of a clip: a new container, a new coding, a still picture."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from . import process
from .atomic import beside
from .clip import Clip
from .engine import Engine, choose
from .plan import MIN_VIDEO_RATE, fitted
from .probe import probe
from .recipe import FORMATS, Recipe
from .strip import blank
from .upright import set_upright
from .wish import Wish, recipe_for

_MEMORY = 3 * 1024**3
_MOST_WRITTEN = 64 * 1024**3
_THUMBNAIL_SIDE = 1280


def convert(
    source: Path,
    target: Path,
    wish: Wish,
    progress: Callable[[float], None] | None = None,
    *,
    clip: Clip | None = None,
) -> Clip:
    """Write ``source`` as ``wish`` says to ``target``, and return what ``target`` is.

    ``progress`` is told 0.0 to 1.0; what it raises stops the work. ``clip`` is what is known of
    the source; else it is probed. ``target`` appears whole or not at all, and replaces what was
    there. Raises InputError where the source is no video, no engine is installed, or the bytes
    of the wish cannot be kept.
    """
    clip = probe(source, source.name) if clip is None else clip
    if clip.mime not in FORMATS:
        raise InputError(f"{source.name}: {clip.mime} cannot be read; give MP4, MOV or WebM.")
    engine = choose(source.name)
    with beside(target) as made:
        try:
            recipe = recipe_for(clip, source, made, wish)
        except InputError as error:
            raise InputError(f"{source.name}: {error}") from None
        run(engine, recipe, clip, source.name, progress)
        size, most = made.stat().st_size, wish.max_bytes
        if most is not None and size > most and not wish.copy:
            run(engine, _smaller(recipe, size, most), clip, source.name, progress)
            size = made.stat().st_size
        if most is not None and size > most:
            raise InputError(
                f"{source.name}: it cannot be made to fit in {most} bytes"
                f" ({size} were needed); shorten it."
            )
        blank(made, source.name)
        result = probe(made, source.name)
        if not wish.copy and (result.rotation or result.mirrored):
            set_upright(made, source.name)
            result = probe(made, source.name)
        if progress is not None:
            progress(1.0)
    return result


def thumbnail(source: Path, at: float, *, clip: Clip | None = None) -> bytes:
    """The picture at ``at`` seconds as a JPEG, upright, at most 1280 pixels a side.

    Past the end it is the last one. Raises InputError as ``convert`` does.
    """
    clip = probe(source, source.name) if clip is None else clip
    engine = choose(source.name)
    with _scratch() as folder:
        picture = folder / "picture.jpg"
        recipe = recipe_for(clip, source, picture, Wish())
        width, height = fitted(clip.width, clip.height, _THUMBNAIL_SIDE, _THUMBNAIL_SIDE)
        last = clip.seconds - (1.5 / clip.frame_rate if clip.frame_rate else 0.0)
        moment = max(0.0, min(at, last))
        recipe = replace(recipe, task="still", width=width, height=height, at=moment)
        run(engine, recipe, clip, source.name, None)
        return picture.read_bytes()


def run(
    engine: Engine, recipe: Recipe, clip: Clip, name: str, progress: Callable[[float], None] | None
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


def _smaller(recipe: Recipe, size: int, most: int) -> Recipe:
    """The second try: an average that keeps the bytes, by what the first one took."""
    before = int(size * 8 / recipe.total) if recipe.total > 0 else 1_000_000
    rate = recipe.max_rate or before
    rate = int(min(rate, before) * most / size * 0.92)
    return replace(recipe, rate=max(rate, MIN_VIDEO_RATE // 4))


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="postkit-") as folder:
        yield Path(folder)

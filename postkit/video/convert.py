"""Make another file of a clip: a new container, a new coding, a still picture."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from .atomic import beside
from .clip import Clip
from .colours import looked_at
from .engine import choose
from .job import run
from .plan import MIN_VIDEO_RATE, fitted
from .probe import probe
from .recipe import FORMATS, Recipe
from .strip import blank
from .upright import set_upright
from .wish import Wish, recipe_for

_THUMBNAIL_SIDE = 1280
_MOST_LOST = 0.5
"""Seconds that a conversion may lose at the end."""


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
    if clip is None:
        clip = looked_at(probe(source, source.name), source)
    if clip.mime not in FORMATS:
        raise InputError(f"{source.name}: {clip.mime} cannot be read; give MP4, MOV or WebM.")
    engine = choose(source.name)
    with beside(target) as made:
        try:
            recipe = recipe_for(clip, source, made, wish)
        except InputError as error:
            raise InputError(f"{source.name}: {error}") from None
        run(engine, recipe, clip, source.name, progress)
        shorter = _shorter(recipe, made, wish, clip, source.name)
        if shorter is not None:
            recipe = shorter
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
        if recipe.seconds is None:
            _is_whole(result, clip, source.name)
        if progress is not None:
            progress(1.0)
    return result


def _is_whole(result: Clip, clip: Clip, name: str) -> None:
    """The last picture may be shown for another time than the source said; no more is lost."""
    slack = max(_MOST_LOST, 2 / clip.frame_rate if clip.frame_rate else 0.0)
    if result.seconds < clip.seconds - slack:
        raise InputError(
            f"{name}: it is damaged: only {result.seconds:.1f} s of {clip.seconds:.1f} s"
            " can be decoded; copy or export it again."
        )


def thumbnail(source: Path, at: float, *, clip: Clip | None = None) -> bytes:
    """The picture at ``at`` seconds as a JPEG, upright, at most 1280 pixels a side.

    Past the end it is the last one. Raises InputError as ``convert`` does.
    """
    if clip is None:
        clip = looked_at(probe(source, source.name), source)
    engine = choose(source.name)
    with _scratch() as folder:
        picture = folder / "picture.jpg"
        recipe = recipe_for(clip, source, picture, Wish())
        width, height = fitted(clip.width, clip.height, _THUMBNAIL_SIDE, _THUMBNAIL_SIDE)
        last = clip.seconds - (1.5 / clip.frame_rate if clip.frame_rate else 0.0)
        moment = max(0.0, min(at, last))
        recipe = replace(recipe, task="still", width=width, height=height, at=moment)
        try:
            run(engine, recipe, clip, source.name)
        except InputError:
            # A last picture that is shown for long may begin before the moment.
            if not moment:
                raise
            run(engine, replace(recipe, at=0.0), clip, source.name)
        return picture.read_bytes()


def _shorter(recipe: Recipe, made: Path, wish: Wish, clip: Clip, name: str) -> Recipe | None:
    """The second try where the last picture lasts beyond the cut: one picture less."""
    if recipe.seconds is None or wish.max_seconds is None:
        return None
    over = probe(made, name).seconds - wish.max_seconds
    if over <= 0:
        return None
    step = 1 / clip.frame_rate if clip.frame_rate else over
    return replace(recipe, seconds=max(0.0, recipe.seconds - max(over, step)))


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

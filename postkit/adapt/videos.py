"""Make a video fit what a network takes, and say exactly what was done to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ..limits.model import VideoLimit
from ..network import Attachment, CannotRender
from ..post import Media
from .filetype import in_bytes
from .workshop import Workshop, progress_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..video.clip import Clip
    from ..video.plan import Decision

ENDINGS = {
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov", ".qt"),
    "video/webm": (".webm",),
    "video/x-matroska": (".mkv",),
}
"""The video types, each with its usual endings (the first is written)."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that fits, what it is, and in words what was done to it."""

    path: Path
    sha256: str
    clip: Clip
    changes: tuple[str, ...]


_MADE: Workshop[Made] = Workshop()
_FILES: Workshop[Path] = Workshop()


def fit_video(
    media: Media, alt: str, limit: VideoLimit, *, trim: bool = False
) -> tuple[Attachment, tuple[str, ...]]:
    """The video (or the animated picture, as a video) as ``limit`` allows it, and a line for each
    thing that was done to it.

    The file stays as it is where it fits and tells nothing beside its pictures and sound. ``trim``
    allows to cut off what is too long. Raises InputError for what is no whole video and where
    what converts it is not installed, CannotRender where it cannot be made to fit.
    """
    source = media.path or _FILES.get(media.sha256(), lambda: _written(media))
    work = _worked_out(media, source, limit, trim=trim)
    # What is refused has not been read whole: a file may be larger than patience.
    made = _MADE.get((media.sha256(), limit, trim, media.kind), work)
    attachment = Attachment(
        sha256=made.sha256,
        mime=made.clip.mime,
        size=made.clip.size,
        width=made.clip.width,
        height=made.clip.height,
        alt=alt,
        name=_named(media.name, made.clip.mime),
        load=made.path.read_bytes,
        kind="video",
        seconds=made.clip.seconds,
        stream=lambda: made.path.open("rb"),
    )
    return attachment, tuple(f"{media.name}: {change}" for change in made.changes)


def _worked_out(media: Media, source: Path, limit: VideoLimit, *, trim: bool) -> Callable[[], Made]:
    """What is to be done, by the file's own tables alone."""
    from ..video.plan import plan
    from ..video.probe import probe

    if media.kind == "animation":
        return lambda: _animated(media.name, source, limit)
    clip = probe(source, media.name)
    decision = plan(clip, limit, trim=trim)
    if decision.way == "refused":
        raise CannotRender(f"{media.name}: it cannot be sent here: {'; '.join(decision.reasons)}.")
    if decision.way == "as it is":
        return lambda: _as_it_is(media, source, clip)
    return lambda: _converted(media.name, source, clip, limit, decision, trim=trim)


def _converted(
    name: str, source: Path, clip: Clip, limit: VideoLimit, decision: Decision, *, trim: bool
) -> Made:
    from ..video.convert import convert
    from ..video.wish import wish_for

    is_copy = decision.way == "remux"
    target = _MADE.path(f"{PurePath(name).stem}.mp4")
    wish = wish_for(limit, copy=is_copy, trim=trim)
    made = convert(source, target, wish, progress_of(name), clip=clip)
    how = "packed anew as MP4" if is_copy else _scaled(clip, made)
    changes = (f"{how} ({'; '.join(decision.reasons)})", *_removed(clip))
    return Made(target, _sha256(target), made, changes)


def _as_it_is(media: Media, source: Path, clip: Clip) -> Made:
    from ..video.strip import strip

    if not clip.metadata:
        return Made(source, media.sha256(), clip, ())
    target = _MADE.path(media.name)
    strip(source, target)
    return Made(target, _sha256(target), clip, _removed(clip))


def _animated(name: str, source: Path, limit: VideoLimit) -> Made:
    from ..video.animation import from_animation
    from ..video.plan import plan
    from ..video.wish import wish_for

    target = _MADE.path(f"{PurePath(name).stem}.mp4")
    made = from_animation(source, target, wish_for(limit, copy=False), progress_of(name))
    decision = plan(made, limit)
    if decision.way != "as it is":
        reasons = "; ".join(decision.reasons)
        raise CannotRender(f"{name}: as a video it cannot be sent here: {reasons}.")
    change = f"animated picture -> video of {made.seconds:.1f} s, {in_bytes(made.size)} (MP4)"
    return Made(target, _sha256(target), made, (change,))


def _written(media: Media) -> Path:
    target = _FILES.path(media.name)
    target.write_bytes(media.read())
    return target


def _scaled(clip: Clip, made: Clip) -> str:
    line = f"{in_bytes(clip.size)} -> {in_bytes(made.size)} (MP4)"
    if made.seconds < clip.seconds - 0.5:
        line = f"{clip.seconds:.1f} s -> {made.seconds:.1f} s, {line}"
    if (clip.width, clip.height) == (made.width, made.height):
        return line
    return f"{clip.width}x{clip.height} -> {made.width}x{made.height}, {line}"


def _removed(clip: Clip) -> tuple[str, ...]:
    return (f"metadata removed ({', '.join(clip.metadata)})",) if clip.metadata else ()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(name: str, mime: str) -> str:
    endings = ENDINGS[mime]
    if PurePath(name).suffix.lower() in endings:
        return name
    return (PurePath(name).stem or "video") + endings[0]

"""Make a video fit what a network takes, and say exactly what was done to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeVar

from ..limits.model import VideoLimit
from ..network import Attachment, CannotRender
from ..post import Media
from .filetype import in_bytes
from .reader import open_file
from .tracks import converted, dropped
from .workshop import Workshop, progress_of

if TYPE_CHECKING:
    from ..video.clip import Clip
    from ..video.plan import Decision
    from ..video.wish import Wish

ENDINGS = {
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov", ".qt"),
    "video/webm": (".webm",),
    "video/x-matroska": (".mkv",),
}
"""The video types, each with its usual endings (the first is written)."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that fits, what it is, and in words what was done to it and what it lacks."""

    path: Path
    sha256: str
    clip: Clip
    changes: tuple[str, ...]
    losses: tuple[str, ...] = ()


_MADE: Workshop[Made] = Workshop()
_MOVED: Workshop[tuple[Clip, Path]] = Workshop()
_FILES: Workshop[Path] = Workshop()
_LOOKED: Workshop[Clip] = Workshop()
N = TypeVar("N", int, float)


def fit_video(
    media: Media, alt: str, limit: VideoLimit, *, trim: bool = False
) -> tuple[Attachment, tuple[str, ...], tuple[str, ...]]:
    """The video (or the animated picture, as a video) as ``limit`` allows it, a line for each
    thing that was done to it, and a line for each kind of its tracks that is not sent.

    The file stays as it is where it fits and tells nothing beside its pictures and sound. ``trim``
    allows to cut off what is too long. Raises InputError for what is no whole video and where
    what converts it is not installed, CannotRender where it cannot be made to fit.
    """
    source = media.path or _FILES.get(media.sha256(), lambda: _written(media))
    made = _fitted(media, source, limit, trim=trim)
    attachment = Attachment(
        sha256=made.sha256,
        mime=made.clip.mime,
        size=made.clip.size,
        width=made.clip.width,
        height=made.clip.height,
        alt=alt,
        name=_named(media.name, made.clip.mime),
        load=lambda: _read(made.path),
        kind="video",
        seconds=made.clip.seconds,
        stream=lambda: open_file(made.path),
    )
    changes = tuple(f"{media.name}: {change}" for change in made.changes)
    return attachment, changes, tuple(f"{media.name}: {loss}" for loss in made.losses)


def _fitted(media: Media, source: Path, limit: VideoLimit, *, trim: bool) -> Made:
    from ..video.plan import plan
    from ..video.probe import probe

    if media.kind == "animation":
        key = (media.sha256(), limit, trim)
        return _MADE.get(key, lambda: _animated(media.name, source, limit, trim=trim))
    clip = probe(source, media.name)
    # Refused before it is read whole: a file may be larger than patience.
    decision = plan(clip, limit, trim=trim)
    if decision.way == "refused":
        raise CannotRender(f"{media.name}: it cannot be sent here: {'; '.join(decision.reasons)}.")
    if decision.way != "as it is":
        return _converted(media, source, clip, limit, decision, trim=trim)
    if clip.metadata:
        return _MADE.get(media.sha256(), lambda: _stripped(media, source, clip))
    return Made(source, media.sha256(), clip, ())


def _converted(
    media: Media, source: Path, clip: Clip, limit: VideoLimit, decision: Decision, *, trim: bool
) -> Made:
    from ..video.colours import looked_at
    from ..video.plan import plan
    from ..video.wish import wish_for

    is_copy = decision.way == "remux"
    if not is_copy:
        clip = _LOOKED.get(media.sha256(), lambda: looked_at(clip, source))
    wish = wish_for(limit, copy=is_copy, trim=trim)
    common = _common(wish, clip)
    made, path = _MOVED.get((media.sha256(), common), lambda: _moved(media, source, clip, common))
    if plan(made, limit).way != "as it is":
        # The bounds that were left out did matter after all.
        made, path = _MOVED.get((media.sha256(), wish), lambda: _moved(media, source, clip, wish))
    decided = plan(made, limit)
    if decided.way != "as it is":
        raise CannotRender(
            f"{media.name}: it cannot be made to fit here: {'; '.join(decided.reasons)}."
        )
    how = "packed anew as MP4" if is_copy else _scaled(clip, made)
    changes = (f"{how} ({'; '.join(decision.reasons)})", *converted(clip, made), *_removed(clip))
    return Made(path, _sha256(path), made, changes, dropped(clip))


def _common(wish: Wish, clip: Clip) -> Wish:
    """``wish`` without the bounds that ``clip`` is far below, so that networks whose other bounds
    are alike share one conversion."""
    from ..video.wish import ROOMY

    room = ROOMY * clip.seconds / 8
    rate = clip.frame_rate
    cut = wish.trim and clip.seconds > (wish.max_seconds or clip.seconds)
    return replace(
        wish,
        max_width=None if (wish.max_width or clip.width) >= clip.width else wish.max_width,
        max_height=None if (wish.max_height or clip.height) >= clip.height else wish.max_height,
        max_pixels=_unless(wish.max_pixels, clip.width * clip.height),
        max_fps=_unless(wish.max_fps, rate) if rate is not None else wish.max_fps,
        max_bytes=_unless(wish.max_bytes, room),
        max_bit_rate=_unless(wish.max_bit_rate, ROOMY),
        max_seconds=wish.max_seconds if cut else None,
        trim=cut,
    )


def _unless(bound: N | None, enough: float) -> N | None:
    return None if bound is None or bound >= enough else bound


def _moved(media: Media, source: Path, clip: Clip, wish: Wish) -> tuple[Clip, Path]:
    from ..video.convert import convert

    target = _MOVED.path(f"{PurePath(media.name).stem}.mp4")
    made = convert(source, target, wish, progress_of(media.name), clip=clip)
    return made, target


def _stripped(media: Media, source: Path, clip: Clip) -> Made:
    from ..video.strip import strip

    target = _MADE.path(media.name)
    strip(source, target)
    return Made(target, _sha256(target), clip, _removed(clip))


def _animated(name: str, source: Path, limit: VideoLimit, *, trim: bool) -> Made:
    from ..video.animated import measured
    from ..video.animation import announced, from_animation
    from ..video.plan import plan
    from ..video.wish import wish_for

    def refused(decision: Decision) -> CannotRender:
        reasons = "; ".join(decision.reasons)
        return CannotRender(f"{name}: as a video it cannot be sent here: {reasons}.")

    # Its blocks tell enough to refuse before a pixel is decoded.
    before = plan(announced(source, measured(source, name)), limit, trim=trim)
    if before.way == "refused":
        raise refused(before)
    target = _MADE.path(f"{PurePath(name).stem}.mp4")
    wish = wish_for(limit, copy=False, trim=trim)
    made, animated, on_white = from_animation(source, target, wish, progress_of(name))
    decision = plan(made, limit)
    if decision.way != "as it is":
        raise refused(decision)
    change = f"animated picture -> video of {made.seconds:.1f} s"
    if (animated.width, animated.height) != (made.width, made.height):
        change += f", {animated.width}x{animated.height} -> {made.width}x{made.height}"
    seconds = animated.milliseconds / 1000
    if made.seconds < seconds - 0.5:
        change += f", trimmed from {seconds:.1f} s"
    changes = [f"{change}, {in_bytes(made.size)} (MP4)"]
    if animated.plays != 1:
        looped = f"{animated.plays} times" if animated.plays else "for ever"
        changes.append(f"plays once (the picture: {looped})")
    if on_white:
        changes.append("transparency laid on white")
    return Made(target, _sha256(target), made, tuple(changes))


def _read(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


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

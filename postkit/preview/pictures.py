"""The media of a plan, small enough to be inside of a page."""

from __future__ import annotations

import base64
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ..adapt.filetype import image_mime, in_bytes
from ..adapt.images import fit
from ..errors import InputError
from ..limits.model import ImageLimit, Source
from ..rendition import Attachment, CannotRender

MOST = 200_000
"""Bytes of one picture on the page; larger ones are shown smaller."""
SIDE = 1200
"""Pixels of the longer side of a picture that is shown smaller."""
_PHOTO = ImageLimit(
    mime_types=("image/jpeg",),
    max_bytes=MOST,
    source=Source("what a page with many of them can hold", date(2026, 11, 29)),
    max_width=SIDE,
    max_height=SIDE,
)
_OTHER = replace(_PHOTO, mime_types=("image/png", "image/webp"))
"""What may be seen through stays so."""
_SHOWN_BY_BROWSERS = ("image/jpeg", "image/png", "image/gif", "image/webp")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as a data URI (None: it can only be described), and words on what it is."""

    uri: str | None
    words: str


class Pictures:
    """Makes each medium once, however many addresses get it."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Shown] = {}

    def shown(self, medium: Attachment) -> Shown:
        """What the page shows of ``medium``; a medium that cannot be drawn is described."""
        key = (medium.sha256, medium.name)
        if key not in self._made:
            self._made[key] = _video(medium) if medium.kind == "video" else _picture(medium)
        return self._made[key]


def _picture(medium: Attachment) -> Shown:
    size = f"{medium.width}x{medium.height}, {in_bytes(medium.size)}"
    data = medium.read()
    if len(data) <= MOST and medium.mime in _SHOWN_BY_BROWSERS:
        return Shown(_uri(medium.mime, data), size)
    try:
        mime, data, pixels = _smaller(data, medium.name)
    except InputError:
        return Shown(None, size)
    still = ", as a still picture" if medium.kind == "animation" else ""
    return Shown(_uri(mime, data), f"{size}; shown here at {pixels}{still}")


def _video(medium: Attachment) -> Shown:
    """A frame where an engine can make one; else only what the file itself tells."""
    from ..video.convert import thumbnail
    from ..video.probe import probe

    facts = [f"{medium.seconds:.1f} s"] if medium.seconds is not None else []
    facts += [f"{medium.width}x{medium.height}", in_bytes(medium.size)]
    with tempfile.TemporaryDirectory(prefix="postkit-") as folder:
        path = Path(folder) / "video"
        with medium.open() as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        try:
            clip = probe(path, medium.name)
            facts.append(", ".join(filter(None, (clip.video_codec, clip.audio_codec))))
            frame = thumbnail(path, min(1.0, clip.seconds / 3), clip=clip)
            mime, frame, _ = _smaller(frame, medium.name)
        except InputError:
            return Shown(None, ", ".join(facts))
    return Shown(_uri(mime, frame), ", ".join(facts))


def _smaller(data: bytes, name: str) -> tuple[str, bytes, str]:
    """Type, bytes and pixels of a copy that fits on the page, made where strangers' pictures are.
    Raises InputError."""
    try:
        limit = _PHOTO if image_mime(data) == "image/jpeg" else _OTHER
        made, _ = fit(data, name, "", limit, still=True)
    except CannotRender as error:
        raise InputError(list(error.reasons)) from None
    return made.mime, made.read(), f"{made.width}x{made.height}"


def _uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"

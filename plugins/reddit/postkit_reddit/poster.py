"""The picture that stands for a video until it plays: Reddit makes none by itself."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postkit.adapt.workshop import Workshop
from postkit.errors import InputError
from postkit.network import Attachment

if TYPE_CHECKING:
    from PIL.Image import Image

MIME = "image/jpeg"
SIDE = 640
"""Pixels of the longer side at most."""
MOST = 72_000
"""Bytes: a poster is kept in the part itself, and base64 makes 96 kB of them."""
MOMENT = 1.0
"""Seconds from the beginning: the very first picture is often black."""


@dataclass(frozen=True, slots=True)
class Poster:
    """A JPEG, and in words what it shows."""

    data: bytes
    what: str


_POSTERS: Workshop[Poster] = Workshop()


def poster_of(video: Attachment) -> Poster:
    """A picture of the video, else (nothing is installed that can look into it) a plain one."""
    return _POSTERS.get(video.sha256, lambda: _made(video))


def to_json(poster: Poster) -> dict[str, str]:
    """As the part carries it."""
    return {"mime": MIME, "base64": base64.b64encode(poster.data).decode("ascii")}


def from_json(row: Mapping[str, Any]) -> bytes:
    return base64.b64decode(row["base64"])


def _made(video: Attachment) -> Poster:
    from PIL import Image

    from postkit.video.convert import thumbnail

    moment = min(MOMENT, (video.seconds or 0.0) / 2)
    path = _POSTERS.path(video.name)
    try:
        with video.open() as file, path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        data = thumbnail(path, moment)
    except InputError:
        plain = _plain(video.width, video.height)
        return Poster(_small(plain), "a plain picture with a play sign stands for the video")
    finally:
        path.unlink(missing_ok=True)
    with Image.open(io.BytesIO(data)) as picture:
        small = _small(picture.convert("RGB"))
    return Poster(small, f"its picture at {moment:.1f} s stands for the video")


def _plain(width: int, height: int) -> Image:
    """Grey, in the video's shape, with a light triangle in its middle."""
    from PIL import Image, ImageDraw

    scale = min(1.0, SIDE / max(width, height, 1))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    picture = Image.new("RGB", size, (72, 72, 72))
    x, y, r = size[0] / 2, size[1] / 2, min(size) / 6
    corners = [(x - r * 0.75, y - r), (x - r * 0.75, y + r), (x + r, y)]
    ImageDraw.Draw(picture).polygon(corners, fill=(230, 230, 230))
    return picture


def _small(picture: Image) -> bytes:
    """A JPEG of at most MOST bytes and SIDE pixels; a picture full of noise gets smaller."""
    picture = picture.copy()
    side = SIDE
    while True:
        picture.thumbnail((side, side))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
        if file.tell() <= MOST or side < 40:
            return file.getvalue()
        side = side * 3 // 4

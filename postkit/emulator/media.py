"""Media as a network keeps it: checked by decoding, stored by content hash."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..video.clip import Clip

_MOST_PIXELS = 120_000_000
"""Beyond every network's limit; a bomb must not take the memory of the test machine."""


class NotAnImage(ValueError):
    """The bytes cannot be decoded as an image; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding an image told: type from the bytes, size in pixels, number of frames."""

    mime: str
    width: int
    height: int
    frames: int = 1


@dataclass(frozen=True, slots=True)
class StoredMedia:
    sha256: str
    mime: str
    data: bytes


def examine(data: bytes) -> Picture:
    """Decode an image in full and say what it is. Raises NotAnImage."""
    from PIL import Image

    # Filters of warnings belong to the whole process, so a bomb is turned away by its size.
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            mime = Image.MIME.get(image.format or "", "application/octet-stream")
            if width * height > _MOST_PIXELS:
                raise NotAnImage(f"{width}x{height} pixels are too many to decode")
            frames = int(getattr(image, "n_frames", 1))
            image.load()
    except NotAnImage:
        raise
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise NotAnImage(f"{type(error).__name__}: {error}") from error
    return Picture(mime, width, height, frames)


class NotAVideo(ValueError):
    """The bytes are no video that can be read; the message says why."""


def examine_video(data: bytes) -> Clip:
    """Read what a video's file says of it. Raises NotAVideo."""
    from ..errors import InputError
    from ..video.probe import probe

    try:
        return probe(io.BytesIO(data), "the file")
    except InputError as error:
        raise NotAVideo(error.message) from error


class MediaStore:
    """Bytes by the hexadecimal SHA-256 of their content."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: dict[str, StoredMedia] = {}

    def add(self, data: bytes, mime: str) -> StoredMedia:
        stored = StoredMedia(hashlib.sha256(data).hexdigest(), mime, bytes(data))
        with self._lock:
            self._stored[stored.sha256] = stored
        return stored

    def get(self, sha256: str) -> StoredMedia | None:
        with self._lock:
            return self._stored.get(sha256)

    def clear(self) -> None:
        with self._lock:
            self._stored.clear()

"""What a picture is: its type, its size as displayed, and whether all of it is there."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from .exif import Exif, parse
from .filetype import image_mime, unreadable
from .metadata import Crowded, Damaged, Stripped, strip

if TYPE_CHECKING:
    from PIL import ImageFile

MAX_PIXELS = 89_478_485
"""Pixels of one picture: a quarter of a GiB at three bytes a pixel, Pillow's own bound."""

_FRAMES_PIXELS = 6 * MAX_PIXELS
_AGAIN = "export or download it again"
_TIFF_METADATA = {
    269: "comment",
    270: "comment",
    285: "comment",
    305: "camera",
    306: "date",
    315: "author",
    316: "computer",
    700: "XMP",
    33432: "author",
    33723: "IPTC",
    34377: "IPTC",
    34665: "EXIF",
    37724: "application data",
    40091: "comment",
    40092: "comment",
    40093: "author",
    40094: "comment",
    40095: "comment",
}
_DECODING = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)
_ERRORS = (*_DECODING, OverflowError, MemoryError, struct.error, zlib.error, UserWarning)


@dataclass(frozen=True, slots=True)
class Picture:
    """``width`` and ``height`` are pixels as displayed, after ``orientation`` (EXIF, 1 to 8).

    ``metadata`` names what the file tells beside its pixels ("camera", "place", "comment").
    ``has_alpha``: some pixel can be seen through.
    """

    mime: str
    width: int
    height: int
    frames: int
    has_alpha: bool
    orientation: int
    metadata: tuple[str, ...]

    @property
    def has_metadata(self) -> bool:
        return bool(self.metadata)

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture that was decoded whole: ``image`` is its first frame as the file has it.

    ``clean`` is the file without metadata, or ``None`` where only a new encoding removes it.
    """

    picture: Picture
    image: ImageFile.ImageFile
    clean: bytes | None


def inspect(data: bytes, name: str) -> Picture:
    """What ``data`` is; every pixel is decoded. ``name`` is for the messages.

    Raises InputError where it is empty, no picture, damaged, or larger than MAX_PIXELS.
    """
    return open_picture(data, name).picture


def open_picture(data: bytes, name: str) -> Opened:
    """Decode ``data``. Raises InputError as ``inspect`` does."""
    from PIL import Image

    if not data:
        raise InputError(f"{name}: it is empty (0 bytes); save or copy it again.")
    mime = image_mime(data)
    if mime is None:
        raise InputError(f"{name}: {unreadable(data)}.")
    stripped = _stripped(data, mime, name)
    clean = data if stripped is None else stripped.data
    try:
        image = _lazily(clean, mime)
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(name, f"{image.width}x{image.height} pixels are")
        frames = int(getattr(image, "n_frames", 1))
        _decode(image, frames, name)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Pillow's own words, for a frame that is larger than its picture, and for WebP.
        raise _too_large(name, "its pixels are") from None
    except _ERRORS:
        raise _damaged(name) from None
    kinds, exif = (stripped.kinds, stripped.exif) if stripped else (("metadata",), Exif())
    # Anything may lie between the blocks of TIFF and BMP: only a new encoding leaves it behind.
    complete = stripped is not None and mime not in ("image/tiff", "image/bmp")
    width, height = image.size
    if mime == "image/tiff":
        # The decoder turns these by itself.
        exif = parse(data)
        kinds = _tiff_metadata(image, exif)
    elif exif.orientation >= 5:
        width, height = height, width
    picture = Picture(
        mime=mime,
        width=width,
        height=height,
        frames=frames,
        has_alpha=_see_through(image),
        orientation=exif.orientation,
        metadata=kinds,
    )
    return Opened(picture, image, clean if complete else None)


def is_animated(data: bytes, mime: str | None) -> bool:
    """Whether a picture has a second frame; False where that cannot be told. No decoder sees it,
    since this is asked outside the process for strangers' files."""
    from ..video.animated import moves

    return mime in ("image/gif", "image/webp", "image/png") and moves(data)


def _stripped(data: bytes, mime: str, name: str) -> Stripped | None:
    try:
        return strip(data, mime)
    except Crowded as crowded:
        raise InputError(f"{name}: {crowded}.") from None
    except Damaged:
        # JPEG decoders forgive stray bytes between blocks, so the decoder has the last word.
        if mime == "image/jpeg":
            return None
        raise _damaged(name) from None


def _lazily(data: bytes, mime: str) -> ImageFile.ImageFile:
    """Read the header alone.

    The classes are called by hand: ``Image.open`` would try every format it knows, and announce
    a large picture through the program's warning filters.
    """
    file = io.BytesIO(data)
    if mime == "image/jpeg":
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile(file)
    if mime == "image/png":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(file)
    if mime == "image/gif":
        from PIL.GifImagePlugin import GifImageFile

        return GifImageFile(file)
    if mime == "image/webp":
        from PIL.WebPImagePlugin import WebPImageFile

        return WebPImageFile(file)
    if mime == "image/bmp":
        from PIL.BmpImagePlugin import BmpImageFile

        return BmpImageFile(file)
    from PIL.TiffImagePlugin import TiffImageFile

    return TiffImageFile(file)


def _decode(image: ImageFile.ImageFile, frames: int, name: str) -> None:
    image.load()
    if frames < 2:
        return
    if image.width * image.height * frames > _FRAMES_PIXELS:
        raise _too_large(name, f"{frames} frames of {image.width}x{image.height} pixels are")
    for index in range(1, frames):
        image.seek(index)
        image.load()
    image.seek(0)
    image.load()


def _see_through(image: ImageFile.ImageFile) -> bool:
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        alpha = image.getchannel(image.mode[-1])
    elif "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
    else:
        return False
    return alpha.histogram()[255] < alpha.width * alpha.height


def _tiff_metadata(image: ImageFile.ImageFile, exif: Exif) -> tuple[str, ...]:
    tags = getattr(image, "tag_v2", {})
    kinds = [word for word, given in (("camera", exif.camera), ("place", exif.place)) if given]
    kinds += [word for tag, word in _TIFF_METADATA.items() if tag in tags]
    return tuple(dict.fromkeys(kinds))


def _too_large(name: str, what: str) -> InputError:
    return InputError(
        f"{name}: {what} more than is decoded here ({MAX_PIXELS:,} pixels); make it smaller."
    )


def _damaged(name: str) -> InputError:
    return InputError(f"{name}: it is truncated or damaged; {_AGAIN}.")

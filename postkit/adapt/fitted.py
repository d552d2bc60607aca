"""Make the bytes of a picture fit what a network takes: decode, turn, scale, encode."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from ..limits.model import ImageLimit
from ..rendition import CannotRender
from .cache import Fitted
from .colour import to_srgb
from .encode import ENCODABLE, Encoded, encode, resized
from .filetype import in_bytes
from .picture import Opened, Picture, open_picture

if TYPE_CHECKING:
    from PIL import Image

_FEW_COLOURS = 1024
_WITHOUT_LOSS = ("image/png", "image/bmp", "image/gif", "image/tiff")
"""Types in which a screenshot is kept."""


def fitted(data: bytes, name: str, limit: ImageLimit, *, still: bool = False) -> Fitted:
    """The picture as ``limit`` allows it; ``still`` is told at ``fit``. Raises InputError and
    CannotRender as that does."""
    opened = open_picture(data, name)
    picture, clean = opened.picture, opened.clean
    size = _within(picture, limit)
    misfit = _misfit(opened, size, limit)
    if picture.frames > 1 and not (still and misfit):
        # A still frame of it would be another picture, and most servers show only that of others.
        if picture.mime == "image/tiff":
            raise CannotRender(
                f"{name}: it has {picture.frames} pages; give each page as a picture of its own."
            )
        if misfit or picture.mime != "image/gif":
            why = misfit or "only an animated GIF can be sent"
            remedy = "a smaller GIF or " if _takes(limit, "image/gif") else ""
            raise CannotRender(
                f"{name}: it is animated ({picture.frames} frames) and cannot be sent as it is"
                f" ({why}); give {remedy}a still picture."
            )
    elif misfit:
        return _encoded(opened, name, size, limit, data)
    kept = clean or data
    return Fitted(
        kept,
        hashlib.sha256(kept).hexdigest(),
        picture.mime,
        picture.width,
        picture.height,
        _removed(picture),
    )


def _misfit(opened: Opened, size: tuple[int, int], limit: ImageLimit) -> str | None:
    """Why the file cannot be sent without a new encoding; ``None`` where it can."""
    picture, clean = opened.picture, opened.clean
    if limit.max_frames is not None and picture.frames > limit.max_frames:
        return f"{picture.frames} frames, at most {limit.max_frames}"
    if not _takes(limit, picture.mime):
        return f"{picture.mime} is not taken"
    if size != (picture.width, picture.height):
        return f"{picture.width}x{picture.height} pixels are too many"
    if clean is None:
        return "it must be written anew"
    if len(clean) > limit.max_bytes:
        return f"{in_bytes(len(clean))}, at most {in_bytes(limit.max_bytes)}"
    if picture.orientation != 1:
        return "it must be turned"
    if opened.image.mode == "CMYK":
        return "its colours are for print"
    return None


def _encoded(
    opened: Opened, name: str, size: tuple[int, int], limit: ImageLimit, source: bytes
) -> Fitted:
    picture = opened.picture
    mimes = [mime for mime in ENCODABLE if _takes(limit, mime)]
    if not mimes:
        raise CannotRender(
            f"{name}: it is {picture.mime} and cannot be changed to"
            f" {' or '.join(limit.mime_types)}; give it in that type."
        )
    image, conversion = to_srgb(_upright(opened))
    if image.mode == "RGBA" and not picture.has_alpha:
        image = image.convert("RGB")
    graphic = picture.has_alpha or (
        picture.mime != "image/jpeg" and image.getcolors(_FEW_COLOURS) is not None
    )
    sharp = picture.mime in _WITHOUT_LOSS
    # A photo that is far too large without loss would only take time.
    expected = len(source) * (size[0] * size[1]) / picture.pixels
    hopeful = sharp and (picture.mime != "image/png" or expected <= 2 * limit.max_bytes)
    if image.size != size:
        image = resized(image, *size)
    if image is opened.image:
        image = image.copy()
    # The encoders write comments, profiles and XMP of where an image came from.
    image.info = {}
    made = encode(
        image,
        mimes,
        limit.max_bytes,
        without_loss=graphic or hopeful,
        sharp=graphic or sharp,
    )
    if made is None:
        raise CannotRender(
            f"{name}: it cannot be made to fit in {in_bytes(limit.max_bytes)}; give another."
        )
    changes = [_scaled(picture, made, len(source))]
    if picture.orientation != 1:
        changes.append("turned upright")
    changes += _removed(picture)
    if conversion:
        changes.append(f"colours converted ({conversion})")
    if _is_deep(opened, source) and opened.image.mode.startswith(("RGB", "L")):
        changes.append("16 bits of each colour to 8")
    if made.flattened:
        changes.append("transparency laid on white")
    digest = hashlib.sha256(made.data).hexdigest()
    return Fitted(made.data, digest, made.mime, made.width, made.height, tuple(changes))


def _is_deep(opened: Opened, source: bytes) -> bool:
    """Whether the file has 16 bits a colour, of which the decoder gives eight."""
    if opened.picture.mime == "image/png":
        return source[24] == 16  # of IHDR, which is the first chunk (PNG, 11.2.1)
    if opened.picture.mime == "image/tiff":
        bits = getattr(opened.image, "tag_v2", {}).get(258, ())  # BitsPerSample (TIFF 6.0, 8)
        return 16 in (bits if isinstance(bits, tuple) else (bits,))
    return False


def _scaled(picture: Picture, made: Encoded, before: int) -> str:
    line = f"{in_bytes(before)} -> {in_bytes(len(made.data))} ({made.format})"
    if (made.width, made.height) == (picture.width, picture.height):
        return line
    return f"{picture.width}x{picture.height} -> {made.width}x{made.height}, {line}"


def _removed(picture: Picture) -> tuple[str, ...]:
    return (f"metadata removed ({', '.join(picture.metadata)})",) if picture.metadata else ()


def _takes(limit: ImageLimit, mime: str) -> bool:
    return mime in limit.mime_types or "image/*" in limit.mime_types


def _within(picture: Picture, limit: ImageLimit) -> tuple[int, int]:
    """The largest size of the same shape that ``limit`` allows; never larger than it is."""
    width, height = picture.width, picture.height
    scale = min(
        1.0,
        (limit.max_width or width) / width,
        (limit.max_height or height) / height,
        math.sqrt((limit.max_pixels or picture.pixels) / picture.pixels),
    )
    if scale == 1.0:
        return width, height
    # The small term undoes what the division lost: 3000 * (2048 / 3000) is less than 2048.
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))


def _upright(opened: Opened) -> Image.Image:
    from PIL import Image

    # The decoder of TIFF turns by itself.
    if opened.picture.mime == "image/tiff":
        return opened.image
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(opened.picture.orientation)
    return opened.image if turn is None else opened.image.transpose(turn)

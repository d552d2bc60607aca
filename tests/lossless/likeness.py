"""Whether a medium at the network is the author's, but for what its row says was done to it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from PIL import Image, ImageChops, ImageOps, ImageSequence, ImageStat

LOSSY = 3.0
"""Mean difference of a channel (of 255) that a lossy encoding of a smooth picture stays under."""
VIDEO = 6.0
"""The same for the first frame of an H.264 stream, which halves the resolution of colours."""
HIDDEN = ("exif", "xmp", "XML:com.adobe.xmp", "comment", "icc_profile", "photoshop")

_SIZES = re.compile(r"(\d+)x(\d+) -> (\d+)x(\d+)")
_FORMAT = re.compile(r"-> [^;]*\((JPEG|PNG|WEBP|MP4)\)")


@lru_cache(maxsize=1024)
def unlike(author: bytes, held: bytes, how: str) -> tuple[str, ...]:
    """What is wrong with ``held``, whose row says ``how`` it was adapted."""
    return tuple(_unlike(author, held, how))


def _unlike(author: bytes, held: bytes, how: str) -> Iterator[str]:
    if author == held:
        if "next post" not in how:
            yield f"it stands as it was, and its row says {how!r}"
        return
    stated = _FORMAT.search(how)
    if stated is not None and stated[1] == "MP4":
        yield from _unlike_video(author, held, how)
        return
    if held[4:8] == b"ftyp":
        yield f"its row does not say that it became a video: {how!r}"
        return
    yield from _unlike_picture(author, held, how, stated[1] if stated else None)


def _unlike_picture(author: bytes, held: bytes, how: str, form: str | None) -> Iterator[str]:
    with Image.open(io.BytesIO(author)) as given, Image.open(io.BytesIO(held)) as image:
        if hidden := [n for n in HIDDEN if image.info.get(n)] + [*map(str, image.getexif())]:
            yield f"it still tells {hidden}"
        if (form or given.format) != image.format:
            yield f"it is {image.format}, and its row says {how!r}"
        if getattr(given, "n_frames", 1) > 1:
            if _frames(given) != _frames(image):
                yield "its frames are not the author's"
            return
        turned = ImageOps.exif_transpose(given)
        if turned.size != given.size and "turned upright" not in how:
            yield f"it was turned, and its row says {how!r}"
        sizes = _SIZES.search(how)
        numbers = [int(number) for number in sizes.groups()] if sizes else [*turned.size] * 2
        if (numbers[:2], numbers[2:]) != ([*turned.size], [*image.size]):
            yield f"{turned.size} became {image.size}, and its row says {how!r}"
            return
        expected = _colours(turned)
        if expected.mode == "RGBA" and image.mode != "RGBA":
            if "laid on white" not in how:
                yield f"its transparency is gone, and its row says {how!r}"
            expected = Image.alpha_composite(Image.new("RGBA", expected.size, "white"), expected)
        # A scaled picture is compared with the author's at its size; PNG alone loses nothing.
        expected = expected.convert(_colours(image).mode)
        if expected.size != image.size:
            expected = expected.resize(image.size, Image.Resampling.LANCZOS)
        exact = image.format == "PNG" and sizes is None
        yield from _apart(expected, _colours(image), 0.0 if form is None or exact else LOSSY)


def _apart(expected: Image.Image, found: Image.Image, bound: float) -> Iterator[str]:
    means = ImageStat.Stat(ImageChops.difference(expected, found)).mean
    if max(means) > bound:
        yield f"its channels differ by {[round(mean, 2) for mean in means]}, at most {bound}"


def _colours(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "RGBA"):
        return image
    return image.convert("RGBA" if "transparency" in image.info else "RGB")


def _frames(image: Image.Image) -> list[tuple[Any, bytes]]:
    return [
        (frame.info.get("duration"), frame.convert("RGB").tobytes())
        for frame in ImageSequence.Iterator(image)
    ]


def _unlike_video(author: bytes, held: bytes, how: str) -> Iterator[str]:
    expected, seconds = _first_frame(author)
    found, lasts = _first_frame(held)
    if abs(seconds - lasts) > 0.15:
        yield f"{seconds:.2f} s became {lasts:.2f} s, and its row says {how!r}"
    # The encoder takes even numbers of pixels.
    if any(abs(one - two) > 1 for one, two in zip(expected.size, found.size, strict=True)):
        yield f"{expected.size} became {found.size}, and its row says {how!r}"
        return
    yield from _apart(expected.crop((0, 0, *found.size)), found, VIDEO)


def _first_frame(data: bytes) -> tuple[Image.Image, float]:
    """The first picture of a video or an animation, and how long it is in seconds."""
    if data[4:8] != b"ftyp":
        with Image.open(io.BytesIO(data)) as image:
            lengths = [frame.info.get("duration", 0) for frame in ImageSequence.Iterator(image)]
            image.seek(0)
            return image.convert("RGB"), sum(lengths) / 1000
    import av

    with av.open(io.BytesIO(data), "r") as container:
        frame: Any = next(container.decode(video=0))  # its conversion has no types
        return frame.to_image(), float(container.duration or 0) / 1_000_000

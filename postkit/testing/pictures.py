"""Pictures for tests, made with Pillow: each different, each as small as it can be."""

from __future__ import annotations

import io


def picture(number: int = 0, size: tuple[int, int] = (320, 200), kind: str = "PNG") -> bytes:
    """An image of ``size`` pixels; another ``number`` gives other bytes."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, ((number * 53) % 256, (number * 97 + 80) % 256, 160))
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 10, 10 + (number * 7) % 60 + 20, 60), fill=(250, 240, 60))
    draw.line((0, 0, *size), fill=(20, 20, 20), width=3)
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()


def padded(size: int) -> bytes:
    """A JPEG of exactly ``size`` bytes: decoders ignore what follows its end."""
    data = picture(kind="JPEG")
    return data + bytes(size - len(data))


KINDS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
"""Types that Pillow can always write."""

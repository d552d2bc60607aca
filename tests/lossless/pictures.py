"""The pictures of generated posts: one of each kind that is treated in a way of its own."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from postkit.testing.videos import video

if TYPE_CHECKING:
    from PIL import Image

EXIF_MAKE, EXIF_ORIENTATION, EXIF_GPS = 0x010F, 0x0112, 0x8825


@cache
def files() -> dict[str, bytes]:
    """By name. Smooth and without noise, so that a lossy encoding stays near to them."""
    made = {f"plain{n}.png": _saved(_flat(n), "PNG") for n in range(6)}
    made |= {f"photo{n}.jpg": _saved(_smooth(n), "JPEG") for n in range(3)}
    made |= {
        "alpha.png": _saved(_see_through(), "PNG"),
        "place.jpg": _saved(_smooth(4), "JPEG", exif=exif(1)),
        "turned6.jpg": _saved(_smooth(5), "JPEG", exif=exif(6)),
        "turned3.jpg": _saved(_smooth(6), "JPEG", exif=exif(3)),
        "mirrored5.jpg": _saved(_smooth(7), "JPEG", exif=exif(5)),
        "soft.webp": _saved(_smooth(8), "WEBP", lossless=True),
        "print.jpg": _saved(_smooth(9).convert("CMYK"), "JPEG"),
        "old.bmp": _saved(_smooth(10), "BMP"),
        "scan.tiff": _saved(_flat(11), "TIFF"),
        # More bytes than two of the networks take: written without any compression.
        "heavy.png": _saved(_smooth(12, (1300, 1100)), "PNG", compress_level=0),
        "veil.png": _saved(_veil(), "PNG", compress_level=1),
        "moves.gif": _moving(),
        "still.gif": _saved(_flat(13).quantize(8), "GIF"),
    }
    return made


@cache
def vast() -> bytes:
    """More pixels than a server takes, in few bytes."""
    return _saved(_flat(14, (6000, 5600)), "PNG")


@cache
def film(number: int) -> bytes:
    return video(number)


def _flat(number: int, size: tuple[int, int] = (240, 160)) -> Image.Image:
    """Few colours; no two numbers and no two corners look the same."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, ((number * 53) % 200, (number * 97 + 80) % 200, 160))
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.rectangle((0, 0, width // 3, height // 4), fill=(250, 240, 60))
    draw.rectangle((width // 2, height // 2, width, height * 3 // 4), fill=(20, 120, 40))
    return image


def _smooth(number: int, size: tuple[int, int] = (240, 160)) -> Image.Image:
    """A gradient of its own in each channel."""
    from PIL import Image

    def ramp(turn: Image.Transpose | None) -> Image.Image:
        grey = Image.linear_gradient("L")
        return (grey if turn is None else grey.transpose(turn)).resize(size)

    ramps = [ramp(None), ramp(Image.Transpose.ROTATE_90), ramp(Image.Transpose.ROTATE_180)]
    moved = number % 3
    image = Image.merge("RGB", ramps[moved:] + ramps[:moved])
    return image.point([(value * (20 - number)) // 20 for value in range(256)] * 3)


def _see_through() -> Image.Image:
    from PIL import Image

    image = _flat(20).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _veil() -> Image.Image:
    """Noise that can be seen through: too large as PNG for some, and nearly white on white."""
    from PIL import Image

    image = Image.new("RGBA", (1700, 1400), (238, 240, 230, 0))
    image.putalpha(Image.effect_noise(image.size, 60))
    return image


def exif(orientation: int) -> bytes:
    from PIL import Image

    block = Image.Exif()
    block[EXIF_MAKE] = "A camera"
    block[EXIF_ORIENTATION] = orientation
    block.get_ifd(EXIF_GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)})
    return block.tobytes()


def _moving() -> bytes:
    from PIL import Image

    frames = [Image.new("RGB", (64, 48), (40 * n, 200 - 40 * n, 90)).quantize(4) for n in range(4)]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=250, loop=0)
    return target.getvalue()


def _saved(image: Image.Image, kind: str, **how: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **how)
    return target.getvalue()

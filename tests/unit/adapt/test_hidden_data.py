"""Data that a file carries beside its picture, in every place where it can hide."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, TiffImagePlugin

from postkit.adapt.images import fit
from postkit.errors import InputError
from postkit.limits.model import ImageLimit
from postkit.network import CannotRender

Photo = Callable[..., bytes]
CANARY = b"A name and an address"


@pytest.fixture
def every_type(pictures: ImageLimit) -> ImageLimit:
    kinds = ("jpeg", "png", "gif", "webp", "bmp", "tiff")
    return ImageLimit(tuple(f"image/{kind}" for kind in kinds), 5_000_000, pictures.source)


def fitted(data: bytes, limit: ImageLimit) -> tuple[bytes, str, list[str]]:
    attachment, changes = fit(data, "f", "", limit)
    return attachment.read(), attachment.mime, [line.removeprefix("f: ") for line in changes]


@pytest.mark.parametrize("tag", [269, 285, 316, 37724, 40091, 40092, 40093, 40094, 40095, 65000])
def test_nothing_of_a_tiff_is_left(tag: int, photo: Photo, every_type: ImageLimit) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.tagtype[tag] = 7
    info[tag] = CANARY
    data = photo(kind="TIFF", tiffinfo=info)
    assert CANARY in data
    out, mime, changes = fitted(data, every_type)
    assert CANARY not in out
    assert mime != "image/tiff"
    assert changes


@pytest.mark.parametrize("kind", ["TIFF", "BMP"])
def test_what_lies_behind_the_pixels_goes(kind: str, photo: Photo, every_type: ImageLimit) -> None:
    out, _, changes = fitted(photo(kind=kind) + CANARY, every_type)
    assert CANARY not in out
    assert changes


@pytest.mark.parametrize(
    "block",
    [
        b"\x21\xff\x0bMGK8BIM0000",
        b"\x21\xff\x0bC2PA_GIF\x01\x02\x03",
        b"\x21\xff\x0bICCRGBG1012",
        b"\x21\x01\x0c" + bytes(12),
        b"\x21\x99",
    ],
)
def test_extensions_of_a_gif(block: bytes, photo: Photo, every_type: ImageLimit) -> None:
    plain = photo(kind="GIF", mode="P")
    hidden = block + bytes([len(CANARY)]) + CANARY + b"\x00"
    out, _, changes = fitted(plain[:-1] + hidden + b"\x3b", every_type)
    assert out == plain
    assert changes == ["metadata removed (application data)"]


def test_a_gif_still_loops(every_type: ImageLimit) -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=CANARY)
    out, _, changes = fitted(file.getvalue(), every_type)
    assert CANARY not in out
    assert b"NETSCAPE2.0" in out
    assert Image.open(io.BytesIO(out)).info["loop"] == 0
    assert changes == ["metadata removed (comment)"]


def test_the_colour_marker_of_a_jpeg_keeps_its_twelve_bytes(
    photo: Photo, every_type: ImageLimit
) -> None:
    plain = photo()
    block = b"Adobe\x00\x64\x00\x00\x00\x00\x01"
    marker = b"\xff\xee" + struct.pack(">H", len(block) + 2) + block
    longer = b"\xff\xee" + struct.pack(">H", len(block + CANARY) + 2) + block + CANARY
    out, _, changes = fitted(plain[:2] + longer + plain[2:], every_type)
    assert out == plain[:2] + marker + plain[2:]
    assert changes == ["metadata removed (application data)"]


def test_pages_are_not_called_animated(every_type: ImageLimit) -> None:
    file = io.BytesIO()
    page = Image.new("RGB", (8, 8))
    page.save(file, "TIFF", save_all=True, append_images=[page])
    with pytest.raises(CannotRender, match="it has 2 pages; give each page as a picture"):
        fitted(file.getvalue(), every_type)


def test_no_gif_is_asked_for_where_none_is_taken(pictures: ImageLimit) -> None:
    still = ImageLimit(("image/jpeg", "image/png"), 5_000_000, pictures.source)
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(CannotRender, match=r"not taken\); give a still picture\."):
        fitted(file.getvalue(), still)


@pytest.mark.parametrize(("brand", "words"), [(b"heic", "a HEIC"), (b"avif", "an AVIF")])
def test_a_picture_of_another_type_is_not_called_none(
    brand: bytes, words: str, pictures: ImageLimit
) -> None:
    data = b"\x00\x00\x00\x18ftyp" + brand + bytes(50)
    with pytest.raises(InputError, match=f"it is {words} picture, which is not read here; give a"):
        fitted(data, pictures)


def test_the_gamma_of_a_png_is_applied_when_it_is_written_anew(pictures: ImageLimit) -> None:
    file = io.BytesIO()
    Image.new("RGB", (2100, 8), (55, 55, 55)).save(file, "PNG")
    body = b"gAMA" + struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    data = file.getvalue()
    out, _, changes = fitted(data[:33] + chunk + data[33:], pictures)
    # Linear light: 255 * (55 / 255) ** (1 / 2.2) = 127.
    assert Image.open(io.BytesIO(out)).convert("RGB").getpixel((9, 2)) == (127, 127, 127)
    assert "colours converted (gamma)" in changes


def test_the_first_exif_block_says_which_way_is_up(photo: Photo, every_type: ImageLimit) -> None:
    """As at every viewer; a second block says nothing, or lies."""

    def block(orientation: int | None) -> bytes:
        entry = struct.pack("<HHIHH", 0x112, 3, 1, orientation or 0, 0) if orientation else b""
        count = struct.pack("<H", 1 if orientation else 0)
        body = b"Exif\0\0II*\0" + struct.pack("<I", 8) + count + entry + bytes(4)
        return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body

    data = photo(kind="JPEG")
    for second in (None, 3):
        twice = data[:2] + block(6) + block(second) + data[2:]
        attachment, changes = fit(twice, "f", "", every_type)
        assert "f: turned upright" in changes
        assert (attachment.width, attachment.height) == (48, 64)

"""What a file is, by its bytes; and every way in which it is no picture."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from postkit.adapt.picture import inspect, is_animated
from postkit.errors import InputError

Photo = Callable[..., bytes]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        inspect(data, "cat.jpg")
    (problem,) = caught.value.problems
    assert problem.startswith("cat.jpg: ")
    assert "; " in problem
    return problem


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_types_are_read_from_the_bytes(kind: str, photo: Photo) -> None:
    picture = inspect(photo(kind=kind), "mislabelled.txt")
    assert (picture.mime, picture.width, picture.height) == (f"image/{kind.lower()}", 64, 48)
    assert (picture.frames, picture.has_alpha, picture.orientation) == (1, False, 1)
    assert not picture.has_metadata


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated(kind: str, share: float, photo: Photo) -> None:
    data = photo(kind=kind)
    assert "truncated or damaged" in refusal(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty (0 bytes)"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "an HTML page"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        ("Grüße".encode(), "a text file"),
        (b'{"error": 404}', "a JSON file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video (video/mp4)"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\0\1\2\3\4\5", "unknown binary data"),
        (b"PK\3\4aaaa", "a ZIP archive"),
    ],
)
def test_what_is_no_picture(data: bytes, words: str) -> None:
    assert words in refusal(data)


@pytest.mark.parametrize("size", [(60_000, 60_000), (9_500, 9_500)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    problem = refusal(png_header(*size))
    assert f"{size[0]}x{size[1]} pixels" in problem
    assert "89,478,485" in problem


def test_gif_bomb() -> None:
    data = bytearray(b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0")
    data += b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0\x3b"
    assert "more than is decoded" in refusal(bytes(data))


def test_webp_bomb(photo: Photo) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    data = bytearray(photo(kind="WEBP", exif=exif.tobytes()))
    assert data[12:16] == b"VP8X"
    data[24:30] = b"\xff\x7f\x00\xff\x7f\x00"
    assert "more than is decoded" in refusal(bytes(data))


def test_size_is_as_displayed(photo: Photo) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = inspect(photo(exif=exif.tobytes()), "a.jpg")
    assert (picture.width, picture.height, picture.orientation) == (48, 64, 6)
    assert picture.metadata == ("EXIF",)


def test_frames_and_alpha(photo: Photo) -> None:
    frames = [Image.new("RGB", (8, 8), (n * 40, 0, 0)) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert inspect(file.getvalue(), "a.gif").frames == 3
    assert not inspect(photo(kind="PNG", mode="RGBA"), "opaque.png").has_alpha
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 9)).save(file, "PNG")
    assert inspect(file.getvalue(), "glass.png").has_alpha


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"FLV\x01\x05" + bytes(20), "a video (FLV)"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(20), "a video or sound (WMV, ASF)"),
        (b"\x00\x00\x01\xba" + bytes(20), "a video (MPEG-PS)"),
        ((b"G" + bytes(187)) * 3, "a video (MPEG-TS)"),
        (b"RIFF\0\0\0\0AVI " + bytes(20), "a video (video/x-msvideo)"),
    ],
)
def test_a_video_of_another_kind_is_not_asked_to_be_a_picture(data: bytes, words: str) -> None:
    said = refusal(data)
    assert said == f"cat.jpg: it is {words}, which is not read here; give MP4, MOV or WebM."


@pytest.mark.parametrize("brand", ["heix", "heim", "hevx", "mif2", "crx "])
def test_pictures_that_are_built_like_videos(brand: str) -> None:
    said = refusal(struct.pack(">I4s4s", 24, b"ftyp", brand.encode()) + bytes(12))
    assert "picture" in said
    assert "which is not read here" in said


def blocks(kind: str, photo: Photo) -> bytes:
    """A picture with 600,000 blocks of nothing."""
    count = 600_000
    data = photo(kind=kind)
    if kind == "JPEG":
        return data[:2] + b"\xff\xfe\0\2" * count + data[2:]
    if kind == "PNG":
        return data[:33] + chunk(b"tEXt", b"") * count + data[33:]
    if kind == "WEBP":
        body = data[8:] + b"abcd\0\0\0\0" * count
        return b"RIFF" + struct.pack("<I", len(body)) + body
    at = 13 + 3 * 256
    return data[:at] + b"\x21\xfe" + b"\1A" * count + b"\0" + data[at:]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_more_blocks_than_any_picture_needs(kind: str, photo: Photo) -> None:
    data = blocks(kind, photo)
    assert not is_animated(data, f"image/{kind.lower()}")
    assert "has more than 500,000 blocks, which no picture needs" in refusal(data)


def test_whether_it_moves_is_no_question_for_a_decoder() -> None:
    """Its first frame says that it is larger than any screen."""
    file = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), name) for name in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    data = bytearray(file.getvalue())
    at = data.index(b"\x2c\0\0\0\0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert is_animated(bytes(data), "image/gif")
    assert "more than is decoded here" in refusal(bytes(data))

"""Pictures made to fit: what comes out is opened again and looked at."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw, JpegImagePlugin

from postkit.adapt import images
from postkit.adapt.filetype import in_bytes
from postkit.adapt.images import fit
from postkit.errors import InputError
from postkit.limits.model import ImageLimit, Source
from postkit.network import CannotRender

SOURCE = Source("made for these tests", date(2026, 11, 29))
Photo = Callable[..., bytes]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><secret/></x:xmpmeta>'


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **save)
    return file.getvalue()


def exif(orientation: int = 1, *, place: bool = True) -> bytes:
    block = Image.Exif()
    block[0x010F] = "Secret camera"
    block[0x0112] = orientation
    if place:
        block.get_ifd(0x8825)[1] = "N"
        block.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return block.tobytes()


def red_corner(image: Image.Image) -> str:
    """Where the red corner of the fixture's picture is."""
    image = image.convert("RGB")
    right, low = image.width - 3, image.height - 3
    corners = {"upper left": (2, 2), "upper right": (right, 2), "lower left": (2, low)}
    corners["lower right"] = (right, low)
    for name, at in corners.items():
        red, green, _ = image.getpixel(at)  # type: ignore[misc]
        if red > 200 and green < 80:
            return name
    return "nowhere"


def test_what_fits_stays_byte_for_byte(photo: Photo, pictures: ImageLimit) -> None:
    data = photo()
    attachment, changes = fit(data, "cat.jpg", "A cat", pictures)
    assert attachment.read() == data
    assert attachment.sha256 == hashlib.sha256(data).hexdigest()
    assert (attachment.mime, attachment.size) == ("image/jpeg", len(data))
    assert (attachment.width, attachment.height) == (64, 48)
    assert (attachment.alt, attachment.name, changes) == ("A cat", "cat.jpg", ())


def test_a_wrong_ending_is_put_right(photo: Photo, pictures: ImageLimit) -> None:
    attachment, changes = fit(photo(kind="PNG"), "cat.jpg", "", pictures)
    assert (attachment.mime, attachment.name, changes) == ("image/png", "cat.png", ())
    assert fit(photo(), "cat", "", pictures)[0].name == "cat.jpg"
    assert fit(photo(), "v1.2", "", pictures)[0].name == "v1.2.jpg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_goes_and_no_pixel_changes(kind: str, photo: Photo, pictures: ImageLimit) -> None:
    save = {"exif": exif()} if kind == "PNG" else {"exif": exif(), "xmp": XMP}
    data = photo(kind=kind, **save)
    assert b"Secret camera" in data
    limit = replace(pictures, mime_types=("image/jpeg", "image/png", "image/webp"))
    attachment, (line,) = fit(data, "cat", "", limit)
    clean = attachment.read()
    assert line.startswith("cat: metadata removed (camera, place")
    assert b"Secret camera" not in clean
    assert b"secret" not in clean
    assert not opened(clean).getexif()
    assert opened(clean).tobytes() == opened(data).tobytes()


def test_comments_profiles_and_attached_files(photo: Photo, pictures: ImageLimit) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = photo(comment=b"my secret", icc_profile=profile) + b"attached secret film"
    attachment, changes = fit(data, "cat.jpg", "", pictures)
    assert changes == ("cat.jpg: metadata removed (comment, attached data)",)
    assert b"secret" not in attachment.read()
    assert opened(attachment.read()).info["icc_profile"] == profile


def test_gif_comment(pictures: ImageLimit) -> None:
    data = saved(Image.new("P", (8, 8)), "GIF", comment=b"my secret")
    attachment, changes = fit(data, "a.gif", "", pictures)
    assert changes == ("a.gif: metadata removed (comment)",)
    assert b"secret" not in attachment.read()
    assert opened(attachment.read()).size == (8, 8)


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (2, "upper right"),
        (3, "lower right"),
        (4, "lower left"),
        (5, "upper left"),
        (6, "upper right"),
        (7, "lower right"),
        (8, "lower left"),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_turned_upright(
    kind: str, orientation: int, corner: str, photo: Photo, pictures: ImageLimit
) -> None:
    data = photo(kind=kind, exif=exif(orientation))
    attachment, changes = fit(data, "cat.jpg", "", pictures)
    image = opened(attachment.read())
    assert image.size == (attachment.width, attachment.height)
    assert image.size == ((48, 64) if orientation >= 5 else (64, 48))
    assert red_corner(image) == corner
    assert not image.getexif()
    assert "cat.jpg: turned upright" in changes
    assert any("camera, place" in line for line in changes)


def test_scaled_down_with_one_exact_line(photo: Photo, pictures: ImageLimit) -> None:
    data = photo(3000, 2250, quality=50)
    attachment, (line,) = fit(data, "rocket.jpg", "", pictures)
    size = in_bytes(attachment.size)
    assert line == f"rocket.jpg: 3000x2250 -> 2048x1536, {in_bytes(len(data))} -> {size} (JPEG)"
    assert opened(attachment.read()).size == (2048, 1536)
    assert attachment.size <= pictures.max_bytes
    assert attachment.size > 0.8 * pictures.max_bytes  # no better picture was given away


@pytest.mark.parametrize("max_pixels", [1_000_000, 999_999, 12_345])
def test_pixels(max_pixels: int, photo: Photo, pictures: ImageLimit) -> None:
    attachment, _ = fit(photo(1300, 900), "a.jpg", "", replace(pictures, max_pixels=max_pixels))
    assert 0.97 * max_pixels < attachment.width * attachment.height <= max_pixels
    assert attachment.width / attachment.height == pytest.approx(1300 / 900, rel=0.01)


@pytest.mark.parametrize("max_bytes", [300_000, 60_000, 9_000, 2_000])
def test_bytes(max_bytes: int, photo: Photo, pictures: ImageLimit) -> None:
    data = photo(1000, 800, quality=95)
    attachment, (line,) = fit(data, "a.jpg", "", replace(pictures, max_bytes=max_bytes))
    assert attachment.size <= max_bytes
    assert len(attachment.read()) == attachment.size
    assert opened(attachment.read()).size == (attachment.width, attachment.height)
    assert in_bytes(attachment.size) in line


def test_never_larger(photo: Photo, pictures: ImageLimit) -> None:
    limit = replace(pictures, max_width=4000, max_height=4000, max_pixels=10_000_000)
    attachment, _ = fit(photo(exif=exif(3)), "a.jpg", "", limit)
    assert (attachment.width, attachment.height) == (64, 48)


def test_what_cannot_fit_is_refused(photo: Photo, pictures: ImageLimit) -> None:
    with pytest.raises(CannotRender, match=r"a.jpg: .* cannot be made to fit in 100 bytes; give"):
        fit(photo(), "a.jpg", "", replace(pictures, max_bytes=100))
    with pytest.raises(CannotRender, match=r"a.jpg: it is image/jpeg .* image/x-odd; give"):
        fit(photo(), "a.jpg", "", replace(pictures, mime_types=("image/x-odd",)))


def test_a_drawing_with_transparency_stays_png(pictures: ImageLimit) -> None:
    image = Image.new("RGBA", (3000, 1000), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((100, 100, 900, 900), fill=(0, 90, 200, 255))
    attachment, (line,) = fit(saved(image, "PNG"), "logo.png", "", pictures)
    assert attachment.mime == "image/png"
    assert line.endswith("(PNG)")
    assert opened(attachment.read()).mode == "RGBA"
    assert opened(attachment.read()).getpixel((0, 0)) == (0, 0, 0, 0)


def test_few_colours_stay_png_and_photos_do_not(photo: Photo, pictures: ImageLimit) -> None:
    image = Image.new("RGB", (2500, 400), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 900, 200), fill="navy")
    assert fit(saved(image, "PNG"), "a.png", "", pictures)[0].mime == "image/png"
    assert fit(photo(2500, 400, kind="PNG"), "b.png", "", pictures)[0].mime == "image/jpeg"


def test_transparency_is_laid_on_white_where_png_is_too_large(
    photo: Photo, pictures: ImageLimit
) -> None:
    image = opened(photo(900, 700)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 350, 900, 700))
    data = saved(image, "PNG")
    limit = replace(pictures, max_bytes=120_000)
    attachment, changes = fit(data, "a.png", "", limit)
    assert attachment.mime == "image/jpeg"
    assert attachment.name == "a.jpg"
    assert changes[-1] == "a.png: transparency laid on white"
    below = opened(attachment.read()).getpixel((10, attachment.height - 10))
    assert min(below) > 250  # type: ignore[arg-type]


def test_cmyk_becomes_rgb(photo: Photo, pictures: ImageLimit) -> None:
    attachment, changes = fit(photo(mode="CMYK"), "print.jpg", "", pictures)
    image = opened(attachment.read())
    assert image.mode == "RGB"
    assert red_corner(image) == "upper left"
    assert changes[-1] == "print.jpg: colours converted (CMYK to sRGB)"


def test_another_colour_profile_becomes_srgb(photo: Photo, pictures: ImageLimit) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    data = photo(2500, 100, icc_profile=lab)
    attachment, _ = fit(data, "a.jpg", "", pictures)
    assert "icc_profile" not in opened(attachment.read()).info
    broken = photo(2500, 100, icc_profile=b"no profile")
    assert fit(broken, "b.jpg", "", pictures)[0].width == 2048


def test_sixteen_bits_are_not_clipped(pictures: ImageLimit) -> None:
    image = Image.new("I;16", (3000, 40), 32_768)
    attachment, changes = fit(saved(image, "PNG"), "deep.png", "", pictures)
    assert opened(attachment.read()).convert("L").getpixel((5, 5)) in range(125, 130)
    assert "deep.png: colours converted (16-bit grey to 8 bits)" in changes


@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bits_of_colour_are_told(pictures: ImageLimit, alpha: bool) -> None:
    row = b"\0" + b"\x80\x00\x20\x01\xff\xff" * 3000
    if alpha:
        row = b"\0" + b"\x80\x00\x20\x01\xff\xff\x80\x00" * 3000
    head = struct.pack(">IIBBBBB", 3000, 4, 16, 6 if alpha else 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(row * 4)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    attachment, changes = fit(data, "deep.png", "", pictures)
    assert attachment.width == 2048
    assert "deep.png: 16 bits of each colour to 8" in changes
    wide = replace(pictures, max_width=None, max_height=None)
    kept, nothing = fit(data, "deep.png", "", wide)
    assert (kept.read(), nothing) == (data, ())


def screenshot(kind: str) -> bytes:
    """A photo beside red letters."""
    image = Image.new("RGB", (900, 500), "white")
    noise = [Image.effect_noise((500, 500), 20 + n) for n in range(3)]
    image.paste(Image.merge("RGB", noise), (0, 0))
    draw = ImageDraw.Draw(image)
    for line in range(20):
        draw.text((520, 20 * line), "Read me, I am red and thin", fill=(255, 0, 0))
    return saved(image, kind)


@pytest.mark.parametrize(
    ("kind", "mimes", "max_bytes", "form", "sampling"),
    [
        ("PNG", ("image/png", "image/jpeg"), 900_000, "PNG", None),
        ("BMP", ("image/webp", "image/jpeg"), 900_000, "WEBP", None),
        ("PNG", ("image/png", "image/webp", "image/jpeg"), 100_000, "JPEG", 0),
        ("PNG", ("image/jpeg",), 400_000, "JPEG", 0),
        ("JPEG", ("image/jpeg",), 60_000, "JPEG", 2),
    ],
)
def test_letters_in_a_screenshot_stay_sharp(
    kind: str, mimes: tuple[str, ...], max_bytes: int, form: str, sampling: int | None
) -> None:
    limit = ImageLimit(mimes, max_bytes, SOURCE, max_width=890 if form != "JPEG" else None)
    attachment, _ = fit(screenshot(kind), "shot", "", limit)
    made = opened(attachment.read())
    assert attachment.size <= max_bytes
    assert made.format == form
    if sampling is not None:
        assert JpegImagePlugin.get_sampling(made) == sampling


def test_noise_takes_more_than_a_byte_a_pixel() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((900, 600), 120 + n) for n in range(3)])
    limit = ImageLimit(("image/jpeg",), 5_000_000, SOURCE)
    attachment, _ = fit(saved(noise, "PNG"), "noise.png", "", limit)
    assert attachment.size > 900 * 600


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_png(mode: str, pictures: ImageLimit) -> None:
    grey = 255 if mode == "1" else 200  # a grey would be dithered
    source = Image.new("L", (2100, 30), grey)
    image = Image.new("I;16", (2100, 30), 51_400) if mode == "I;16" else source.convert(mode)
    attachment, _ = fit(saved(image, "PNG"), "a.png", "", pictures)
    pixel = opened(attachment.read()).convert("L").getpixel((5, 5))
    assert pixel == grey


def test_animation_is_kept_whole_or_refused(pictures: ImageLimit) -> None:
    frames = [Image.new("RGB", (60, 60), (n * 40, 0, 0)) for n in range(3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    attachment, changes = fit(data, "a.gif", "", pictures)
    assert (attachment.read(), changes) == (data, ())
    for limit in (
        replace(pictures, mime_types=("image/jpeg",)),
        replace(pictures, max_bytes=50),
        replace(pictures, max_width=30),
    ):
        with pytest.raises(CannotRender, match=r"a.gif: it is animated \(3 frames\)"):
            fit(data, "a.gif", "", limit)
    moving = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(CannotRender, match="only an animated GIF"):
        fit(moving, "a.png", "", pictures)


def test_no_picture(pictures: ImageLimit) -> None:
    with pytest.raises(InputError, match=r"page.jpg: it is an HTML page, not a picture"):
        fit(b"<html></html>", "page.jpg", "", pictures)


def test_ten_addresses_encode_once(
    photo: Photo, pictures: ImageLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = images._made

    def counted(data: bytes, name: str, limit: ImageLimit, *, still: bool) -> Any:
        made.append(name)
        return real(data, name, limit, still=still)

    monkeypatch.setattr(images, "_made", counted)
    data = photo(2500, 1000)
    names = [f"{n}.jpg" for n in range(10)]
    lines: dict[str, tuple[str, ...]] = {}

    def one(name: str) -> None:
        lines[name] = fit(data, name, name, pictures)[1]

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert all(line.startswith(f"{name}: 2500x1000") for name, (line,) in lines.items())
    fit(data, "other.jpg", "", replace(pictures, max_width=100))
    assert len(made) == 2
    for name in ("bad.jpg", "worse.jpg"):
        with pytest.raises(InputError, match=name):
            fit(data[:99], name, "", pictures)


@pytest.mark.parametrize(
    ("mime", "width", "longest"), [("image/webp", 17_000, 16_383), ("image/jpeg", 66_000, 65_500)]
)
def test_what_is_longer_than_its_type_can_be_is_scaled(
    mime: str, width: int, longest: int, pictures: ImageLimit
) -> None:
    panorama = io.BytesIO()
    Image.effect_noise((width, 20), 80).convert("RGB").save(panorama, "PNG")
    limit = ImageLimit((mime,), 1_000_000, pictures.source)
    attachment, changes = fit(panorama.getvalue(), "p.png", "", limit)
    assert (attachment.mime, attachment.width) == (mime, longest)
    assert changes[0].startswith(f"p.png: {width}x20 -> {longest}x")


def test_what_is_too_long_for_one_type_is_tried_in_another(pictures: ImageLimit) -> None:
    panorama = io.BytesIO()
    Image.effect_noise((17_000, 20), 80).convert("RGB").save(panorama, "PNG")
    limit = ImageLimit(("image/png", "image/webp", "image/jpeg"), 300_000, pictures.source)
    attachment, _ = fit(panorama.getvalue(), "p.png", "", limit)
    assert (attachment.mime, attachment.width) == ("image/jpeg", 17_000)


def test_a_picture_as_thin_as_a_line(pictures: ImageLimit) -> None:
    line = io.BytesIO()
    Image.effect_noise((16_400, 2), 60).convert("RGB").save(line, "JPEG", quality=95)
    limit = ImageLimit(("image/jpeg",), 9_000, pictures.source)
    attachment, _ = fit(line.getvalue(), "line.jpg", "", limit)
    assert attachment.size <= 9_000

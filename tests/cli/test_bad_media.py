"""Pictures that are none: one sentence each, and nothing is uploaded."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from postkit.testing.pictures import picture

from .program import Program


def bomb() -> bytes:
    """A small file of 400 million pixels."""
    target = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(target, "PNG")
    return target.getvalue()


def huge_frame() -> bytes:
    """A small moving picture that says that its first frame is larger than any screen."""
    target = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), name) for name in ("red", "blue")]
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    data = bytearray(target.getvalue())
    at = data.index(b"\x2c\0\0\0\0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    return bytes(data)


BAD: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"I am no picture"),
    "truncated": lambda path: path.write_bytes(picture(1, (400, 300), "JPEG")[:2_000]),
    "header": lambda path: path.write_bytes(picture(1, (400, 300), "PNG")[:30]),
    "bomb": lambda path: path.write_bytes(bomb()),
    "frame": lambda path: path.write_bytes(huge_frame()),
    "folder": lambda path: path.mkdir(),
    "fifo": lambda path: os.mkfifo(path),
    "loop": lambda path: path.symlink_to(path.name),
    "svg": lambda path: path.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "failing": lambda path: path.symlink_to("/proc/self/mem"),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("place", ["flag", "file"])
def test_a_picture_that_cannot_be_sent(mastodon: Program, kind: str, place: str) -> None:
    BAD[kind](Path("cat.jpg"))
    given = ["--text", "Hi", "--media", "cat.jpg"]
    if place == "file":
        Path("post.md").write_text("Hi\n\n![A cat](cat.jpg)\n", "utf-8")
        given = ["post.md"]
    result = mastodon("publish", *given, "--to", "mastodon")
    assert result.status in (1, 2), result
    assert result.out == ""
    assert len(result.errors) == 1, result.errors
    assert "cat.jpg" in result.errors[0]
    assert mastodon.writes() == 0
    assert "Nothing has been published" in mastodon("list").err


URLS = {
    "https://127.0.0.1/cat.jpg": "127.0.0.1 is not on the public internet: this machine",
    "https://2130706433/cat.jpg": "its host is a number and no plain IPv4 address",
    "https://localhost/cat.jpg": "localhost is a name inside a machine or a local network",
    "http://example.com/cat.jpg": "http is not fetched, only https",
    "https://example.com:8443/cat.jpg": "port 8443 is not fetched from, only 443",
}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("place", ["flag", "file"])
@pytest.mark.parametrize("mode", ["--yes", "--dry-run"])
def test_a_url_that_leads_inside(mastodon: Program, url: str, place: str, mode: str) -> None:
    given = ["--text", "Hi", "--media", url]
    if place == "file":
        Path("post.md").write_text(f"Hi\n\n![A cat]({url})\n", "utf-8")
        given = ["post.md"]
    result = mastodon("publish", *given, "--to", "mastodon", mode)
    assert result.status == 2, result
    assert len(result.errors) == 1, result.errors
    assert f"{url}: {URLS[url]}; give" in result.errors[0]
    assert ("post.md:3: text: " if place == "file" else "--media: ") in result.errors[0]
    assert mastodon.writes() == 0


def test_a_rehearsal_fetches_nothing(mastodon: Program) -> None:
    given = ["--media", "https://example.com/cat.jpg", "--to", "mastodon", "--emulate"]
    said = mastodon.fails(2, "publish", "--text", "Hi", *given)
    assert "a rehearsal makes no connection beyond this machine; give a file" in said


def test_a_picture_that_cannot_be_read(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, whom no mode of a file stops: the fault is put below open().
    Path("cat.jpg").write_bytes(picture())
    real_open, real_os_open = io.open, os.open

    def refuse(path: object) -> None:
        if str(path).endswith("cat.jpg"):
            raise PermissionError(13, "Permission denied", str(path))

    def no_open(file: object, *arguments: object, **named: object) -> object:
        refuse(file)
        return real_open(file, *arguments, **named)  # type: ignore[call-overload]

    def no_os_open(path: object, *arguments: object, **named: object) -> int:
        refuse(path)
        return real_os_open(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(io, "open", no_open)
    monkeypatch.setattr(builtins, "open", no_open)
    monkeypatch.setattr(os, "open", no_os_open)
    said = mastodon.fails(2, "publish", "Hi", "--media", "cat.jpg", "--to", "mastodon")
    assert "cat.jpg" in said
    assert "this user may not read it" in said


def test_a_picture_with_a_wrong_name_is_read_by_its_bytes(mastodon: Program) -> None:
    Path("cat.gif").write_bytes(picture(1, (64, 48), "PNG"))
    assert mastodon("publish", "Hi", "--media", "cat.gif", "--to", "mastodon").status == 0
    [post] = mastodon.server.posts("mastodon")
    assert post.media[0].mime == "image/png"


@pytest.mark.parametrize(
    ("media", "alt", "said"),
    [
        (0, 1, "--alt is given 1 times and --media 0 times"),
        (2, 1, "--alt is given 1 times and --media 2 times"),
        (1, 2, "--alt is given 2 times and --media 1 times"),
    ],
)
def test_alt_without_media(mastodon: Program, media: int, alt: int, said: str) -> None:
    Path("cat.png").write_bytes(picture())
    given = ["--media", "cat.png"] * media + ["--alt", "A cat"] * alt
    found = mastodon.fails(2, "publish", "Hi", *given, "--to", "mastodon")
    assert said in found
    assert "give one --alt for each --media, in the same order, or none" in found


def test_all_bad_pictures_are_named_at_once(mastodon: Program) -> None:
    Path("b.png").write_bytes(b"")
    given = ["--media", "a.png", "--media", "b.png"]
    result = mastodon("publish", "Hi", *given, "--to", "mastodon")
    assert result.status in (1, 2)
    assert "a.png" in result.err
    assert "b.png" in result.err

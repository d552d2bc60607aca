"""What a file is by its first bytes, never by its name."""

from __future__ import annotations

import re

EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/bmp": (".bmp", ".dib"),
    "image/tiff": (".tif", ".tiff"),
}
"""The picture types that are read here, each with its usual endings (the first is written)."""
HEAD = 4096
"""Bytes that tell what a file is."""

_STILLS = {
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
    **dict.fromkeys(
        b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1".split(), "a HEIC picture"
    ),
    b"crx ": "a raw picture (CR3)",
}
"""Brands of files that are built like a video and are none: MP4 registration authority's list
(mp4ra.org), checked 2026-11-29."""
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide")
"""First boxes of a file from before there was one that tells the type."""
_FILLERS = (b"free", b"skip", b"pnot", b"styp")
"""Boxes that may come before those; also words, so their length tells (below 16 MiB)."""
_EBML = b"\x1aE\xdf\xa3"
_TS_PACKET = 188
"""Bytes between the signs 0x47 of MPEG-TS (ITU-T H.222.0, 2.4.3.2)."""
_STARTS = (
    (b"%PDF-", "a PDF document"),
    (b"\x1aE\xdf\xa3", "a video (video/webm or Matroska)"),
    (b"FLV\x01", "a video (FLV)"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video or sound (WMV, ASF)"),
    (b"\x00\x00\x01\xba", "a video (MPEG-PS)"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"ID3", "a sound file (audio/mpeg)"),
    (b"OggS", "an Ogg file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
)


def image_mime(data: bytes) -> str | None:
    """The type of a picture that can be read here; ``None`` for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "image/tiff"
    if data.startswith(b"BM") and data[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    return None


def video_mime(head: bytes) -> str | None:
    """The type of a video file by its first HEAD bytes; ``None`` for everything else.

    An MP4 or QuickTime file begins with a box: its length, then its name.
    """
    if head[4:8] == b"ftyp":
        if head[8:12] in _STILLS:
            return None
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[4:8] in _OLD_QUICKTIME or (head[4:8] in _FILLERS and head[0] == 0):
        return "video/quicktime"
    if head.startswith(_EBML):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return None


def unreadable(data: bytes) -> str:
    """What a file is that is neither a picture nor a video that is read here, and the remedy."""
    if said := other_video(data):
        return said
    what = describe(data)
    why = "which is not read here" if "picture" in what else "not a picture"
    return f"it is {what}, {why}; give a JPEG, PNG, GIF or WebP picture"


def other_video(data: bytes) -> str | None:
    """The sentence for a video of a kind that is not read here; ``None`` for all else."""
    what = describe(data)
    return (
        f"it is {what}, which is not read here; give MP4, MOV or WebM" if "video" in what else None
    )


def describe(data: bytes) -> str:
    """In words what ``data`` looks like, with its article: ``an HTML page``."""
    for start, words in _STARTS:
        if data.startswith(start):
            return words
    if data[4:8] == b"ftyp":
        default = "a video (video/quicktime)" if data[8:12] == b"qt  " else "a video (video/mp4)"
        return _STILLS.get(data[8:12], default)
    if data[:1] == b"G" and data[_TS_PACKET : _TS_PACKET + 1] == b"G" == data[376:377]:
        return "a video (MPEG-TS)"
    if data.startswith(b"RIFF"):
        return {b"AVI ": "a video (video/x-msvideo)", b"WAVE": "a sound file (audio/wav)"}.get(
            data[8:12], "a RIFF file of an unknown kind"
        )
    head = data[:4096]
    if b"\x00" in head:
        return "unknown binary data"
    try:
        # The cut at 4096 may have gone through a character; its last three bytes prove nothing.
        text = head.decode("utf-8-sig", "strict" if len(data) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return "unknown binary data"
    start_of_text = text.lstrip()[:512].lower()
    if re.search(r"<svg[\s>]", text[:4096].lower()) and start_of_text.startswith("<"):
        return "an SVG drawing"
    if start_of_text.startswith(("<!doctype html", "<html", "<head", "<body")):
        return "an HTML page"
    if start_of_text.startswith("<?xml"):
        return "an XML file"
    if start_of_text.startswith(("{", "[")):
        return "a JSON file"
    return "a text file"


def in_bytes(size: int) -> str:
    """``size`` bytes for people: 12 bytes, 840 kB, 3.2 MB (powers of 1000)."""
    if size < 1000:
        return f"{size} bytes"
    if size < 999_500:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"

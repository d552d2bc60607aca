"""WebM and Matroska files as clips, through PyAV or ffprobe in a confined process."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InputError
from . import process
from .clip import Clip
from .colours import HDR_TRANSFERS
from .engine import HOW_TO_INSTALL, has_av

_HEADER = process.Bounds(wall=15, cpu=1, memory=512 * 1024 * 1024)
_SCAN = process.Bounds(wall=60, cpu=20, memory=512 * 1024 * 1024)
_HEAD = 4096
_SEGMENT = b"\x18\x53\x80\x67"
_MOST_LOST = 0.5
"""Seconds by which the last packet may end before the film."""
_DEPTHS = {"p9": 9, "p10": 10, "p12": 12, "p14": 14, "p16": 16}
_TAGS = (
    ("location", "place"),
    ("date", "date"),
    ("creation_time", "date"),
    ("comment", "comment"),
    ("description", "comment"),
    ("title", "title"),
    ("artist", "author"),
    ("copyright", "copyright"),
    ("chapters", "chapters"),
)
_TRACKS = {"picture_tracks": "video", "sound_tracks": "audio", "subtitle_tracks": "subtitle"}
_MEANINGLESS = {"encoder", "duration", "language", "alpha_mode"}
"""What every file says, or says of how to play it."""


def read_matroska(file: Path | bytes | BinaryIO, name: str, size: int) -> Clip:
    """Raises InputError, also where neither PyAV nor ffprobe is installed."""
    ffprobe = None if has_av() else process.program("ffprobe")
    if not has_av() and ffprobe is None:
        raise InputError(f"{name}: reading WebM and Matroska takes PyAV; {HOW_TO_INSTALL}")
    with _as_path(file) as path:
        try:
            read = _by_ffprobe if ffprobe else _by_av
            found = read(path, ffprobe or "")
        except process.Failed as failed:
            raise InputError(
                f"{name}: it is no whole WebM or Matroska video ({failed.reason});"
                " copy or export it again."
            ) from None
        head = _head(path)
    missing = missing_bytes(head, size)
    if missing or found["is_cut"]:
        raise InputError(
            f"{name}: it is truncated:"
            f" {f'{missing} bytes' if missing else 'its last pictures'} of it are missing;"
            " copy or export it again."
        )
    if not found["has_video"]:
        raise InputError(f"{name}: it has no video track; give a file with pictures.")
    if not (found["width"] and found["height"] and found["seconds"] and found["seconds"] > 0):
        raise InputError(f"{name}: it is damaged or has no pictures; copy or export it again.")
    brand = "webm" if b"webm" in head else "matroska"
    depth = next((bits for part, bits in _DEPTHS.items() if part in found["pixels"]), 8)
    chroma = {"420": "4:2:0", "422": "4:2:2", "444": "4:4:4"}
    audio = found.get("audio_codec")
    return Clip(
        mime="video/webm" if brand == "webm" else "video/x-matroska",
        brand=brand,
        seconds=found["seconds"],
        width=found["width"],
        height=found["height"],
        size=size,
        video_codec=_usual(found["codec"]),
        frame_rate=found["rate"],
        bit_depth=depth if found["pixels"] else None,
        chroma=next((words for part, words in chroma.items() if part in found["pixels"]), None),
        is_hdr=found["transfer"] in HDR_TRANSFERS,
        audio_codec=_usual(audio) if audio else None,
        audio_channels=found.get("channels"),
        sample_rate=found.get("sample_rate"),
        square_pixels=found["square"],
        metadata=_named(found["tags"]),
        picture_tracks=found["picture_tracks"],
        sound_tracks=found["sound_tracks"],
        subtitle_tracks=found["subtitle_tracks"],
    )


def _by_av(path: Path, _: str) -> dict[str, Any]:
    def probed(scan: bool, bounds: process.Bounds) -> dict[str, Any]:
        task = json.dumps({"task": "probe", "source": str(path), "scan": scan})
        found: dict[str, Any] = json.loads(
            process.run([*process.python("engine_av"), task], bounds)
        )
        return found | {"is_cut": False}

    found = probed(False, _HEADER)
    told = found["seconds"]
    # A browser that records does not know yet how long the film will be, nor how large.
    if found["has_video"] and (not told or segment(_head(path))[1] is None):
        found = probed(True, _SCAN)
        found["is_cut"] = bool(told) and found["seconds"] < told - _MOST_LOST
        found["seconds"] = told or found["seconds"]
    return found


def _by_ffprobe(path: Path, ffprobe: str) -> dict[str, Any]:
    command = [ffprobe, "-v", "error", "-protocol_whitelist", "file,pipe", "-f", "matroska"]
    shown = ["-show_format", "-show_streams", "-show_chapters", "-of", "json", f"file:{path}"]
    told = json.loads(process.run([*command, *shown], _HEADER))
    streams = told.get("streams", [])
    video = next((each for each in streams if each.get("codec_type") == "video"), None)
    audio = next((each for each in streams if each.get("codec_type") == "audio"), None)
    tags = set(told.get("format", {}).get("tags", {}))
    for stream in streams:
        tags |= set(stream.get("tags", {}))
    if told.get("chapters"):
        tags.add("chapters")
    seconds = told.get("format", {}).get("duration")
    found: dict[str, Any] = {"has_video": video is not None, "tags": sorted(tags), "is_cut": False}
    found["seconds"] = float(seconds) if seconds else None
    for name, kind in _TRACKS.items():
        found[name] = sum(
            each.get("codec_type") == kind and not each.get("disposition", {}).get("attached_pic")
            for each in streams
        )
    if video is not None:
        across, _, down = str(video.get("sample_aspect_ratio", "1:1")).partition(":")
        shape = int(across) / int(down) if across.isdigit() and down.isdigit() and int(down) else 1
        over, _, under = str(video.get("avg_frame_rate", "0/0")).partition("/")
        found |= {
            "width": round(video.get("width", 0) * (shape or 1)),
            "height": video.get("height", 0),
            "square": (shape or 1) == 1,
            "codec": video.get("codec_name", "?"),
            "pixels": video.get("pix_fmt", ""),
            "rate": int(over) / int(under) if under and int(under) and int(over) else None,
            "transfer": video.get("color_transfer", ""),
        }
    if audio is not None:
        rate = audio.get("sample_rate")
        found |= {"audio_codec": audio.get("codec_name"), "channels": audio.get("channels")}
        found["sample_rate"] = int(rate) if rate else None
    return found


@contextmanager
def _as_path(file: Path | bytes | BinaryIO) -> Iterator[Path]:
    if isinstance(file, Path):
        yield file.absolute()
        return
    with tempfile.NamedTemporaryFile(prefix="postkit-") as copy:
        if isinstance(file, bytes):
            copy.write(file)
        else:
            file.seek(0)
            shutil.copyfileobj(file, copy)
        copy.flush()
        yield Path(copy.name)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def missing_bytes(head: bytes, size: int) -> int:
    """How many bytes of the segment a file of ``size`` bytes lacks; 0 where it does not say."""
    start, length = segment(head)
    return 0 if length is None else max(0, start + length - size)


def segment(head: bytes) -> tuple[int, int | None]:
    """Where the segment's content begins, and its bytes: ``None`` where they are not told.

    Layout: RFC 8794 sections 4 to 6 (a size is a number whose leading zeros tell its length, all
    ones mean "unknown"), RFC 9559 section 5.1; checked 2026-11-29.
    """
    at = 4
    length, at = _number(head, at)
    at += length or 0
    if head[at : at + 4] != _SEGMENT:
        return at, None
    length, at = _number(head, at + 4)
    return at, length


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    width = 9 - data[at].bit_length() if at < len(data) and data[at] else 9
    if width > 8 or at + width > len(data):
        return None, at
    mask = (1 << 7 * width) - 1
    value = int.from_bytes(data[at : at + width], "big") & mask
    return None if value == mask else value, at + width


def _usual(codec: str) -> str:
    """The format's name, where that of a decoder is another."""
    name = codec.lower().removeprefix("lib").replace("dav1d", "av1").replace("vpx-vp9", "vp9")
    return "pcm" if name.startswith(("pcm_s", "pcm_f")) else name


def _named(tags: list[str]) -> tuple[str, ...]:
    names = set()
    for tag in (tag.lower() for tag in tags):
        if tag not in _MEANINGLESS and not tag.startswith(("_statistics", "number_of_", "bps")):
            names.add(next((name for part, name in _TAGS if part in tag), "application data"))
    return tuple(sorted(names))

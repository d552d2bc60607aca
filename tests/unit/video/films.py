"""Small films made by PyAV, and changes to their bytes that no writer makes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

OPTIONS = {
    "libx265": {"x265-params": "log-level=none"},
    "libsvtav1": {"svtav1-params": "lp=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}
FAST = {"movflags": "+faststart"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


@dataclass(frozen=True)
class Film:
    """``steps`` are the ticks of 1/600 s from picture to picture, instead of a steady rate."""

    format: str = "mp4"
    codec: str = "libx264"
    frames: int = 12
    rate: Fraction = Fraction(24)
    width: int = 64
    height: int = 48
    pixels: str = "yuv420p"
    audio: str | None = None
    layout: str = "stereo"
    sample_rate: int = 48_000
    steps: tuple[int, ...] = ()
    shape: Fraction | None = None
    videos: int = 1
    sounds: int = 1
    mux: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    change: Callable[[bytes], bytes] | None = None


def make(path: Path, film: Film) -> Path:
    with av.open(str(path), "w", format=film.format, options=film.mux) as target:
        target.metadata.update(film.tags)
        videos = [_video(target, film) for _ in range(film.videos)]
        sounds: list[Any] = []
        for _ in range(film.sounds if film.audio else 0):
            assert film.audio is not None
            sounds.append(target.add_stream(film.audio, rate=film.sample_rate, layout=film.layout))
        for stream in videos:
            _pictures(target, stream, film)
        for audio in sounds:
            _sound(target, audio, film)
    if film.change is not None:
        path.write_bytes(film.change(path.read_bytes()))
    return path


def _video(target: Any, film: Film) -> Any:
    options = OPTIONS.get(film.codec, {}) | film.code
    stream = target.add_stream(film.codec, rate=film.rate, options=options)
    # The threads of libvpx spin while they wait for each other, for minutes on a busy machine.
    stream.codec_context.thread_count = 1
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, film.pixels
    if film.shape:
        stream.codec_context.sample_aspect_ratio = film.shape
    if film.steps:
        stream.codec_context.time_base = Fraction(1, 600)
    return stream


def _pictures(target: Any, stream: Any, film: Film) -> None:
    """Red above, blue below at the left; green at the right: every turn looks different."""
    moment = 0
    for number in range(film.frames):
        frame = av.VideoFrame(film.width, film.height, "rgb24")
        plane: Any = frame.planes[0]
        half = film.width // 2
        right = bytes((0, 160, number * 5 % 60)) * (film.width - half)
        padding = bytes(plane.line_size - 3 * film.width)
        above = bytes((200, 0, 0)) * half + right + padding
        below = bytes((0, 0, 200)) * half + right + padding
        upper = film.height // 2
        plane.update(above * upper + below * (film.height - upper))
        frame = frame.reformat(format=film.pixels)
        if film.steps:
            frame.pts, frame.time_base = moment, Fraction(1, 600)
            moment += film.steps[number % len(film.steps)]
        else:
            frame.pts, frame.time_base = number, 1 / film.rate
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


def _sound(target: Any, stream: Any, film: Film) -> None:
    layout = film.layout
    kind = stream.codec_context.format.name
    seconds = sum((film.steps * film.frames)[: film.frames]) / 600 if film.steps else None
    length = seconds or float(film.frames / film.rate)
    for number in range(max(1, int(length * film.sample_rate / 960))):
        frame = av.AudioFrame(kind, layout, 960)
        frame.sample_rate, frame.pts = film.sample_rate, number * 960
        frame.time_base = Fraction(1, film.sample_rate)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))


def at(data: bytes, *path: str, skip: int = 0) -> int:
    """The offset of the box at ``path``; ``skip`` passes over as many of the first kind."""
    start, end = 0, len(data)
    for depth, kind in enumerate(path):
        left = skip if depth == len(path) - 2 or len(path) == 1 else 0
        while True:
            size, found = struct.unpack_from(">I4s", data, start)
            if found == kind.encode("latin-1"):
                if not left:
                    break
                left -= 1
            assert size >= 8, (path, start)
            start += size
            assert start < end, path
        if depth < len(path) - 1:
            end = start + size
            start += 8
    return start


def boundaries(data: bytes) -> list[int]:
    """Where every box begins, into the boxes of tables too."""
    found: list[int] = []

    def walk(start: int, end: int) -> None:
        while start + 8 <= end:
            size, kind = struct.unpack_from(">I4s", data, start)
            if size == 1:
                (size,) = struct.unpack_from(">Q", data, start + 8)
            found.append(start)
            if kind in b"moov trak mdia minf stbl edts dinf moof traf mvex udta".split():
                walk(start + 8, start + size)
            if size < 8:
                return
            start += size

    walk(0, len(data))
    return found


def with_bytes(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def subtitled(data: bytes) -> bytes:
    """The last track of AAC is called one of subtitles."""
    if data[:4] != b"\x1aE\xdf\xa3":
        handler = data.rindex(b"soun", 0, data.rindex(b"stsd"))
        return with_bytes(data, handler, b"sbtl")
    data = with_bytes(data, data.rindex(b"\x83\x81\x02"), b"\x83\x81\x11")
    return with_bytes(data, data.rindex(b"A_AAC"), b"S_ASS")


TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def turned(degrees: int, *, flip: bool = False) -> Callable[[bytes], bytes]:
    a, b, c, d = TURNS[degrees]
    if flip:
        a, b = -a, -b
    fields = struct.pack(">9i", *(n * 65536 for n in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)

    def change(data: bytes) -> bytes:
        return with_bytes(data, at(data, "moov", "trak", "tkhd") + 8 + 40, fields)

    return change


def with_long_mdat(data: bytes) -> bytes:
    """The 8 bytes of ``free`` that writers leave before mdat become its 64-bit size."""
    free, mdat = at(data, "free"), at(data, "mdat")
    assert mdat == free + 8
    (size,) = struct.unpack_from(">I", data, mdat)
    return with_bytes(data, free, struct.pack(">I4sQ", 1, b"mdat", size + 8))


def with_open_mdat(data: bytes) -> bytes:
    """mdat, the last box here, reaches to the end of the file."""
    return with_bytes(data, at(data, "mdat"), bytes(4))


def with_edit(seconds: Fraction) -> Callable[[bytes], bytes]:
    """The first edit of the first track shows that much (movie clock of 1/1000 s)."""

    def change(data: bytes) -> bytes:
        elst = at(data, "moov", "trak", "edts") + 8
        return with_bytes(data, elst + 16, struct.pack(">I", int(seconds * 1000)))

    return change


def with_top_box(kind: bytes, body: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data + struct.pack(">I4s", len(body) + 8, kind) + body


def disabled_first(data: bytes) -> bytes:
    tkhd = at(data, "moov", "trak", "tkhd")
    return with_bytes(data, tkhd + 9, bytes(3))


PHONE = {
    "location": "+48.1000+011.6000/",
    "creation_time": "2026-11-01T10:00:00Z",
    "comment": "at home",
    "title": "A title",
}
SOUND = Film(audio="aac")

FILMS: dict[str, Film] = {
    "plain": Film(),
    "with sound": SOUND,
    "mono": replace(SOUND, layout="mono"),
    "44100": replace(SOUND, sample_rate=44_100),
    "moov first": replace(SOUND, mux=FAST),
    "fragmented": replace(SOUND, mux=FRAGMENTS, code={"g": "4"}),
    "fragments, delayed moov": replace(
        SOUND, mux={"movflags": "frag_keyframe+delay_moov"}, code={"g": "4"}
    ),
    "fragments, mpeg4": Film(codec="mpeg4", mux=FRAGMENTS, code={"g": "6"}),
    "mov": replace(SOUND, format="mov"),
    "mov moov first": replace(SOUND, format="mov", mux=FAST),
    "mov pcm": Film(format="mov", audio="pcm_s16le"),
    "mov alac": Film(format="mov", audio="alac"),
    "mov mono pcm": Film(format="mov", audio="pcm_s16le", layout="mono", sample_rate=44_100),
    "turned 90": replace(SOUND, change=turned(90)),
    "turned 180": Film(change=turned(180)),
    "turned 270": Film(change=turned(270)),
    "turned 90 mov": Film(format="mov", mux=FAST, change=turned(90)),
    "turned 0": Film(change=turned(0)),
    "hevc": Film(codec="libx265"),
    "hevc 10 bits": Film(codec="libx265", pixels="yuv420p10le"),
    "av1": Film(codec="libsvtav1"),
    "vp9 in mp4": Film(codec="libvpx-vp9"),
    "mpeg4": Film(codec="mpeg4"),
    "mpeg4 with mp3": Film(codec="mpeg4", audio="libmp3lame"),
    "mjpeg": Film(codec="mjpeg", pixels="yuvj420p", format="mov"),
    "prores": Film(codec="prores_ks", format="mov", pixels="yuv422p10le"),
    "high 4:4:4": Film(pixels="yuv444p"),
    "high 10": Film(pixels="yuv420p10le"),
    "odd size": Film(width=65, height=49, pixels="yuv444p"),
    "odd size 4:2:0": Film(codec="mpeg4", width=67, height=51),
    "upright": Film(width=48, height=96),
    "one picture": Film(frames=1),
    "two pictures": Film(frames=2),
    "one minute at 1/4": Film(frames=15, rate=Fraction(1, 4)),
    "one hour at 1/300": Film(frames=12, rate=Fraction(1, 300)),
    "29.97": Film(rate=Fraction(30_000, 1001)),
    "59.94": Film(rate=Fraction(60_000, 1001), frames=60),
    "120": Film(rate=Fraction(120), frames=60),
    "variable": Film(steps=(20, 20, 60, 40)),
    "variable with sound": replace(SOUND, steps=(20, 20, 100), frames=24),
    "jitter": Film(steps=(20, 21, 19, 20)),
    "wide pixels": Film(shape=Fraction(4, 3)),
    "narrow pixels, turned": Film(shape=Fraction(3, 4), change=turned(90)),
    "half shown": Film(change=with_edit(Fraction(1, 4))),
    "no b pictures": Film(code={"bf": "0"}),
    "64-bit mdat": replace(SOUND, change=with_long_mdat),
    "open mdat": replace(SOUND, mux=FAST, change=with_open_mdat),
    "two videos": Film(videos=2),
    "eac3": Film(audio="eac3"),
    "opus": Film(audio="libopus"),
    "flac": Film(audio="flac"),
    "tagged": replace(SOUND, tags=PHONE),
    "tagged mov": replace(SOUND, format="mov", tags=PHONE),
    "long run of boxes": Film(mux=FRAGMENTS, frames=120, code={"g": "2"}),
    "trailing box": replace(SOUND, change=with_top_box(b"uuid", bytes(24))),
}

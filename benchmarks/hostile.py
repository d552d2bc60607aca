"""What it costs to refuse a file that was made to hurt: seconds of processor time, peak memory.

Each file is judged by a process of its own, as `publish` would judge it, its helpers counted in.
Prints a table, or JSON with ``--json``. The bounds that postkit sets itself are a second of
processor time, the start of the interpreter left out, and 256 MiB.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

MIB = 1024 * 1024


def zeros(count: int) -> bytes:
    """So many zeros as zlib packs them, from one packed megabyte: after a full flush each is the
    same. The check of zeros alone is their number (RFC 1950, Adler-32)."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    blocks, rest = divmod(count, MIB)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(bytes(rest)) + packer.flush()
    return b"\x78\xda" + block * blocks + end + struct.pack(">HH", count % 65_521, 1)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, more: bytes = b"") -> bytes:
    """A PNG of zeros: as small as a file of that many pixels can be."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    row = 1 + (width * depth * (3 if colour == 2 else 1) + 7) // 8
    body = zeros(row * height)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + more
        + chunk(b"IDAT", body)
        + chunk(b"IEND", b"")
    )


def still(kind: str, size: tuple[int, int] = (400, 300)) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind)
    return file.getvalue()


def gif(frames: int, size: tuple[int, int]) -> bytes:
    """A GIF whose frames are one colour each; each is packed into a few bytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("P", size).save(file, "GIF")
    whole = file.getvalue()
    start = whole.index(b"\x2c", 13)
    return whole[:start] + whole[start:-1] * frames + b"\x3b"


BLOCKS = 2 * MIB


def block_gif(block: bytes, *, comment: bool = False) -> bytes:
    """A GIF of one picture, or of a comment before it, in blocks of a byte each."""
    data = gif(1, (16, 16))
    at = data.index(b"\x2c", 13)
    start = data[:at] + (b"\x21\xfe" if comment else data[at : at + 11])
    return start + block * BLOCKS + b"\0" + (data[at:] if comment else b"\x3b")


def block_webp() -> bytes:
    """A WebP with boxes of nothing behind its picture."""
    body = still("WEBP", (16, 16))[8:] + b"abcd\0\0\0\0" * BLOCKS
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas_webp() -> bytes:
    """A moving WebP whose canvas is as large as one can be."""
    body = b"WEBP" + box_le(b"VP8X", b"\x02\0\0\0" + b"\xff" * 6) + box_le(b"ANIM", bytes(6))
    frame = bytes(6) + b"\xff\x3f\0" * 2 + bytes(4) + still("WEBP", (16, 16))[12:]
    body += box_le(b"ANMF", frame) * 2
    return box_le(b"RIFF", body)


def box_le(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def frame_gif() -> bytes:
    """A moving GIF whose first frame is larger than any screen."""
    data = bytearray(gif(2, (16, 16)))
    at = data.index(b"\x2c\0\0\0\0")
    struct.pack_into("<HH", data, at + 5, 65_000, 65_000)
    return bytes(data)


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(still("JPEG"))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def tiff(width: int, height: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "TIFF")
    data = bytearray(file.getvalue())
    (entries,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, entries)
    for number in range(count):
        place = entries + 2 + 12 * number
        tag = struct.unpack_from("<H", data, place)[0]
        if tag in (256, 257):
            struct.pack_into("<HHII", data, place, tag, 4, 1, width if tag == 256 else height)
    return bytes(data)


def exif_loop() -> bytes:
    """EXIF whose directories name each other for ever, and a value a gigabyte behind the end."""
    ifd = struct.pack("<H", 2)
    ifd += struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x010F, 2, 1 << 30, 1 << 30)
    block = b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd + struct.pack("<I", 8)
    data = still("JPEG")[:-4_000]  # truncated too, so that there is something to refuse
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def samples_without_end() -> bytes:
    """An MP4 whose table says that there are four billion samples."""
    stsz = box(b"stsz", struct.pack(">III", 0, 0, 0xFFFFFFFF))
    stbl = box(b"stbl", stsz)
    minf = box(b"minf", stbl)
    mdhd = box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1, 0xFFFFFFFF, 0, 0))
    hdlr = box(b"hdlr", struct.pack(">II4s", 0, 0, b"vide") + bytes(13))
    trak = box(b"trak", box(b"mdia", mdhd + hdlr + minf))
    mvhd = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1, 0xFFFFFFFF) + bytes(80))
    ftyp = box(b"ftyp", b"isom\0\0\2\0isomiso2")
    return ftyp + box(b"moov", mvhd + trak)


def deep() -> bytes:
    """Boxes in boxes in boxes."""
    body = b""
    for _ in range(5_000):
        body = box(b"moov", body)
    return box(b"ftyp", b"isom\0\0\2\0isomiso2") + body


FILES: dict[str, Callable[[], bytes]] = {
    "empty.jpg": bytes,
    "text.jpg": lambda: b"I am no picture",
    "page.png": lambda: b"<!doctype html><script>alert(1)</script>",
    "script.svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "entities.svg": lambda: b"<!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg>&a;</svg>",
    "drawing.eps": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
    "document.pdf": lambda: b"%PDF-1.7\n",
    "truncated.jpg": lambda: still("JPEG")[:9_000],
    "truncated.png": lambda: still("PNG")[:9_000],
    "truncated.gif": lambda: still("GIF")[:9_000],
    "truncated.webp": lambda: still("WEBP")[:9_000],
    "bits-20000.png": lambda: png(20_000, 20_000, depth=1, colour=0),
    "pixels-9460.png": lambda: png(9_460, 9_460),
    "pixels-13400.png": lambda: png(13_400, 13_400),
    "wide.png": lambda: png(2_000_000, 60, depth=1, colour=0),
    "header-65500.jpg": lambda: jpeg_header(65_500, 65_500),
    "header-40000.tif": lambda: tiff(40_000, 40_000),
    "profile.png": lambda: png(8, 8, more=chunk(b"iCCP", b"p\0\0" + zeros(512 * MIB)))[:-20],
    "comment.png": lambda: png(8, 8, more=chunk(b"zTXt", b"p\0\0" + zeros(512 * MIB)))[:-20],
    "comments.png": lambda: png(8, 8, more=chunk(b"tEXt", b"a\0b") * 200_000)[:-20],
    "frames-100000.gif": lambda: gif(100_000, (100, 100)),
    "frames-2000.gif": lambda: gif(2_000, (1_000, 1_000)),
    "frames-9000.gif": lambda: gif(9_000, (100, 100)),
    "truncated-9000.gif": lambda: gif(9_000, (100, 100))[:-40_000],
    "blocks.gif": lambda: block_gif(b"\1\0"),
    "comment.gif": lambda: block_gif(b"\1A", comment=True),
    "blocks.png": lambda: png(8, 8, more=chunk(b"tEXt", b"") * BLOCKS),
    "blocks.jpg": lambda: still("JPEG").replace(
        b"\xff\xd8", b"\xff\xd8" + b"\xff\xfe\0\2" * BLOCKS, 1
    ),
    "blocks.webp": block_webp,
    "canvas.webp": canvas_webp,
    "frame.gif": frame_gif,
    "exif.jpg": exif_loop,
    "heic.heic": lambda: box(b"ftyp", b"heic\0\0\0\0mif1heic"),
    "samples.mp4": samples_without_end,
    "deep.mp4": deep,
    "no-index.mp4": lambda: box(b"ftyp", b"isom\0\0\2\0isomiso2") + box(b"mdat", bytes(100_000)),
    "huge-box.mp4": lambda: box(b"ftyp", b"isom\0\0\2\0isomiso2") + b"\xff\xff\xff\xffmoov",
    "playlist.mp4": lambda: b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat.mp4": lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
    "quick.mov": lambda: box(b"wide", b"") + box(b"mdat", bytes(9)),
    "noise.webm": lambda: b"\x1aE\xdf\xa3" + bytes(range(256)) * 40,
}
SPARSE = "sparse.mp4"
"""Four gigabytes of nothing behind a beginning that looks like a video."""


AS_VIDEO = "--as-video"
"""Where animated pictures can be sent as videos alone."""


def judge(path: Path, *, as_video: bool) -> None:
    """In a process of its own: print what postkit says, and what that has cost."""
    from datetime import date

    from postkit.adapt.default import adapt
    from postkit.errors import InputError
    from postkit.limits.counters import CodePoints
    from postkit.limits.entities import EntityRules
    from postkit.limits.model import ImageLimit, Limits, Source, TextLimit, VideoLimit
    from postkit.network import CannotRender, RenderOptions
    from postkit.post import Media, Post

    source = Source("this benchmark", date(2026, 11, 29))
    limits = Limits(
        source,
        (TextLimit(CodePoints(), 280, source),),
        EntityRules(),
        threads=False,
        media_count=4,
        image=ImageLimit(("image/jpeg", "image/png"), 1_000_000, source, max_width=2048),
        animation=None
        if as_video
        else ImageLimit(("image/gif",), 15_000_000, source, max_frames=350),
        video=VideoLimit(("video/mp4",), 512_000_000, source, max_seconds=140),
    )
    before = _spent()
    said: list[str] = []
    try:
        adapt("nowhere", Post("x", media=[Media(path)]), limits, RenderOptions())
    except CannotRender as error:
        said = list(error.reasons)
    except InputError as error:
        said = list(error.problems)
    from postkit.adapt.images import _SANDBOX

    _SANDBOX.close()  # its costs count once it has ended
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    sys.stdout.write(
        json.dumps({"said": said, "cpu": round(_spent() - before, 3), "mib": peak // 1024})
    )


def _spent() -> float:
    found = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        found += usage.ru_utime + usage.ru_stime
    return found


def results() -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        for name, make in FILES.items():
            path = Path(folder) / name
            path.write_bytes(make())
            yield {"file": name, **_judged(path)}
            if path.suffix == ".gif":
                yield {"file": f"{name} as video", **_judged(path, AS_VIDEO)}
        path = Path(folder) / SPARSE
        with path.open("wb") as file:
            file.write(box(b"ftyp", b"isom\0\0\2\0isomiso2"))
            file.truncate(4 * 1024 * MIB)
        yield {"file": SPARSE, **_judged(path)}


def _judged(path: Path, *how: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, __file__, "--judge", str(path), *how],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        return {"said": [], "error": done.stderr[-400:], "cpu": None, "mib": None}
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    if sys.argv[1:2] == ["--judge"]:
        return judge(Path(sys.argv[2]), as_video=AS_VIDEO in sys.argv)
    rows = list(results())
    if sys.argv[1:] == ["--json"]:
        sys.stdout.write(json.dumps(rows) + "\n")
        return None
    for row in rows:
        said = "; ".join(map(str, row["said"])) if isinstance(row["said"], list) else ""
        sys.stdout.write(f"{row['file']:28} {row['cpu']!s:>6} s {row['mib']!s:>4} MiB  {said}\n")
    return None


if __name__ == "__main__":
    main()

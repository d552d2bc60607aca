"""What it costs to know a video: the reader of boxes against PyAV's open and probe.

Makes five files with PyAV, reads each many times by turns, and prints the medians in microseconds
as JSON, with the peak memory in MiB that reading a sparse file of 4 GiB adds.
"""

from __future__ import annotations

import json
import resource
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from postkit.video.probe import probe

RUNS = 101
CASES: dict[str, dict[str, Any]] = {
    "2 s": {"frames": 60},
    "2 s, sound, moov first": {"frames": 60, "sound": True, "mux": {"movflags": "+faststart"}},
    "10 min": {"frames": 18_000},
    "10 min, variable rate": {"frames": 18_000, "variable": True},
    "2 min in 240 fragments": {
        "frames": 3600,
        "mux": {"movflags": "frag_keyframe+empty_moov"},
        "code": {"g": "15"},
    },
}


def make(
    path: Path,
    *,
    frames: int,
    sound: bool = False,
    variable: bool = False,
    mux: dict[str, str] | None = None,
    code: dict[str, str] | None = None,
) -> None:
    with av.open(str(path), "w", format="mp4", options=mux or {}) as target:
        options = {"preset": "ultrafast", **(code or {})}
        video: Any = target.add_stream("libx264", rate=30, options=options)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 600)
        audio: Any = target.add_stream("aac", rate=48_000, layout="stereo") if sound else None
        frame = av.VideoFrame(64, 48, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(frames):
            frame.pts = number * 20 + (number * 7 % 5 if variable else 0)
            frame.time_base = Fraction(1, 600)
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
        if audio is not None:
            for number in range(frames * 1600 // 1024):
                block = av.AudioFrame("fltp", "stereo", 1024)
                block.sample_rate, block.pts = 48_000, number * 1024
                for each in block.planes:
                    each.update(bytes(each.buffer_size))
                target.mux(audio.encode(block))
            target.mux(audio.encode(None))


def by_av(path: Path) -> None:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        _ = (container.duration, video.width, video.height, video.average_rate, video.codec.name)


def by_boxes(path: Path) -> None:
    probe(path, path.name)


def microseconds(work: Callable[[Path], None], path: Path) -> float:
    started = time.perf_counter()
    work(path)
    return (time.perf_counter() - started) * 1_000_000


def sparse(path: Path, source: Path) -> float:
    """MiB of peak memory that a file of 4 GiB with its tables at the end adds."""
    data = source.read_bytes()
    mdat = data.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", data, mdat)
    length = 4 * 1024**3
    with path.open("wb") as file:
        file.write(data[:mdat] + struct.pack(">I4sQ", 1, b"mdat", length))
        file.seek(mdat + length)
        file.write(data[mdat + size :])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    by_boxes(path)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, case) in enumerate(CASES.items()):
            path = Path(folder) / f"{number}.mp4"
            make(path, **case)
            times: dict[str, list[float]] = {"boxes": [], "PyAV": []}
            for _ in range(RUNS):
                times["boxes"].append(microseconds(by_boxes, path))
                times["PyAV"].append(microseconds(by_av, path))
            found[name] = {each: round(statistics.median(t)) for each, t in times.items()}
        big = Path(folder) / "sparse.mp4"
        added = sparse(big, Path(folder) / "0.mp4")
        found["4 GiB sparse"] = {
            "boxes": round(microseconds(by_boxes, big)),
            "MiB": round(added, 1),
        }
    print(json.dumps(found, indent=1))  # noqa: T201 - the result


if __name__ == "__main__":
    main()

"""Whether a film is for screens of high contrast, where its container does not say so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from . import process
from .clip import Clip
from .engine import has_av
from .recipe import FORMATS

HDR_TRANSFERS = frozenset((16, 18, "smpte2084", "arib-std-b67"))
"""PQ and HLG: ITU-T H.273 table 3, and ffmpeg's names."""
_BOUNDS = process.Bounds(wall=30, cpu=10, memory=1024**3)


def looked_at(clip: Clip, source: Path) -> Clip:
    """``clip`` with what its first picture says of its colours; by the engine, confined.

    A picture that cannot be decoded says nothing: the conversion has the word on it.
    """
    if clip.is_hdr or clip.mime not in FORMATS:
        return clip
    try:
        transfer = _by_av(clip, source) if has_av() else _by_ffprobe(clip, source)
    except process.Failed:
        return clip
    return replace(clip, is_hdr=transfer in HDR_TRANSFERS)


def _by_av(clip: Clip, source: Path) -> int | None:
    task: dict[str, str | int | None] = {"task": "colours", "source": str(source.absolute())}
    task |= {"format": FORMATS[clip.mime], "video_track": clip.video_track}
    told = process.run([*process.python("engine_av"), json.dumps(task)], _BOUNDS)
    transfer: int | None = json.loads(told)
    return transfer


def _by_ffprobe(clip: Clip, source: Path) -> str | None:
    ffprobe = process.program("ffprobe")
    if ffprobe is None:
        return None
    command = [ffprobe, "-v", "error", "-protocol_whitelist", "file,pipe"]
    command += ["-f", FORMATS[clip.mime], "-select_streams", "v:0", "-read_intervals", "%+#1"]
    command += ["-show_entries", "frame=color_transfer", "-of", "json"]
    told = json.loads(process.run([*command, f"file:{source.absolute()}"], _BOUNDS))
    return next((each.get("color_transfer") for each in told.get("frames", [])), None)

"""What is known of a video before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rotation = Literal[0, 90, 180, 270]


@dataclass(frozen=True, slots=True)
class Clip:
    """One video file, described by its own tables; nothing of it was decoded.

    ``mime`` is video/mp4, video/quicktime, video/webm or video/x-matroska by the bytes, never by
    the name; ``brand`` is the major brand of an MP4 or the document type of a Matroska file.
    ``seconds`` is how long it plays, edit lists applied. ``width`` and ``height`` are pixels as
    displayed: after the pixels' shape and ``rotation`` (degrees clockwise that a player turns
    the pictures; ``mirrored``: it flips them left to right first).

    ``frame_rate`` is the average per second, ``None`` where it is not told; ``is_variable``
    whether frames last more than a tenth longer than others. Codecs have their usual lower-case
    names (h264, hevc, av1, vp9, prores, aac, opus; every uncompressed sound is pcm).
    ``bit_depth``, ``chroma`` (4:2:0) and ``profile`` are ``None`` where the file does not say.
    ``bit_rate`` is bits per second over the whole file, ``size`` bytes.

    ``is_he_aac``: the file says that its AAC is of high efficiency; some that is does not say so.
    ``square_pixels`` is false where the stored pixels are wider or narrower than high.

    ``fast_start``: playing can start before the whole file is there. ``metadata`` names what
    the file tells beside its pictures and sound: place, date, camera, comment and others.
    ``video_track`` and ``audio_track`` are the ids of the tracks that are meant;
    ``picture_tracks``, ``sound_tracks`` and ``subtitle_tracks`` count all that have something.
    """

    mime: str
    brand: str
    seconds: float
    width: int
    height: int
    size: int
    video_codec: str
    rotation: Rotation = 0
    mirrored: bool = False
    frame_rate: float | None = None
    is_variable: bool = False
    profile: str | None = None
    bit_depth: int | None = None
    chroma: str | None = None
    is_hdr: bool = False
    audio_codec: str | None = None
    audio_channels: int | None = None
    is_he_aac: bool = False
    sample_rate: int | None = None
    fast_start: bool = True
    is_fragmented: bool = False
    metadata: tuple[str, ...] = ()
    video_track: int | None = None
    audio_track: int | None = None
    square_pixels: bool = True
    picture_tracks: int = 1
    sound_tracks: int = 0
    subtitle_tracks: int = 0

    @property
    def bit_rate(self) -> int:
        """Bits per second over the whole file; 0 for a file without a duration."""
        return round(self.size * 8 / self.seconds) if self.seconds else 0

    @property
    def ratio(self) -> float:
        """Width over height, as displayed."""
        return self.width / self.height

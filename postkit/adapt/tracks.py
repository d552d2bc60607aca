"""What a conversion does to a video's tracks, in words: which are dropped, which are made less."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..video.clip import Clip


def dropped(clip: Clip) -> tuple[str, ...]:
    """A conversion takes one track of pictures and one of sound; each kind that lacks some."""
    losses = []
    for kind, count in (("picture", clip.picture_tracks), ("sound", clip.sound_tracks)):
        if count > 1:
            verb = "is" if count == 2 else "are"
            losses.append(f"{count - 1} of {count} {kind} tracks {verb} not sent")
    if clip.subtitle_tracks:
        many = f" in {clip.subtitle_tracks} tracks" if clip.subtitle_tracks > 1 else ""
        losses.append(f"its subtitles{many} are not sent")
    return tuple(losses)


def converted(clip: Clip, made: Clip) -> tuple[str, ...]:
    """What of the colours and of the sound of ``clip`` is less in ``made``."""
    changes = []
    if clip.is_hdr and not made.is_hdr:
        changes.append("high dynamic range -> standard (BT.709)")
    before, after = clip.audio_channels, made.audio_channels
    if before and after and before != after:
        changes.append(f"sound of {before} channels -> {after}")
    rate, made_rate = clip.sample_rate, made.sample_rate
    if rate and made_rate and rate != made_rate:
        changes.append(f"sound of {rate} Hz -> {made_rate} Hz")
    return tuple(changes)

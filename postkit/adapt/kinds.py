"""What a medium is: a picture, a picture that moves, or a video."""

from __future__ import annotations

from ..limits.model import Limits
from ..post import Media
from ..rendition import MediaKind
from .filetype import HEAD, image_mime, video_mime
from .picture import is_animated

WORDS: dict[MediaKind, tuple[str, str]] = {
    "image": ("picture", "pictures"),
    "animation": ("animated picture", "animated pictures"),
    "video": ("video", "videos"),
}


def kind_of(media: Media) -> MediaKind:
    """By its bytes, of which no pixel is decoded: ``Media.kind`` keeps it. What is neither counts
    as a picture, and is refused as one. Raises InputError where the file cannot be read."""
    if video_mime(media.head(HEAD)) is not None:
        return "video"
    data = media.read()
    return "animation" if is_animated(data, image_mime(data)) else "image"


def sent_as(kind: MediaKind, limits: Limits) -> MediaKind | None:
    """What becomes of ``kind`` under ``limits``; None where nothing of the kind can be sent."""
    if kind == "video":
        return "video" if limits.video is not None else None
    if kind == "animation":
        if limits.animation is not None:
            return "animation"
        if limits.video is not None:
            return "video"
    return "image" if limits.media_count > 0 and limits.image is not None else None


def in_words(kinds: list[MediaKind]) -> str:
    """``2 pictures and 1 video``."""
    parts = [
        f"{count} {WORDS[kind][count > 1]}" for kind in WORDS if (count := kinds.count(kind)) > 0
    ]
    return " and ".join(parts)

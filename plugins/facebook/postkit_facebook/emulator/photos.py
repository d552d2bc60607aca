"""Photos of the Page: unpublished until a post shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from postkit.emulator.media import NotAnImage, examine
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from .answers import refusal

MAX_BYTES = 4_000_000
"""4 MB by the Page photos reference, in its strictest reading."""
TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff"})


@dataclass(frozen=True, slots=True)
class Photo:
    """``used`` once a post shows it: no second post may."""

    media: ShownMedia
    used: bool = False


class Photos:
    """All photos by id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._photos: dict[str, Photo] = {}

    def add(self, data: bytes, alt: str) -> Photo:
        """Check and keep a photo. Refuses by size, type, and what cannot be decoded."""
        if len(data) > MAX_BYTES:
            raise _unusable("the file is larger than 4 MB")
        try:
            picture = examine(data)
        except NotAnImage:
            raise refusal("Invalid image file", 100, subcode=2069019) from None
        if picture.mime not in TYPES:
            raise _unusable("the file is no JPEG, BMP, PNG, GIF or TIFF")
        stored = self._world.media.add(data, picture.mime)
        number = str(220_000_000_000_000 + self._world.number())
        photo = Photo(
            ShownMedia(stored.sha256, picture.mime, picture.width, picture.height, alt, number)
        )
        self._photos[number] = photo
        return photo

    def get(self, photo_id: str) -> Photo | None:
        return self._photos.get(photo_id)

    def attach(self, photo_ids: Sequence[str]) -> tuple[ShownMedia, ...]:
        """Use unpublished photos for a post. Refuses unknown ones and those that are used."""
        found = []
        for photo_id in dict.fromkeys(photo_ids):
            photo = self._photos.get(photo_id)
            if photo is None or photo.used:
                raise refusal(
                    f"(#100) Invalid parameter: media_fbid {photo_id} is no unpublished photo", 100
                )
            found.append(photo)
        for photo in found:
            self._photos[photo.media.id] = replace(photo, used=True)
        return tuple(photo.media for photo in found)

    def clear(self) -> None:
        self._photos.clear()


def attached(params: Mapping[str, Any]) -> list[str]:
    """The photo ids of ``attached_media``: one JSON list, or numbered JSON objects."""
    whole = params.get("attached_media")
    rows: list[Any]
    try:
        if whole is not None:
            rows = json.loads(whole) if isinstance(whole, str) else whole
        else:
            names = [name for name in params if name.startswith("attached_media[")]
            rows = [json.loads(params[name]) for name in names]
        return [str(row["media_fbid"]) for row in rows]
    except (ValueError, TypeError, KeyError):
        raise refusal("(#100) param attached_media must be an array.", 100) from None


def _unusable(why: str) -> Exception:
    return refusal(
        "Invalid parameter",
        100,
        subcode=1366046,
        title="The file cannot be read",
        advice=f"The photo was not uploaded: {why}.",
    )

"""Uploads: kept by content, forgotten where no record names them in time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postkit.emulator.media import NotAnImage, NotAVideo, examine, examine_video
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from .answers import invalid, problem
from .cid import cid_of_bytes

UPLOAD_LIMIT = 5_242_880
"""Bytes: the default of a PDS; the public service takes more."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class Blob:
    cid: str
    mime: str
    size: int
    sha256: str
    at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "$type": "blob",
            "ref": {"$link": self.cid},
            "mimeType": self.mime,
            "size": self.size,
        }


class Blobs:
    """``life``: seconds for which an upload that no record names is kept."""

    def __init__(self, world: World, life: Callable[[], float]) -> None:
        self._world = world
        self._life = life
        self._blobs: dict[str, Blob] = {}
        self._named: set[str] = set()

    def clear(self) -> None:
        self._blobs.clear()
        self._named.clear()

    def add(self, data: bytes, declared: str) -> Blob:
        """Nothing is decoded: a known type is read from the first bytes, else it is as declared."""
        mime = _sniffed(data) or declared.partition(";")[0].strip().lower()
        stored = self._world.media.add(data, mime)
        blob = Blob(cid_of_bytes(data), mime, len(data), stored.sha256, self._world.clock.now())
        self._blobs[blob.cid] = blob
        return blob

    def check(self, reference: dict[str, Any]) -> None:
        """Whether a record may name it. Raises Refusal."""
        cid = str(reference["ref"]["$link"])
        blob = self._find(cid)
        if blob is None:
            raise problem(400, "BlobNotFound", f"Could not find blob: {cid}")
        if reference["size"] != blob.size:
            raise problem(
                400,
                "InvalidSize",
                "Referenced Size does not match stored blob. "
                f"Expected: {blob.size}, Got: {reference['size']}",
            )
        self._named.add(cid)

    def has(self, cid: str) -> bool:
        """Whether a record could name it now."""
        return self._find(cid) is not None

    def shown(self, reference: dict[str, Any], said: dict[str, Any] | None = None) -> ShownMedia:
        """What a record names as the page shows it: its own size, else the one that was said."""
        said = said or {}
        blob = self._blobs[str(reference["ref"]["$link"])]
        stored = self._world.media.get(blob.sha256)
        ratio = said.get("aspectRatio") or {"width": 1, "height": 1}
        width, height = int(ratio["width"]), int(ratio["height"])
        data = stored.data if stored else b""
        with contextlib.suppress(NotAnImage, NotAVideo):
            found = examine_video(data) if blob.mime == "video/mp4" else examine(data)
            width, height = found.width, found.height
        alt = str(said.get("alt", ""))
        return ShownMedia(blob.sha256, blob.mime, width, height, alt, blob.cid)

    def _find(self, cid: str) -> Blob | None:
        blob = self._blobs.get(cid)
        if blob is None or cid in self._named:
            return blob
        age = (self._world.clock.now() - blob.at).total_seconds()
        return blob if age <= self._life() else None


def check_upload(data: bytes, declared: str) -> None:
    """What is refused before anything is counted. Raises Refusal."""
    if len(data) > UPLOAD_LIMIT:
        raise problem(413, "PayloadTooLarge", "request entity too large")
    if not declared:
        raise invalid("Request encoding (Content-Type) required but not provided")


def _sniffed(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for start, mime in _SIGNATURES if data.startswith(start)), None)

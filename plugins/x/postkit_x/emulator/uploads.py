"""Media: the simple upload of images, what is ready to be posted, and alternative texts."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.media import NotAnImage, Picture, examine
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from . import schema
from .problems import invalid

LIFE = timedelta(hours=24)
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
IMAGE_BYTES = 5_000_000
"""5 MB, read in favour of the client."""
GIF_BYTES = 15_728_640
GIF_WIDTH, GIF_HEIGHT, GIF_FRAMES = 1280, 1080, 350
KEY_PREFIX = {"tweet_image": "3", "tweet_gif": "16", "tweet_video": "7"}
SIMPLE = ("tweet_image", "tweet_gif")


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. ``key`` is what lists name it by; before ``ready`` it cannot be posted."""

    id: str
    key: str
    category: str
    shown: ShownMedia
    until: datetime
    ready: datetime | None = None


class Uploads:
    """The uploads of the emulated user; each lives for a day."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._uploads: dict[str, Upload] = {}

    def clear(self) -> None:
        self._uploads.clear()

    def get(self, media_id: str) -> Upload | None:
        """The upload of that id, unless its time is over or is still to come."""
        upload, now = self._uploads.get(media_id), self._world.clock.now()
        if upload is None or upload.until <= now or (upload.ready and upload.ready > now):
            return None
        return upload

    def add(self, upload: Upload) -> None:
        self._uploads[upload.id] = upload

    async def upload(self, request: Request) -> Response:
        """POST /2/media/upload, with the bytes in a form or as base64 in JSON."""
        data, category = await _read(request)
        if category not in SIMPLE:
            return _later(f"media_category={category}")
        picture = checked(data, category)
        stored = self._world.media.add(data, picture.mime)
        number = self._world.number()
        media_id = str(1_900_000_000_000_000_000 + number)
        upload = Upload(
            media_id,
            f"{KEY_PREFIX[category]}_{media_id}",
            category,
            ShownMedia(stored.sha256, picture.mime, picture.width, picture.height, id=media_id),
            self._world.clock.now() + LIFE,
        )
        self._uploads[media_id] = upload
        return JSONResponse(
            {
                "data": {
                    "id": media_id,
                    "media_key": upload.key,
                    "size": len(data),
                    "expires_after_secs": int(LIFE.total_seconds()),
                    "image": {
                        "h": picture.height,
                        "w": picture.width,
                        "image_type": picture.mime,
                    },
                }
            }
        )

    async def metadata(self, request: Request) -> Response:
        """POST /2/media/metadata."""
        body = await request.json()
        if mistakes := list(schema.METADATA("", body)):
            raise invalid(mistakes, body if isinstance(body, dict) else {})
        upload = self.get(body["id"])
        if upload is None:
            raise invalid([("id", "Your media ID is invalid.")], body)
        alt = body.get("metadata", {}).get("alt_text", {}).get("text", "")
        shown = ShownMedia(
            upload.shown.sha256,
            upload.shown.mime,
            upload.shown.width,
            upload.shown.height,
            alt,
            upload.id,
        )
        self._uploads[upload.id] = replace(upload, shown=shown)
        return JSONResponse(
            {"data": {"id": upload.id, "associated_metadata": {"alt_text": {"text": alt}}}}
        )


async def _read(request: Request) -> tuple[bytes, str]:
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await request.json()
        if mistakes := list(schema.UPLOAD("", body)):
            raise invalid(mistakes, {})
        try:
            return base64.b64decode(body["media"], validate=True), body["media_category"]
        except ValueError:
            raise invalid([("media", "$.media: is not base64")], {}) from None
    async with request.form() as form:
        if "command" in form:
            raise Refusal(_later(f"command={form['command']}"))
        media, category = form.get("media"), form.get("media_category")
        given: dict[str, Any] = {}
        if category is not None:
            given["media_category"] = category
        if media is not None:
            given["media"] = "a file"
        if mistakes := list(schema.UPLOAD("", given)):
            raise invalid(mistakes, given)
        data = await media.read() if isinstance(media, UploadFile) else _decoded(str(media))
        return data, str(category)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise invalid([("media", "$.media: is no file")], {}) from None


def checked(data: bytes, category: str) -> Picture:
    """What the image is. Raises the refusal of one that X does not take."""
    most = GIF_BYTES if category == "tweet_gif" else IMAGE_BYTES
    if len(data) > most:
        raise _media_refused(f"The size of the file is {len(data)} bytes; it must be <= {most}.")
    try:
        picture = examine(data)
    except NotAnImage:
        raise _media_refused("The file is no image that can be decoded.") from None
    kinds = ("image/gif",) if category == "tweet_gif" else IMAGES
    if picture.mime not in kinds:
        raise _media_refused(f"The media type {picture.mime} is not supported for {category}.")
    if category == "tweet_gif" and (
        picture.width > GIF_WIDTH or picture.height > GIF_HEIGHT or picture.frames > GIF_FRAMES
    ):
        raise _media_refused(
            f"A GIF is at most {GIF_WIDTH}x{GIF_HEIGHT} pixels with {GIF_FRAMES} frames."
        )
    return picture


def _media_refused(text: str) -> Refusal:
    return invalid([("media", text)], {})


def _later(what: str) -> Response:
    return JSONResponse({"postkit_emulator": f"{what} of x is not emulated yet."}, 501)

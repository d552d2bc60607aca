"""Uploads: checked, worked at, kept until a status attaches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.media import NotAnImage, NotAVideo, examine, examine_video
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from .answers import (
    IMAGE_TYPES,
    MAX_DESCRIPTION,
    MAX_GIF_PIXELS,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_MEDIA,
    MAX_VIDEO_PIXELS,
    MAX_VIDEO_RATE,
    VIDEO_TYPES,
    attachment,
    error,
    invalid,
    not_emulated,
    not_found,
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file. Where it ``moves`` it is converted, and stands alone; ``ready`` is when the server
    is done with it, ``fails`` how that ends."""

    shown: ShownMedia
    moves: bool
    ready: datetime
    fails: bool = False


class Uploads:
    """Media that belong to no status yet, by id. Bytes are kept as they came: a real server
    converts them, but then nobody could compare what was sent.

    ``setting`` reads a setting of the emulator by its name.
    """

    def __init__(self, world: World, setting: Callable[[str], Any]) -> None:
        self._world = world
        self._setting = setting
        self._loose: dict[str, Upload] = {}

    def clear(self) -> None:
        self._loose.clear()

    async def upload(self, request: Request) -> Response:
        """POST /api/v2/media: 200 for pictures, 202 for what has to be converted first."""
        async with request.form() as form:
            file = form.get("file")
            description = form.get("description")
            focus = form.get("focus")
            if not isinstance(file, UploadFile):
                raise invalid("File can't be blank")
            data = await file.read()
            declared = file.content_type or ""
        self._check_focus(focus)
        alt = self._description(description)
        found, moves = self._checked(data, declared)
        stored = self._world.media.add(data, found.mime)
        number = str(109_400_000_000_000_000 + self._world.number())
        shown = replace(found, sha256=stored.sha256, alt=alt, id=number)
        now = self._world.clock.now()
        if not moves:
            self._loose[number] = Upload(shown, moves, now)
            return self._answer(self._loose[number])
        ready = now + timedelta(seconds=self._setting("processing"))
        self._loose[number] = Upload(shown, moves, ready, bool(self._setting("processing_fails")))
        return JSONResponse(attachment(shown, self._world.base_url, ready=False), 202)

    async def show(self, request: Request) -> Response:
        """GET /api/v1/media/:id, while it belongs to no status."""
        return self._answer(self._find(request))

    async def change(self, request: Request) -> Response:
        """PUT /api/v1/media/:id: the description or the focus, before it is attached."""
        upload = self._find(request)
        kind = request.headers.get("content-type", "")
        if kind.startswith("application/json"):
            fields = await request.json()
            if not isinstance(fields, dict):
                raise error(400, "The request must be a JSON object")
        else:
            async with request.form() as form:
                fields = dict(form)
        self._check_focus(fields.get("focus"))
        if "description" in fields:
            alt = self._description(fields["description"])
            upload = replace(upload, shown=replace(upload.shown, alt=alt))
            self._loose[upload.shown.id] = upload
        return self._answer(upload)

    def look(self, ids: tuple[str, ...]) -> tuple[ShownMedia, ...]:
        """The media of a new status. Raises Refusal where one is missing or not ready, or where
        they do not mix."""
        if len(ids) > MAX_MEDIA:
            raise error(422, f"Cannot attach more than {MAX_MEDIA} files")
        missing = [name for name in ids if name not in self._loose]
        if missing:
            text = f"Media {', '.join(missing)} not found or already attached to another post"
            raise error(422, text)
        uploads = [self._loose[name] for name in ids]
        if len(uploads) > 1 and any(one.moves for one in uploads):
            raise error(422, "Cannot attach a video to a post that already contains images")
        if any(one.fails or not self._is_ready(one) for one in uploads):
            text = "Cannot attach files that have not finished processing. Try again in a moment!"
            raise error(422, text)
        return tuple(one.shown for one in uploads)

    def take(self, media: tuple[ShownMedia, ...]) -> None:
        """They belong to a status now."""
        for one in media:
            self._loose.pop(one.id, None)

    def _find(self, request: Request) -> Upload:
        """Raises Refusal where there is none, and where it could not be processed."""
        upload = self._loose.get(request.path_params["id"])
        if upload is None:
            raise not_found()
        if upload.fails and self._is_ready(upload):
            raise error(422, "Error processing thumbnail for uploaded media")
        return upload

    def _is_ready(self, upload: Upload) -> bool:
        return upload.ready <= self._world.clock.now()

    def _answer(self, upload: Upload) -> Response:
        ready = self._is_ready(upload)
        body = attachment(upload.shown, self._world.base_url, ready=ready)
        return JSONResponse(body, 200 if ready else 206)

    def _checked(self, data: bytes, declared: str) -> tuple[ShownMedia, bool]:
        """What the file is, and whether it moves. Raises Refusal for what is not taken."""
        if not data:
            raise invalid("File can't be blank")
        if declared.startswith("audio/"):
            raise not_emulated(f"The upload of {declared}")
        if declared.startswith("video/"):
            return _video(data, self._setting("video_size_limit")), True
        return _picture(data)

    def _description(self, value: object) -> str:
        text = str(value or "")
        if len(text) > MAX_DESCRIPTION:
            raise invalid(f"Description is too long (maximum is {MAX_DESCRIPTION} characters)")
        return text

    def _check_focus(self, value: object) -> None:
        if value in (None, ""):
            return
        try:
            across, down = (float(part) for part in str(value).split(","))
        except ValueError:
            across = down = 2.0
        if not (-1 <= across <= 1 and -1 <= down <= 1):
            raise invalid("Focus is invalid")


def _picture(data: bytes) -> tuple[ShownMedia, bool]:
    if len(data) > MAX_IMAGE_BYTES:
        raise invalid("File file size must be less than 16 MB")
    try:
        picture = examine(data)
    except NotAnImage as problem:
        raise invalid("File content type is invalid", "File is invalid") from problem
    if picture.mime not in IMAGE_TYPES:
        raise invalid("File content type is invalid", "File is invalid")
    pixels = picture.width * picture.height
    if picture.mime == "image/gif" and pixels > MAX_GIF_PIXELS:
        raise error(422, f"{picture.width}x{picture.height} GIF files are not supported")
    if pixels > MAX_IMAGE_PIXELS:
        raise error(422, f"{picture.width}x{picture.height} images are not supported")
    moves = picture.mime == "image/gif" and picture.frames > 1
    return ShownMedia("", picture.mime, picture.width, picture.height), moves


def _video(data: bytes, max_bytes: int) -> ShownMedia:
    if len(data) > max_bytes:
        raise invalid(f"File file size must be less than {max_bytes // 1_048_576} MB")
    try:
        clip = examine_video(data)
    except NotAVideo as problem:
        raise invalid("File content type is invalid", "File is invalid") from problem
    if clip.mime not in VIDEO_TYPES:
        raise invalid("File content type is invalid", "File is invalid")
    if clip.width * clip.height > MAX_VIDEO_PIXELS:
        raise error(422, f"{clip.width}x{clip.height} videos are not supported")
    if (clip.frame_rate or 0) >= MAX_VIDEO_RATE + 1:
        raise error(422, f"{int(clip.frame_rate or 0)}fps videos are not supported")
    return ShownMedia("", clip.mime, clip.width, clip.height)

"""Uploads: checked, kept until a status attaches them."""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.media import NotAnImage, Picture, examine
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from .answers import (
    IMAGE_TYPES,
    MAX_DESCRIPTION,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_MEDIA,
    attachment,
    error,
    invalid,
    not_emulated,
    not_found,
)


class Uploads:
    """Media that belong to no status yet, by id. Bytes are kept as they came: a real server
    re-encodes, but then nobody could compare what was sent."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loose: dict[str, ShownMedia] = {}

    def clear(self) -> None:
        self._loose.clear()

    async def upload(self, request: Request) -> Response:
        """POST /api/v2/media: images are ready at once, hence 200 and not 202."""
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
        picture = _checked(data, declared)
        stored = self._world.media.add(data, picture.mime)
        number = str(109_400_000_000_000_000 + self._world.number())
        media = ShownMedia(stored.sha256, picture.mime, picture.width, picture.height, alt, number)
        self._loose[number] = media
        return JSONResponse(attachment(media, self._world.base_url))

    async def show(self, request: Request) -> Response:
        """GET /api/v1/media/:id, while it belongs to no status."""
        return JSONResponse(attachment(self._find(request), self._world.base_url))

    async def change(self, request: Request) -> Response:
        """PUT /api/v1/media/:id: the description or the focus, before it is attached."""
        media = self._find(request)
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
            media = replace(media, alt=self._description(fields["description"]))
            self._loose[media.id] = media
        return JSONResponse(attachment(media, self._world.base_url))

    def look(self, ids: tuple[str, ...]) -> tuple[ShownMedia, ...]:
        """The media of a new status. Raises Refusal where one is missing or they do not mix."""
        if len(ids) > MAX_MEDIA:
            raise error(422, f"Cannot attach more than {MAX_MEDIA} files")
        missing = [name for name in ids if name not in self._loose]
        if missing:
            text = f"Media {', '.join(missing)} not found or already attached to another post"
            raise error(422, text)
        media = tuple(self._loose[name] for name in ids)
        if len(media) > 1 and any(one.mime == "image/gif" for one in media):
            raise error(422, "Cannot attach a video to a post that already contains images")
        return media

    def take(self, media: tuple[ShownMedia, ...]) -> None:
        """They belong to a status now."""
        for one in media:
            self._loose.pop(one.id, None)

    def _find(self, request: Request) -> ShownMedia:
        media = self._loose.get(request.path_params["id"])
        if media is None:
            raise not_found()
        return media

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


def _checked(data: bytes, declared: str) -> Picture:
    if not data:
        raise invalid("File can't be blank")
    if declared.startswith(("video/", "audio/")):
        raise not_emulated(f"The upload of {declared}")
    if len(data) > MAX_IMAGE_BYTES:
        raise invalid("File file size must be less than 16 MB")
    try:
        picture = examine(data)
    except NotAnImage as problem:
        raise invalid("File content type is invalid", "File is invalid") from problem
    if picture.mime not in IMAGE_TYPES:
        raise invalid("File content type is invalid", "File is invalid")
    if picture.width * picture.height > MAX_IMAGE_PIXELS:
        raise invalid(f"File {picture.width}x{picture.height} images are not supported")
    return picture

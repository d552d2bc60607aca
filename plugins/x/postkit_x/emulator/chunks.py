"""The chunked upload: begun, sent in pieces, finished, processed."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.media import NotAVideo, examine_video
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from . import schema
from .problems import invalid, problem
from .uploads import KEY_PREFIX, LIFE, Upload, Uploads, checked

PIECE_BYTES = 8 * 1024 * 1024
PROCESSING = timedelta(seconds=0.3)
"""How long the emulator works on a video: half of it pending, half in progress."""
VIDEO_BYTES = 512_000_000
VIDEO_SECONDS = (0.5, 140.0)
VIDEO_PIXELS = (32, 1280, 1024)
VIDEO_TYPES = ("video/mp4", "video/quicktime")


@dataclass(slots=True)
class Chunked:
    """An upload that is on its way. ``ready`` is when its processing ends."""

    id: str
    category: str
    mime: str
    total: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    begun: datetime | None = None
    ready: datetime | None = None
    failure: str | None = None
    shown: ShownMedia | None = None

    @property
    def key(self) -> str:
        return f"{KEY_PREFIX[self.category]}_{self.id}"

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces[index] for index in sorted(self.pieces))


class Chunks:
    """The uploads in pieces of the emulated user; what is ready goes to the other uploads."""

    def __init__(self, world: World, uploads: Uploads) -> None:
        self._world = world
        self._uploads = uploads
        self._chunked: dict[str, Chunked] = {}

    def clear(self) -> None:
        self._chunked.clear()

    async def initialize(self, request: Request) -> Response:
        """POST /2/media/upload/initialize."""
        body = await request.json()
        if mistakes := list(schema.INITIALIZE("", body)):
            raise invalid(mistakes, body if isinstance(body, dict) else {})
        category = body["media_category"]
        if category not in ("tweet_video", "tweet_gif", "tweet_image"):
            return JSONResponse(
                {"postkit_emulator": f"media_category={category} of x is not emulated yet."}, 501
            )
        if category == "tweet_video" and body["total_bytes"] > VIDEO_BYTES:
            raise invalid([("total_bytes", f"The file must be <= {VIDEO_BYTES} bytes.")], body)
        number = 1_900_000_000_000_000_000 + self._world.number()
        one = Chunked(str(number), category, body["media_type"], body["total_bytes"])
        self._chunked[one.id] = one
        return JSONResponse({"data": self._named(one)}, 202)

    async def append(self, request: Request) -> Response:
        """POST /2/media/upload/{id}/append, with the piece in a form or as base64 in JSON."""
        one = self._get(request.path_params["id"])
        if one.begun is not None:
            raise invalid([("id", "The upload is finalized already.")], {})
        index, piece = await _piece(request)
        if len(piece) > PIECE_BYTES:
            raise Refusal(
                problem(413, "Payload Too Large", "The chunk is too large.", "about:blank")
            )
        one.pieces[index] = piece
        expires = self._world.clock.now() + LIFE
        return JSONResponse({"data": {"expires_at": int(expires.timestamp())}})

    async def finalize(self, request: Request) -> Response:
        """POST /2/media/upload/{id}/finalize."""
        one = self._get(request.path_params["id"])
        if one.begun is None:
            if sorted(one.pieces) != list(range(len(one.pieces))) or not one.pieces:
                raise invalid([("id", "Segments do not add up to the whole file.")], {})
            if len(one.data) != one.total:
                raise invalid(
                    [("total_bytes", f"{len(one.data)} bytes of {one.total} were sent.")], {}
                )
            one.begun = self._world.clock.now()
            one.ready = one.begun + PROCESSING
            self._examine(one)
        data = {**self._named(one), "size": one.total, **self._progress(one)}
        return JSONResponse({"data": data})

    async def status(self, request: Request) -> Response:
        """GET /2/media/upload?command=STATUS."""
        query = request.query_params
        if query.get("command") != "STATUS" or "media_id" not in query:
            raise invalid([("command", "$.command: must be STATUS, with a media_id")], {})
        one = self._get(query["media_id"])
        return JSONResponse({"data": {**self._named(one), **self._progress(one)}})

    def _get(self, media_id: str) -> Chunked:
        one = self._chunked.get(media_id)
        if one is None:
            raise invalid([("id", "Your media ID is invalid.")], {})
        return one

    def _named(self, one: Chunked) -> dict[str, Any]:
        life = int(LIFE.total_seconds())
        return {"id": one.id, "media_key": one.key, "expires_after_secs": life}

    def _examine(self, one: Chunked) -> None:
        """What X finds out while it processes: a file that it does not take fails then."""
        data = one.data
        try:
            if one.category == "tweet_video":
                one.shown = self._video(one, data)
            else:
                picture = checked(data, one.category)
                one.shown = ShownMedia("", picture.mime, picture.width, picture.height)
        except NotAVideo as error:
            one.failure = str(error)
            return
        except Refusal:
            one.failure = "InvalidMedia"
            return
        stored = self._world.media.add(data, one.shown.mime)
        shown = ShownMedia(
            stored.sha256, one.shown.mime, one.shown.width, one.shown.height, id=one.id
        )
        until = self._world.clock.now() + LIFE
        self._uploads.add(Upload(one.id, one.key, one.category, shown, until, ready=one.ready))

    def _video(self, one: Chunked, data: bytes) -> ShownMedia:
        clip = examine_video(data)
        least, width, height = VIDEO_PIXELS
        for is_wrong, why in (
            (clip.mime not in VIDEO_TYPES or one.mime != clip.mime, "InvalidMedia: container"),
            (clip.video_codec != "h264", "InvalidMedia: video codec"),
            (clip.audio_codec not in (None, "aac"), "InvalidMedia: audio codec"),
            (not VIDEO_SECONDS[0] <= clip.seconds <= VIDEO_SECONDS[1], "InvalidMedia: duration"),
            (min(clip.width, clip.height) < least, "InvalidMedia: too small"),
            (clip.width > width or clip.height > height, "InvalidMedia: too large"),
            (not 1 / 3 <= clip.width / clip.height <= 3, "InvalidMedia: aspect ratio"),
            ((clip.frame_rate or 0) > 60.01, "InvalidMedia: frame rate"),
        ):
            if is_wrong:
                raise NotAVideo(why)
        return ShownMedia("", clip.mime, clip.width, clip.height)

    def _progress(self, one: Chunked) -> dict[str, Any]:
        if one.begun is None or one.ready is None:
            return {}
        left = (one.ready - self._world.clock.now()).total_seconds()
        if left > 0:
            whole = PROCESSING.total_seconds()
            state = "pending" if left > whole / 2 else "in_progress"
            done = int(100 * (1 - left / whole))
            info: dict[str, Any] = {
                "state": state,
                "check_after_secs": 0.1,
                "progress_percent": max(0, done),
            }
        elif one.failure is not None:
            info = {
                "state": "failed",
                "progress_percent": 100,
                "error": {"code": 1, "name": "InvalidMedia", "message": one.failure},
            }
        else:
            info = {"state": "succeeded", "progress_percent": 100}
        return {"processing_info": info}


async def _piece(request: Request) -> tuple[int, bytes]:
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await request.json()
        if mistakes := list(schema.APPEND("", body)):
            raise invalid(mistakes, {})
        try:
            return body["segment_index"], base64.b64decode(body["media"], validate=True)
        except ValueError:
            raise invalid([("media", "$.media: is not base64")], {}) from None
    async with request.form(max_part_size=2 * PIECE_BYTES) as form:
        media, index = form.get("media"), str(form.get("segment_index", ""))
        if not isinstance(media, UploadFile) or not index.isdecimal() or int(index) > 999:
            raise invalid([("media", "$.media: a file and a segment_index are required")], {})
        return int(index), await media.read()

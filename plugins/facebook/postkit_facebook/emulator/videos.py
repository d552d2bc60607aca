"""Videos of the Page: the three phases of an upload, processing, and the post that shows it.

Sources: developers.facebook.com/docs/graph-api/video-uploads (phases and answers) and
/docs/video-api/reference/error-codes, both checked 2026-11-29; the node's status by the reference
of the Video node, checked 2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from postkit.emulator.media import NotAVideo, examine_video
from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.emulator.world import World

from .answers import not_emulated, refusal
from .owners import PAGE_ID
from .params import is_false
from .posts import check_message, stamp

LEAST_BYTES = 1000
MOST_BYTES = 2_000_000_000
MOST_SECONDS = 4 * 3600
MOST_TITLE = 255
"""No page tells it: the plugin's own guess."""
TYPES = ("video/mp4", "video/quicktime")
PROCESSING = timedelta(seconds=0.3)
"""How long the emulator works on a video."""
AGAIN = "There was a problem uploading your video. Please try uploading it again."
BEYOND = frozenset(
    (
        *("scheduled_publish_time", "unpublished_content_type", "targeting", "feed_targeting"),
        *("thumb", "backdated_post", "content_category", "crossposting_actions", "embeddable"),
        *("reference_only", "sponsor_id", "no_story", "file_url", "source", "place"),
        *("fbuploader_video_file_chunk", "published_to_feed", "social_actions"),
    )
)
"""Parameters that the network knows and that have no effect here."""


@dataclass(slots=True)
class Video:
    """One that is uploaded; ``ready`` is when its processing ends."""

    id: str
    session: str
    size: int
    begun: datetime
    data: bytearray = field(default_factory=bytearray)
    ready: datetime | None = None
    failure: str | None = None
    post_id: str | None = None


class Videos:
    """All videos by id. ``show`` makes a post live: text, title, medium, seconds until then."""

    def __init__(
        self, world: World, show: Callable[[str, str | None, ShownMedia, float], LivePost]
    ) -> None:
        self._world = world
        self._show = show
        self._videos: dict[str, Video] = {}

    def clear(self) -> None:
        self._videos.clear()

    def get(self, video_id: str) -> Video | None:
        return self._videos.get(video_id)

    def phase(self, params: Mapping[str, Any], piece: int) -> Response:
        """POST /{page}/videos. ``piece``: bytes that the network asks for at a time."""
        if beyond := sorted(BEYOND.intersection(params)):
            raise not_emulated(f"A video with {' and '.join(beyond)}")
        match params.get("upload_phase"):
            case "start":
                return self._start(params, piece)
            case "transfer":
                return self._transfer(params, piece)
            case "finish":
                return self._finish(params)
        raise not_emulated("A video without upload_phase start, transfer or finish")

    def _start(self, params: Mapping[str, Any], piece: int) -> Response:
        size = str(params.get("file_size", ""))
        if not re.fullmatch("[0-9]{1,15}", size):
            raise refusal("(#100) param file_size must be an integer", 100)
        if int(size) > MOST_BYTES:
            raise _no(1363023, "The video you tried to upload is too large.")
        if int(size) < LEAST_BYTES:
            raise _no(1363022, "The video you tried to upload is too small.")
        number = self._world.number()
        one = Video(
            str(440_000_000_000_000 + number),
            str(550_000_000_000_000 + number),
            int(size),
            self._world.clock.now(),
        )
        self._videos[one.id] = one
        named = {"upload_session_id": one.session, "video_id": one.id}
        return JSONResponse({**named, **_offsets(one, piece)})

    def _transfer(self, params: Mapping[str, Any], piece: int) -> Response:
        one = self._session(params)
        data = params.get("video_file_chunk")
        if not isinstance(data, bytes) or not data:
            raise _no(1363020, "Please select the video you want to upload.")
        if str(params.get("start_offset")) != str(len(one.data)):
            raise _no(1363037, AGAIN, error_data=_offsets(one, piece))
        if len(one.data) + len(data) > one.size:
            raise _no(1363033, AGAIN)
        one.data += data
        return JSONResponse(_offsets(one, piece))

    def _finish(self, params: Mapping[str, Any]) -> Response:
        one = self._session(params)
        if len(one.data) < one.size:
            raise _no(1363033, AGAIN)
        if is_false(params.get("published")):
            raise not_emulated("A video with published=false")
        text, title = str(params.get("description", "")), str(params.get("title", ""))
        check_message(text)
        if len(title) > MOST_TITLE:
            raise refusal("(#100) Name parameter too long", 100)
        one.ready = self._world.clock.now() + PROCESSING
        try:
            shown = self._examined(one)
        except NotAVideo as problem:
            one.failure = str(problem)
        else:
            seconds = PROCESSING.total_seconds()
            post = self._show(text, title or None, shown, seconds)
            one.post_id, one.ready = post.id, post.live_at
        return JSONResponse({"success": True})

    def _session(self, params: Mapping[str, Any]) -> Video:
        wanted = str(params.get("upload_session_id", ""))
        for one in self._videos.values():
            if one.session == wanted and one.ready is None:
                return one
        raise refusal("(#100) Invalid parameter: no upload session of that id is open", 100)

    def _examined(self, one: Video) -> ShownMedia:
        clip = examine_video(bytes(one.data))
        for is_wrong, why in (
            (clip.mime not in TYPES, "its container is not supported"),
            (clip.video_codec != "h264", "its pictures' codec is not supported"),
            (clip.audio_codec not in (None, "aac"), "its sound's codec is not supported"),
            (clip.seconds > MOST_SECONDS, "it is longer than 4 hours"),
        ):
            if is_wrong:
                raise NotAVideo(why)
        stored = self._world.media.add(bytes(one.data), clip.mime)
        return ShownMedia(stored.sha256, clip.mime, clip.width, clip.height, id=one.id)

    def node(self, one: Video) -> dict[str, Any]:
        """What GET /{video} selects from."""
        status = self._status(one)
        is_live = status["video_status"] == "ready"
        return {
            "id": one.id,
            "status": status,
            "created_time": stamp(one.ready or one.begun),
            "permalink_url": f"/{PAGE_ID}/videos/{one.id}/",
            "post_id": one.post_id if is_live else None,
            "published": is_live,
        }

    def _status(self, one: Video) -> dict[str, Any]:
        whole = len(one.data) >= one.size
        uploading = {
            "status": "complete" if whole else "in_progress",
            "bytes_transfered": len(one.data),
        }
        left = 0.0 if one.ready is None else (one.ready - self._world.clock.now()).total_seconds()
        processing: dict[str, Any] = {"status": "not_started"}
        publishing: dict[str, Any] = {"status": "not_started"}
        if one.ready is None:
            word = "upload_complete" if whole else "processing"
        elif left > 0:
            word, processing = "processing", {"status": "in_progress"}
        elif one.failure is not None:
            word = "error"
            processing = {"status": "error", "errors": [{"code": 1363031, "message": one.failure}]}
        else:
            word, processing = "ready", {"status": "complete"}
            publishing = {"status": "complete", "publish_status": "published"}
        return {
            "video_status": word,
            "uploading_phase": uploading,
            "processing_phase": processing,
            "publishing_phase": publishing,
        }


def _offsets(one: Video, piece: int) -> dict[str, str]:
    start = len(one.data)
    return {"start_offset": str(start), "end_offset": str(min(start + piece, one.size))}


def _no(subcode: int, message: str, error_data: Mapping[str, str] | None = None) -> Exception:
    return refusal(message, 6000, subcode=subcode, data=error_data)

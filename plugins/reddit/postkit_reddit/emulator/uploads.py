"""Uploads: a lease from Reddit, then a form to a storage host that knows nothing of Reddit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from postkit.emulator.base import Refusal
from postkit.emulator.media import NotAnImage, NotAVideo, examine, examine_video
from postkit.emulator.timeline import ShownMedia
from postkit.emulator.world import World

from .answers import USER_ID, http_error, in_band

STORAGE = "reddit-uploaded-media.s3-accelerate.amazonaws.com"
VIDEO_STORAGE = "reddit-uploaded-video.s3-accelerate.amazonaws.com"
MAX_BYTES = 20_000_000
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif")
MAX_VIDEO_BYTES = 1_000_000_000
MAX_VIDEO_SECONDS = 900
VIDEO_TYPES = ("video/mp4", "video/quicktime")


@dataclass(slots=True)
class Lease:
    """One promised upload. ``sha256`` is set once the file is there."""

    asset: str
    key: str
    mime: str
    sha256: str | None = None

    @property
    def is_video(self) -> bool:
        return self.mime in VIDEO_TYPES

    @property
    def host(self) -> str:
        return VIDEO_STORAGE if self.is_video else STORAGE


class Uploads:
    """Leases by asset id and by key."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._leases: dict[str, Lease] = {}

    def clear(self) -> None:
        self._leases.clear()

    def lease(self, name: str, mime: str) -> dict[str, object]:
        """POST /api/media/asset.json. Raises Refusal."""
        if not name or mime not in IMAGE_TYPES + VIDEO_TYPES:
            raise Refusal(http_error(400, "Bad Request"))
        number = self._world.number()
        asset = hashlib.sha256(f"asset {number}".encode()).hexdigest()[:13]
        key = f"t2_{USER_ID}/{asset}"
        self._leases[asset] = lease = Lease(asset, key, mime)
        fields = {
            "acl": "private",
            "key": key,
            "X-Amz-Credential": "emulated",
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "Content-Type": mime,
            "success_action_status": "201",
        }
        return {
            "args": {
                "action": f"//{lease.host}",
                "fields": [{"name": name, "value": value} for name, value in fields.items()],
            },
            "asset": {
                "asset_id": asset,
                "payload": {"filepath": name},
                "processing_state": "incomplete",
                "websocket_url": f"wss://ws-05.example/rte_images/{asset}",
            },
        }

    async def store(self, request: Request) -> Response:
        """The form that the storage host takes; it answers XML."""
        async with request.form() as form:
            fields = {name: str(value) for name, value in form.items() if isinstance(value, str)}
            file = form.get("file")
            data = await file.read() if isinstance(file, UploadFile) else None
        lease = self._by_key(fields.get("key", ""))
        if lease is None or data is None:
            return _xml(403, {"Code": "AccessDenied", "Message": "Access Denied"})
        most = MAX_VIDEO_BYTES if lease.is_video else MAX_BYTES
        if len(data) > most:
            problem = {
                "Code": "EntityTooLarge",
                "Message": "Your proposed upload exceeds the maximum allowed size",
                "ProposedSize": str(len(data)),
                "MaxSizeAllowed": str(most),
            }
            return _xml(400, problem)
        lease.sha256 = self._world.media.add(data, lease.mime).sha256
        location = f"https://{lease.host}/{lease.key.replace('/', '%2F')}"
        body = {
            "Location": location,
            "Bucket": lease.host.partition(".")[0],
            "Key": lease.key,
            "ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"',
        }
        return _xml(201, body, "PostResponse")

    def asset(self, asset: str) -> Lease | None:
        """The finished upload of that id."""
        lease = self._leases.get(asset)
        return lease if lease is not None and lease.sha256 else None

    def at(self, url: str) -> Lease | None:
        """The finished upload that an image or video post names by its address."""
        found = re.fullmatch(r"https?://([^/]+)/+(.+)", url)
        lease = self._by_key(found[2]) if found else None
        if found is None or lease is None or lease.host != found[1] or not lease.sha256:
            return None
        return lease

    def picture(self, lease: Lease) -> ShownMedia | None:
        """The picture, or None where processing it fails: Reddit tells that to a websocket."""
        stored = self._world.media.get(lease.sha256 or "")
        if stored is None:
            return None
        try:
            found = examine(stored.data)
        except NotAnImage:
            return None
        if found.mime != lease.mime:
            return None
        return ShownMedia(stored.sha256, found.mime, found.width, found.height, id=lease.asset)

    def video(self, lease: Lease) -> ShownMedia | None:
        """The video, or None where processing it fails. Raises Refusal for one that is too long."""
        stored = self._world.media.get(lease.sha256 or "")
        if stored is None:
            return None
        try:
            found = examine_video(stored.data)
        except NotAVideo:
            return None
        if found.seconds > MAX_VIDEO_SECONDS:
            raise in_band("INVALID_MEDIA", "the video is longer than 15 minutes", "url")
        if found.mime != lease.mime or found.video_codec != "h264":
            return None
        return ShownMedia(stored.sha256, found.mime, found.width, found.height, id=lease.asset)

    def _by_key(self, key: str) -> Lease | None:
        return next((lease for lease in self._leases.values() if lease.key == key), None)


def _xml(status: int, fields: Mapping[str, str], root: str = "Error") -> Response:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inner}</{root}>'
    return Response(body, status, media_type="application/xml")

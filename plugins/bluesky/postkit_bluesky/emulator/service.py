"""The video service, and the token with which a server lets it in.

Shapes: lexicons app.bsky.video.* and com.atproto.server.getServiceAuth, packages/pds and
packages/xrpc-server of bluesky-social/atproto; docs.bsky.app/docs/tutorials/video. Read, not
measured, on 2026-11-29. Bytes are kept as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.media import NotAVideo, examine_video
from postkit.emulator.world import World

from .answers import DID, invalid, missing, problem
from .blobs import Blob, Blobs
from .cid import cid_of_bytes
from .tokens import Tokens

SERVICE = "did:web:video.bsky.app"
UPLOAD = "com.atproto.repo.uploadBlob"
LIMITS = "app.bsky.video.getUploadLimits"
MOST_SECONDS = 180.0
PROTECTED = frozenset(
    f"com.atproto.server.{name}"
    for name in ("createAppPassword", "revokeAppPassword", "deleteAccount", "updateEmail")
)
"""Some of the methods that no service is let into."""


@dataclass(slots=True)
class Job:
    """One video. ``ready`` is when the service is done with it."""

    id: str
    data: bytes
    began: datetime
    ready: datetime
    failure: tuple[str, str] | None = None
    blob: Blob | None = None


class VideoService:
    """``setting`` reads a setting of the emulator, ``server`` tells the account's server."""

    def __init__(
        self,
        world: World,
        tokens: Tokens,
        blobs: Blobs,
        setting: Callable[[str], Any],
        server: Callable[[], str],
    ) -> None:
        self._world = world
        self._tokens = tokens
        self._blobs = blobs
        self._setting = setting
        self._server = server
        self._jobs: dict[str, Job] = {}

    def clear(self) -> None:
        self._jobs.clear()

    def authorize(self, params: Mapping[str, str]) -> dict[str, Any]:
        """com.atproto.server.getServiceAuth, once the caller's own token was looked at."""
        if "aud" not in params:
            raise missing("aud")
        now, method = self._world.clock.now(), params.get("lxm")
        end = now + timedelta(minutes=1)
        if "exp" in params:
            if not params["exp"].isdecimal():
                raise invalid(f"Expected integer value type (got {params['exp']}) at $.exp")
            end = datetime.fromtimestamp(int(params["exp"]), UTC)
        lead = "cannot request a"
        for is_wrong, message in (
            (end < now, "expiration is in past"),
            (
                end > now + timedelta(hours=1),
                f"{lead} token with an expiration more than an hour in the future",
            ),
            (
                method is None and end > now + timedelta(minutes=1),
                f"{lead} method-less token with an expiration more than a minute in the future",
            ),
        ):
            if is_wrong:
                raise problem(400, "BadExpiration", message)
        if method in PROTECTED:
            raise invalid(f"{lead} service auth token for the following protected method: {method}")
        return {"token": self._tokens.for_service(params["aud"], method, end)}

    async def limits(self, request: Request) -> Response:
        """app.bsky.video.getUploadLimits."""
        self._tokens.require_service(request, SERVICE, LIMITS)
        videos, left = self._left()
        answer: dict[str, Any] = {
            "canUpload": videos > 0 and left > 0,
            "remainingDailyVideos": videos,
            "remainingDailyBytes": left,
        }
        if refusal := self._setting("video_refusal"):
            answer = {"canUpload": False, "error": "unauthorized", "message": refusal}
        elif not answer["canUpload"]:
            answer |= {"error": "limit_exceeded", "message": "The daily limit is reached"}
        return JSONResponse(answer)

    async def upload(self, request: Request) -> Response:
        """app.bsky.video.uploadVideo: the same bytes again are the same job (409)."""
        self._tokens.require_service(request, self._server(), UPLOAD)
        if request.query_params.get("did") != DID:
            raise problem(401, "unauthorized", "The token is for another account")
        if "name" not in request.query_params:
            raise missing("name")
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip() != "video/mp4":
            raise invalid(f"Wrong request encoding (Content-Type): {kind or 'none'}")
        data = await request.body()
        if len(data) > self._setting("video_bytes"):
            raise problem(413, "PayloadTooLarge", "request entity too large")
        number = cid_of_bytes(data)[-20:]
        job = self._jobs.get(number)
        if job is not None and not self._failed(job):
            self._deliver(job)
            said = {"error": "already_exists", "message": "Video already processed"}
            return JSONResponse({**self._status(job), **said}, 409)
        videos, left = self._left()
        if videos < 1 or left < len(data):
            raise problem(400, "limit_exceeded", "The daily limit is reached")
        now = self._world.clock.now()
        ready = now + timedelta(seconds=self._setting("processing"))
        job = Job(number, data, now, ready, self._examined(data))
        self._jobs[number] = job
        return JSONResponse({"jobStatus": self._status(job)})

    async def status(self, request: Request) -> Response:
        """app.bsky.video.getJobStatus, which asks for no token."""
        if "jobId" not in request.query_params:
            raise missing("jobId")
        job = self._jobs.get(request.query_params["jobId"])
        if job is None:
            raise problem(400, "InvalidRequest", "Job not found")
        if job.blob is None:
            self._deliver(job)
        return JSONResponse({"jobStatus": self._status(job)})

    def _left(self) -> tuple[int, int]:
        """Videos and bytes of today."""
        day = self._world.clock.now() - timedelta(days=1)
        jobs = [job for job in self._jobs.values() if job.began > day]
        used = sum(len(job.data) for job in jobs)
        videos, most = self._setting("daily_videos"), self._setting("daily_bytes")
        return max(0, videos - len(jobs)), max(0, most - used)

    def _failed(self, job: Job) -> bool:
        return job.failure is not None and self._is_done(job)

    def _is_done(self, job: Job) -> bool:
        return job.ready <= self._world.clock.now()

    def _deliver(self, job: Job) -> None:
        """Hand the video on to the server, also where that has forgotten it since (a guess)."""
        if not self._is_done(job) or job.failure is not None:
            return
        if job.blob is None or not self._blobs.has(job.blob.cid):
            job.blob = self._blobs.add(job.data, "video/mp4")

    def _examined(self, data: bytes) -> tuple[str, str] | None:
        """What the service finds out while it works."""
        if failure := self._setting("video_failure"):
            return str(failure), "Something went wrong"
        try:
            clip = examine_video(data)
        except NotAVideo as error:
            return "validation_failure", str(error)
        for is_wrong, why in (
            (clip.mime != "video/mp4", "the container is not supported"),
            (clip.video_codec != "h264", "the video codec is not supported"),
            (clip.audio_codec not in (None, "aac"), "the audio codec is not supported"),
            (clip.seconds > MOST_SECONDS, f"the video is longer than {MOST_SECONDS:g} seconds"),
        ):
            if is_wrong:
                return "validation_failure", why
        return None

    def _status(self, job: Job) -> dict[str, Any]:
        status: dict[str, Any] = {"jobId": job.id, "did": DID}
        if not self._is_done(job):
            return {**status, "state": "JOB_STATE_ENCODING", "progress": 50}
        if job.failure is not None:
            code, why = job.failure
            failed = {"state": "JOB_STATE_FAILED", "error": code, "failureCode": code}
            return {**status, **failed, "message": why}
        status |= {"state": "JOB_STATE_COMPLETED", "progress": 100}
        return {**status, "blob": job.blob.to_json()} if job.blob else status

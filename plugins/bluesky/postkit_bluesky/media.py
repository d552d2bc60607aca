"""Uploads: pictures to the account's server, videos through the video service to it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from postkit.accounts.secret import Secret
from postkit.errors import Refused, Throttled, Unavailable
from postkit.network import Attachment, Journal, RenderedPart
from postkit.processing import growing_pauses, wait_until_processed

from .client import REPO, VIDEO, VIDEO_HOST, Client
from .record import moment_of

BLOB_AGE = timedelta(minutes=5)
"""A server forgets an upload that no record names after a while, so older ones are repeated."""
TOKEN_LIFE = 1800
"""Seconds that the service has for the video and for handing it on to the server."""
AGAIN = timedelta(hours=1)
"""Until the next look where the day's videos are used up: nothing says when a day begins."""
LATER = timedelta(minutes=1)
FAILED = "JOB_STATE_FAILED"
"""The one state that is the end without a blob (lexicon app.bsky.video.defs)."""


def upload_all(client: Client, part: RenderedPart, journal: Journal) -> None:
    """Upload what the journal does not have; a row of it is ``blob`` or, until then, ``job``."""
    for number, media in enumerate(part.media):
        name = f"blob_{number}"
        if name in journal and "blob" in journal[name] and _is_old(journal[name]):
            del journal[name]
        if media.kind == "video":
            _through_the_service(client, media, journal, name)
        elif name not in journal:
            journal[name] = _row(blob=client.upload(media.read(), media.mime))


def _is_old(row: Mapping[str, Any]) -> bool:
    return datetime.now(UTC) - moment_of(row["at"]) > BLOB_AGE


def _row(**fields: Any) -> dict[str, Any]:
    return {**fields, "at": datetime.now(UTC).isoformat()}


def _through_the_service(client: Client, media: Attachment, journal: Journal, name: str) -> None:
    """Go on with the job that the journal names, or begin one."""
    if name not in journal:
        _check_quota(client, media)
        token = _token(client, _server(client), f"{REPO}.uploadBlob")
        with media.open() as file:
            answer = client.send_video(
                file, media.mime, token, did=client.author.did, name=media.name
            )
        journal[name] = _row(job=str(_status(answer)["jobId"]))
    if "blob" not in journal[name]:
        _wait(client, media, journal, name)


def _wait(client: Client, media: Attachment, journal: Journal, name: str) -> None:
    """A job that is lost or has failed is forgotten. Raises Refused, Unavailable."""
    pauses = growing_pauses()

    def seconds_left() -> float | None:
        try:
            status = _status(client.ask_service("getJobStatus", jobId=journal[name]["job"]))
        except requests.HTTPError as error:
            if error.response.status_code not in (400, 404):
                raise
            del journal[name]
            raise Unavailable(
                f"Bluesky's video service has lost {media.name}; it is uploaded again.",
                network="bluesky",
            ) from error
        if status.get("state") == FAILED:
            del journal[name]
            raise _failure(media, status)
        if not status.get("blob"):
            return next(pauses)
        journal[name] = _row(blob=status["blob"])
        return None

    wait_until_processed("Bluesky", seconds_left)


def _status(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """A job's status: the lexicon wraps it, the service itself does not always."""
    inner = answer.get("jobStatus", answer)
    return inner if isinstance(inner, Mapping) else {}


def _failure(media: Attachment, status: Mapping[str, Any]) -> Refused | Unavailable:
    code = str(status.get("failureCode") or status.get("error") or "processing_failed")
    why = status.get("message") or code
    if code == "pds_upload_failure":
        return Unavailable(
            f"Bluesky's video service could not hand {media.name} on: {why}",
            network="bluesky",
            code=code,
            retry_at=datetime.now(UTC) + LATER,
        )
    return Refused(f"Bluesky could not process {media.name}: {why}", network="bluesky", code=code)


def _check_quota(client: Client, media: Attachment) -> None:
    """Raises Throttled where today's videos are used up, Refused where the account may have none
    at all (an address that was never confirmed)."""
    token = _token(client, _did_of(VIDEO_HOST), f"{VIDEO}.getUploadLimits")
    limits = client.ask_service("getUploadLimits", token)
    videos, left = limits.get("remainingDailyVideos"), limits.get("remainingDailyBytes")
    used_up = videos is not None and videos < 1
    if used_up or (left is not None and left < media.size):
        what = "videos" if used_up else f"bytes ({left} are left, {media.name} has {media.size})"
        raise Throttled(
            f"Bluesky takes no more {what} of this account today.",
            network="bluesky",
            code="upload_limits",
            retry_at=datetime.now(UTC) + AGAIN,
        )
    if not limits.get("canUpload", True):
        why = limits.get("message") or limits.get("error") or "it gives no reason"
        raise Refused(
            f"Bluesky takes no videos of this account: {why}",
            network="bluesky",
            code="upload_limits",
        )


def _token(client: Client, audience: str, method: str) -> Secret:
    """Leave for the service to call one method in our name, for a while."""
    until = str(int(time.time()) + TOKEN_LIFE)
    answer = client.query("com.atproto.server.getServiceAuth", aud=audience, lxm=method, exp=until)
    return Secret(str(answer["token"]))


def _server(client: Client) -> str:
    """The DID of the server that hosts the account, which an entryway is not."""
    document = client.query("com.atproto.server.getSession").get("didDoc") or {}
    for service in document.get("service") or ():
        if str(service.get("id", "")).endswith("#atproto_pds"):
            return _did_of(str(service["serviceEndpoint"]))
    return _did_of(client.base)


def _did_of(url: str) -> str:
    """A host as did:web, where a port's colon is written %3A."""
    return f"did:web:{quote(urlsplit(url).netloc, safe='.-')}"

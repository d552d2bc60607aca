"""A video of the feed: begun, sent in the pieces that the network asks for, shown by one request.

Its older way in three phases, not the newer handle of /{app}/uploads, which takes the app's id and
a person's token, nor the reels' one, which makes no feed video.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from postkit.errors import Refused, Unavailable
from postkit.network import Attachment, Candidate, Journal, Outgoing, Receipt
from postkit.processing import wait_until_processed

from .client import Client

TITLE = "Facebook Page"
NAME = "video"
"""Of the upload in the journal: a post has one video."""
LIFE = 24 * 3600
MARGIN = 3600
"""Seconds: how long an upload is taken to live, since no page says it, and what it must have left
when a post is begun."""
AGAIN = 1.0
"""Seconds until the next look at a video that is being processed; the network names none."""
TRIES = 3
"""Times in a row that the network may ask for what it has been sent."""


def upload(client: Client, video: Attachment, journal: Journal) -> None:
    """Go on where the journal has come to; an upload that is gone since is begun once more.

    Nothing of it can be seen before ``finish``. Raises what the client raises.
    """
    if NAME in journal and _is_of_no_use(client, journal[NAME]):
        del journal[NAME]
    if NAME in journal:
        try:
            return _send(client, video, journal)
        except Exception:
            if not client.refused():
                raise
            del journal[NAME]
    answer = client.videos({"upload_phase": "start", "file_size": str(video.size)})
    journal[NAME] = {
        "id": client.text_of(answer, "video_id"),
        "session": client.text_of(answer, "upload_session_id"),
        "until": int(time.time()) + LIFE,
        **_offsets(answer),
    }
    try:
        _send(client, video, journal)
    except Exception:
        if client.refused():
            del journal[NAME]
        raise


def _is_of_no_use(client: Client, row: Mapping[str, Any]) -> bool:
    if row["until"] < time.time() + MARGIN:
        return True
    # What was processed in vain before would be so again.
    return row["start"] == row["end"] and _status(client.video(row["id"])) == "error"


def _send(client: Client, video: Attachment, journal: Journal) -> None:
    """The pieces from the journal's offset on. The network is at the end where both are equal."""
    if journal[NAME]["start"] == journal[NAME]["end"]:
        return
    furthest, stuck = journal[NAME]["start"], 0
    with video.open() as file:
        while (row := journal[NAME])["start"] < row["end"]:
            file.seek(row["start"])
            piece = file.read(row["end"] - row["start"])
            form = {
                "upload_phase": "transfer",
                "upload_session_id": row["session"],
                "start_offset": str(row["start"]),
            }
            try:
                found = _offsets(client.videos(form, piece))
            except Exception:
                # A piece whose answer was lost has arrived: the refusal names where to go on.
                offsets = client.corrected_offsets()
                if offsets is None or stuck >= TRIES:
                    raise
                found = _offsets(offsets)
            stuck = stuck + 1 if found["start"] <= furthest else 0
            furthest = max(furthest, found["start"])
            if stuck > TRIES:
                raise Unavailable(
                    f"{TITLE} asks for the same piece of {video.name} again and again.",
                    network="facebook",
                )
            journal[NAME] = {**row, **found}


def _offsets(answer: Mapping[str, Any]) -> dict[str, int]:
    return {"start": int(answer["start_offset"]), "end": int(answer["end_offset"])}


def form_of(outgoing: Outgoing) -> dict[str, str]:
    """The one request that shows the video: the same values give the same bytes."""
    form = {
        "upload_phase": "finish",
        "upload_session_id": str(outgoing.prepared[NAME]["session"]),
        "published": "true",
    }
    if outgoing.part.text:
        form["description"] = outgoing.part.text
    title = outgoing.part.fields.get("title")
    if title:
        form["title"] = str(title)
    return form


def shown(client: Client, outgoing: Outgoing) -> Receipt:
    """Wait until a video that was finished is there. Raises Refused where the network cannot
    process it, so that nothing is shown, and Unavailable where it takes longer."""
    video_id, name = str(outgoing.prepared[NAME]["id"]), outgoing.part.media[0].name
    node: dict[str, Any] = {}

    def ask() -> float | None:
        node.clear()
        node.update(client.video(video_id))
        return None if is_there(node, name) else AGAIN

    wait_until_processed(TITLE, ask)
    return receipt_of(node, client.web)


def find(client: Client, outgoing: Outgoing) -> list[Candidate]:
    """The video by its id. Raises Unavailable while it is being processed: that it is not there
    yet tells nothing of whether it will be."""
    video_id = str(outgoing.prepared[NAME]["id"])
    node = client.video(video_id)
    if not is_there(node, outgoing.part.media[0].name):
        if not _is_at_work(node):
            return []
        raise Unavailable(f"{TITLE} is still at work on the video.", network="facebook")
    at = datetime.fromisoformat(str(node["created_time"]))
    return [Candidate(receipt_of(node, client.web), at, proof=True)]


def is_there(node: Mapping[str, Any], name: str) -> bool:
    """Whether readers see it. Raises Refused where it could not be processed."""
    if _status(node) == "error":
        raise Refused(
            f"{TITLE} could not process {name}: {_why(node)}",
            network="facebook",
            code="processing_failed",
        )
    return _status(node) == "ready" and _phase(node, "publishing_phase") in ("", "complete")


def receipt_of(node: Mapping[str, Any], web: str) -> Receipt:
    """The feed post's id where the network tells it, else the video's own."""
    link = str(node.get("permalink_url") or f"/{node['id']}")
    # The permalink of a video is a path.
    url = f"{web}{link}" if link.startswith("/") else link
    return Receipt(str(node.get("post_id") or node["id"]), url, {"video": str(node["id"])})


def _status(node: Mapping[str, Any]) -> str:
    return str(_rows(node).get("video_status", ""))


def _is_at_work(node: Mapping[str, Any]) -> bool:
    """Whether ``finish`` has arrived: before it, nothing is processed."""
    if _status(node) == "ready":
        return True
    return _phase(node, "processing_phase") in ("in_progress", "complete")


def _phase(node: Mapping[str, Any], name: str) -> str:
    phase = _rows(node).get(name)
    return str(phase.get("status", "")) if isinstance(phase, dict) else ""


def _why(node: Mapping[str, Any]) -> str:
    for name in ("uploading_phase", "processing_phase", "publishing_phase"):
        phase = _rows(node).get(name)
        error = phase.get("error") or phase.get("errors") if isinstance(phase, dict) else None
        for row in error if isinstance(error, list) else [error]:
            if isinstance(row, dict) and row.get("message"):
                return str(row["message"])
    return "it gives no reason."


def _rows(node: Mapping[str, Any]) -> Mapping[str, Any]:
    status = node.get("status")
    return status if isinstance(status, dict) else {}

"""Uploads: pictures in one request, videos and GIFs in pieces, each step in the journal."""

from __future__ import annotations

import base64
import time
from typing import Any

import tweepy

from postkit.errors import Refused
from postkit.network import Attachment, Journal, RenderedPart
from postkit.processing import wait_until_processed

from .client import Client

LIFE = 24 * 3600
"""Seconds for which an upload can be used, where X does not say (docs.x.com, Aug 2026)."""
MARGIN = 3600
"""Seconds of life that an upload must have left when a post is begun."""
PIECE = 4 * 1024 * 1024
"""Bytes of one append: as base64 that is 5.6 MB, between the 5 MB that X recommends and the 8 MB
that its server takes (docs.x.com media best-practices, Aug 2026)."""
CATEGORIES = {"video": "tweet_video", "animation": "tweet_gif"}
AGAIN = 5.0
"""Seconds until the next look where X names none."""
GONE = (Refused, tweepy.BadRequest, tweepy.NotFound)
"""An upload that X refuses or does not know any more is of no use to a second try."""


def upload_all(client: Client, part: RenderedPart, journal: Journal) -> None:
    """Upload what the journal does not have, and describe it."""
    for number, media in enumerate(part.media):
        name = f"media_{number}"
        if name in journal and journal[name]["until"] < time.time() + MARGIN:
            del journal[name]
        if media.kind == "image":
            if name not in journal:
                journal[name] = _simple(client, media)
        else:
            _in_pieces(client, media, journal, name)
        media_id = journal[name]["id"]
        if media.alt and journal.get(f"alt_{number}") != media_id:
            client.call(
                "POST",
                "/2/media/metadata",
                {"id": media_id, "metadata": {"alt_text": {"text": media.alt}}},
            )
            journal[f"alt_{number}"] = media_id


def _simple(client: Client, image: Attachment) -> dict[str, Any]:
    answer = client.call(
        "POST",
        "/2/media/upload",
        {
            "media": base64.b64encode(image.read()).decode("ascii"),
            "media_category": "tweet_image",
        },
    )
    return _row(answer["data"])


def _in_pieces(client: Client, media: Attachment, journal: Journal, name: str) -> None:
    """Go on where the journal has come to; an upload that is gone since is begun once more."""
    if name in journal:
        try:
            return _go_on(client, media, journal, name)
        except GONE:
            del journal[name]
    body = {
        "media_type": media.mime,
        "total_bytes": media.size,
        "media_category": CATEGORIES[media.kind],
    }
    answer = client.call("POST", "/2/media/upload/initialize", body)
    journal[name] = {**_row(answer["data"]), "sent": 0}
    try:
        _go_on(client, media, journal, name)
    except GONE:
        del journal[name]
        raise


def _row(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(data["id"]),
        "key": str(data["media_key"]),
        "until": int(time.time()) + int(data.get("expires_after_secs") or LIFE),
    }


def _go_on(client: Client, media: Attachment, journal: Journal, name: str) -> None:
    """``sent`` counts the pieces that have arrived; it goes once X is done with the whole. A
    piece may arrive twice."""
    if "sent" not in journal[name]:
        return
    media_id, sent = journal[name]["id"], journal[name]["sent"]
    if sent * PIECE < media.size:
        with media.open() as file:
            file.seek(sent * PIECE)
            while piece := file.read(PIECE):
                body = {
                    "media": base64.b64encode(piece).decode("ascii"),
                    "segment_index": sent,
                }
                client.call("POST", f"/2/media/upload/{media_id}/append", body)
                sent += 1
                journal[name] = {**journal[name], "sent": sent}
    if not journal[name].get("whole"):
        client.call("POST", f"/2/media/upload/{media_id}/finalize", {})
        journal[name] = {**journal[name], "whole": True}
    wait_until_processed("X", lambda: _seconds_left(client, media_id, media.name))
    journal[name] = {word: journal[name][word] for word in ("id", "key", "until")}


def _seconds_left(client: Client, media_id: str, name: str) -> float | None:
    info = client.status_of(media_id).get("processing_info") or {"state": "succeeded"}
    if info["state"] == "succeeded":
        return None
    if info["state"] == "failed":
        error = info.get("error") or {}
        why = error.get("message") or error.get("name") or "it gives no reason"
        raise Refused(f"X could not process {name}: {why}", network="x", code="processing_failed")
    return float(info.get("check_after_secs") or AGAIN)

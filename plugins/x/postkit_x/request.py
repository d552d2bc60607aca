"""The one create request, made of what was stored, and of nothing else."""

from __future__ import annotations

import re
from typing import Any

from postkit.network import Outgoing, RenderedPart

REPLY_SETTINGS = {"following": "following", "mentioned": "mentionedUsers"}
"""X's words for who may reply; everyone may where it is left out."""
POST_ID = re.compile(r"[0-9]{1,19}")
_POST_URL = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/[^/\s]+/status(?:es)?/([0-9]{1,19})"
    r"(?:[/?#]\S*)?",
    re.IGNORECASE,
)


def post_id(given: str) -> str | None:
    """The id of a post that is named by its id or its address; None where it is neither."""
    given = given.strip()
    if POST_ID.fullmatch(given):
        return given
    found = _POST_URL.fullmatch(given)
    return found.group(1) if found else None


def body_of(outgoing: Outgoing) -> dict[str, Any]:
    """The body of POST /2/tweets: the same values give the same bytes."""
    fields = outgoing.part.fields
    options = options_of(outgoing.part)
    body: dict[str, Any] = {"text": outgoing.part.text}
    images = media_of(outgoing)
    if images:
        body["media"] = {"media_ids": [image["id"] for image in images]}
    poll = fields.get("poll")
    if poll:
        body["poll"] = {
            "options": list(poll["options"]),
            "duration_minutes": int(poll["minutes"]),
        }
    parent = reply_to(outgoing)
    if parent is not None:
        body["reply"] = {"in_reply_to_tweet_id": parent}
    for name in ("made_with_ai", "paid_partnership"):
        if options.get(name):
            body[name] = True
    if outgoing.parent is None:
        # Who may reply and who sees it is a matter of the conversation, which its first post opens.
        own = options.get("reply_settings") or REPLY_SETTINGS.get(fields.get("replies", ""))
        if own:
            body["reply_settings"] = own
        if options.get("community"):
            body["community_id"] = options["community"]
            if options.get("share_with_followers"):
                body["share_with_followers"] = True
    return body


def media_of(outgoing: Outgoing) -> list[dict[str, Any]]:
    """What ``prepare`` stored of each picture: ``id``, ``key`` and ``until``."""
    return [outgoing.prepared[f"media_{n}"] for n in range(len(outgoing.part.media))]


def reply_to(outgoing: Outgoing) -> str | None:
    """The id of the post that it answers: the part before, or the one that the author named."""
    if outgoing.parent is not None:
        return outgoing.parent.id
    given = options_of(outgoing.part).get("reply_to")
    return post_id(str(given)) if given else None


def options_of(part: RenderedPart) -> dict[str, Any]:
    return dict(part.fields.get("options") or {})

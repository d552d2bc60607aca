"""Who may reply: a record of its own, made in one write with the post and under the same key.

Source: lexicons app.bsky.feed.threadgate and com.atproto.repo.applyWrites, bluesky-social/atproto;
that a batch is written whole or not at all, and what a repeat is answered: PDS 0.5.35, measured.
"""

from __future__ import annotations

from typing import Any

from postkit.network import Outgoing, RenderedPart

from .record import COLLECTION as POSTS
from .record import record_of, stamp

COLLECTION = "app.bsky.feed.threadgate"
RULES = {"followers": "followerRule", "following": "followingRule", "mentioned": "mentionRule"}
NOBODY = "nobody"
CREATE = "com.atproto.repo.applyWrites#create"


def is_gated(part: RenderedPart) -> bool:
    """Whether it has a gate: where everyone may reply there is none."""
    replies = part.fields.get("replies")
    return replies == NOBODY or replies in RULES


def gate_of(outgoing: Outgoing) -> dict[str, Any]:
    """The record. Without rules nobody may reply but the author."""
    rule = RULES.get(outgoing.part.fields["replies"])
    did = outgoing.prepared["author"]["did"]
    return {
        "$type": COLLECTION,
        "post": f"at://{did}/{POSTS}/{outgoing.key}",
        "allow": [{"$type": f"{COLLECTION}#{rule}"}] if rule else [],
        "createdAt": stamp(outgoing.created_at),
    }


def request_of(outgoing: Outgoing) -> dict[str, Any]:
    """The body of com.atproto.repo.applyWrites: the post and its gate, both or neither.

    Writing them one after the other would show a post that is open to all for a moment, or for
    ever. A repeat does nothing: the key is taken.
    """
    records = ((POSTS, record_of(outgoing)), (COLLECTION, gate_of(outgoing)))
    return {
        "repo": outgoing.prepared["author"]["did"],
        "writes": [
            {"$type": CREATE, "collection": collection, "rkey": outgoing.key, "value": record}
            for collection, record in records
        ],
    }

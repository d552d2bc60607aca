"""The record of a post, the one request that writes it, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import gcd
from typing import Any

from postkit.network import Attachment, Outgoing, Receipt

COLLECTION = "app.bsky.feed.post"


def request_of(outgoing: Outgoing) -> dict[str, Any]:
    """The body of com.atproto.repo.putRecord: the same values give the same bytes.

    ``swapRecord: null`` makes it a create and no update: the server takes the same record again
    as done, and refuses another one under this key (measured on PDS 0.5.35, 2026-11-23).
    """
    return {
        "repo": outgoing.prepared["author"]["did"],
        "collection": COLLECTION,
        "rkey": outgoing.key,
        "swapRecord": None,
        "record": record_of(outgoing),
    }


def record_of(outgoing: Outgoing) -> dict[str, Any]:
    part, fields = outgoing.part, outgoing.part.fields
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": part.text,
        "createdAt": stamp(outgoing.created_at),
    }
    if outgoing.prepared["facets"]:
        record["facets"] = outgoing.prepared["facets"]
    if outgoing.parent is not None:
        record["reply"] = {
            "root": _reference(outgoing.root or outgoing.parent),
            "parent": _reference(outgoing.parent),
        }
    card = fields.get("card")
    blobs = [outgoing.prepared[f"blob_{n}"]["blob"] for n in range(len(part.media))]
    if card is not None:
        record["embed"] = _external(card, blobs)
    elif part.media:
        record["embed"] = _embed(part.media, blobs)
    if fields.get("lang"):
        record["langs"] = [fields["lang"]]
    if fields.get("labels"):
        record["labels"] = {
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{"val": label} for label in fields["labels"]],
        }
    if fields.get("tags"):
        record["tags"] = list(fields["tags"])
    return record


def _external(card: Mapping[str, Any], blobs: Sequence[Any]) -> dict[str, Any]:
    external = {"uri": card["url"], "title": card["title"], "description": card["description"]}
    if blobs:
        external["thumb"] = blobs[0]
    return {"$type": "app.bsky.embed.external", "external": external}


def _embed(media: Sequence[Attachment], blobs: Sequence[Any]) -> dict[str, Any]:
    if media[0].kind == "video":
        video = media[0]
        divisor = gcd(video.width, video.height)
        return {
            "$type": "app.bsky.embed.video",
            "video": blobs[0],
            "alt": video.alt,
            "aspectRatio": {"width": video.width // divisor, "height": video.height // divisor},
        }
    return {
        "$type": "app.bsky.embed.images",
        "images": [
            {
                "image": blob,
                "alt": image.alt,
                "aspectRatio": {"width": image.width, "height": image.height},
            }
            for image, blob in zip(media, blobs, strict=True)
        ],
    }


def receipt_of(answer: Mapping[str, Any], handle: str, web: str) -> Receipt:
    """From an answer that names the record's ``uri`` and ``cid``. Raises KeyError without."""
    uri, cid = str(answer["uri"]), str(answer["cid"])
    # Servers say this of a handle whose domain does not confirm it.
    who = author_of(uri) if handle == "handle.invalid" else handle
    return Receipt(uri, f"{web}/profile/{who}/post/{key_of(uri)}", {"uri": uri, "cid": cid})


def author_of(uri: str) -> str:
    return uri.removeprefix("at://").partition("/")[0]


def key_of(uri: str) -> str:
    return uri.rpartition("/")[2]


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(value: object) -> datetime:
    """A record's ``createdAt``, which its author chose; the epoch where it is none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reference(receipt: Receipt) -> dict[str, str]:
    return {"uri": receipt.data["uri"], "cid": receipt.data["cid"]}

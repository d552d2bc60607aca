"""A record as its readers see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from postkit.emulator.base import Refusal
from postkit.emulator.timeline import LivePost, ShownCard, TextLink

from .answers import HANDLE, NAME
from .blobs import Blobs
from .gates import replies_of
from .lexicon import Flaw, blobs_of, check_post

WEB = "https://bsky.app"


def live_post(
    record: dict[str, Any],
    *,
    uri: str,
    cid: str,
    url: str,
    now: datetime,
    blobs: Blobs,
    gate: dict[str, Any] | None = None,
) -> LivePost:
    try:
        check_post(record)
        for blob in blobs_of(record):
            blobs.check(blob)
    except (Flaw, Refusal):
        # Written with "validate": false, and no reader could show more of it.
        text = record.get("text")
        record, whole = {"text": text if isinstance(text, str) else ""}, record
    else:
        whole = record
    embed = record.get("embed") or {}
    labels = [str(label.get("val")) for label in (record.get("labels") or {}).get("values", [])]
    languages = record.get("langs") or [None]
    reply = record.get("reply")
    return LivePost(
        network="bluesky",
        id=uri,
        account=HANDLE,
        author=NAME,
        text=record["text"],
        links=tuple(_links(record)),
        media=tuple(blobs.shown(*one) for one in _media(embed)),
        parent=reply["parent"]["uri"] if reply else None,
        card=_card(embed["external"], blobs) if _is_card(embed) else None,
        link=embed["external"]["uri"] if _is_card(embed) else None,
        content_warning=", ".join(labels) or None,
        language=languages[0],
        replies=replies_of(gate and gate["value"]),
        tags=tuple(record.get("tags") or ()),
        url=url,
        created_at=now,
        extra={
            "record": whole,
            "cid": cid,
            "gate": gate,
        },
    )


def _is_card(embed: dict[str, Any]) -> bool:
    return embed.get("$type") == "app.bsky.embed.external"


def _card(external: dict[str, Any], blobs: Blobs) -> ShownCard:
    thumb = external.get("thumb")
    return ShownCard(
        str(external["title"]),
        str(external["description"]),
        blobs.shown(thumb) if thumb else None,
    )


def _media(embed: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each blob with what the record says of it."""
    if embed.get("$type") == "app.bsky.embed.images":
        yield from ((image["image"], image) for image in embed["images"])
    elif embed.get("$type") == "app.bsky.embed.video":
        yield embed["video"], embed


def _links(record: dict[str, Any]) -> Iterator[TextLink]:
    """Byte offsets as code points; what is not on a boundary, or beyond the end, is no link."""
    raw = record["text"].encode("utf-8", "surrogatepass")
    for facet in record.get("facets") or []:
        index = facet["index"]
        try:
            before = raw[: index["byteStart"]].decode("utf-8", "surrogatepass")
            inside = raw[index["byteStart"] : index["byteEnd"]].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            continue
        for feature in facet["features"]:
            href = _href(feature)
            if inside and href:
                yield TextLink(len(before), len(before) + len(inside), href)


def _href(feature: dict[str, Any]) -> str | None:
    if "uri" in feature:
        return str(feature["uri"])
    if "did" in feature:
        return f"{WEB}/profile/{feature['did']}"
    return f"{WEB}/hashtag/{feature['tag']}" if "tag" in feature else None

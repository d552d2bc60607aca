"""What a feed post may be, and how lists show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from postkit.emulator.timeline import LivePost, ShownMedia

from .answers import refusal
from .owners import PAGE_ID

MESSAGE_UNITS = 63_206
"""UTF-16 units: the network's unit is not known, and this is the strictest."""


def check_message(message: str) -> None:
    if len(message.encode("utf-16-le", "surrogatepass")) // 2 > MESSAGE_UNITS:
        raise refusal("(#100) Name parameter too long", 100)


def check_link(link: str) -> None:
    parts = urlsplit(link)
    if link and (parts.scheme not in ("http", "https") or "." not in (parts.hostname or "")):
        raise refusal("(#100) link URL is not properly formatted", 100, subcode=2061006)


def is_repeat(posts: Sequence[LivePost], message: str, link: str) -> bool:
    """Whether the Page's newest post says the same (``posts`` are newest first)."""
    if not posts or posts[0].media:
        return False
    return (posts[0].text, posts[0].link or "") == (message, link)


def stamp(moment: datetime) -> str:
    """``2026-11-23T10:00:00+0000``: whole seconds, no colon in the offset."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def attachments(post: LivePost) -> dict[str, Any] | None:
    """One photo or video is the attachment itself; photos lie below an album; a link is a card."""
    if post.link:
        card = {"media_type": "link", "type": "share", "target": {"url": post.link}}
        return {"data": [{**card, "unshimmed_url": post.link, "url": post.link}]}
    if not post.media:
        return None
    rows = [_medium(media) for media in post.media]
    if len(rows) == 1:
        return {"data": rows}
    album = {
        "media_type": "album",
        "type": "album",
        "target": {"id": post.id.partition("_")[2], "url": post.url},
        "unshimmed_url": post.url,
        "subattachments": {"data": rows},
    }
    return {"data": [album]}


def _medium(media: ShownMedia) -> dict[str, Any]:
    if media.mime.startswith("video/"):
        page = f"https://www.facebook.com/{PAGE_ID}/videos/{media.id}/"
        return {
            "media_type": "video",
            "type": "video_inline",
            "target": {"id": media.id, "url": page},
            "unshimmed_url": page,
            "url": page,
        }
    url = f"https://www.facebook.com/photo.php?fbid={media.id}"
    return {
        "media_type": "photo",
        "type": "photo",
        "target": {"id": media.id, "url": url},
        "unshimmed_url": url,
        "url": url,
    }

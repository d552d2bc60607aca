"""Bodies and headers as a Mastodon server sends them.

Sources: docs.joinmastodon.org (entities/Status, entities/V2_Instance, entities/MediaAttachment,
api/rate-limits), checked 2026-11-23. Texts of validation errors are those of the server's
English locale; the API documents none of them, so clients must not depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.rates import RateState
from postkit.emulator.timeline import LivePost, ShownMedia

from ..limits import LIMITS, RULES
from .content import to_html

ACCOUNT_ID = "109300000000000001"
HANDLE = "emulated"
NAME = "Emulated Account"
URL_LENGTH = 23
MAX_MEDIA = 4
MAX_DESCRIPTION = 1500
MAX_IMAGE_BYTES = 16_777_216
MAX_IMAGE_PIXELS = 33_177_600
MAX_GIF_PIXELS = 921_600
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
VIDEO_TYPES = ("video/webm", "video/mp4", "video/quicktime", "video/ogg")
MAX_VIDEO_PIXELS = 8_294_400
MAX_VIDEO_RATE = 120
POLL = {
    "max_options": 4,
    "max_characters_per_option": 50,
    "min_expiration": 300,
    "max_expiration": 2_629_746,
}


def error(status: int, text: str) -> Refusal:
    return Refusal(JSONResponse({"error": text}, status))


def invalid(*problems: str) -> Refusal:
    return error(422, f"Validation failed: {', '.join(problems)}")


def not_found() -> Refusal:
    return error(404, "Record not found")


def not_emulated(what: str) -> Refusal:
    return Refusal(JSONResponse({"postkit_emulator": f"{what} is not emulated."}, 501))


def rate_headers(response: Response, rate: RateState) -> None:
    response.headers["X-RateLimit-Limit"] = str(rate.limit)
    response.headers["X-RateLimit-Remaining"] = str(rate.remaining)
    response.headers["X-RateLimit-Reset"] = stamp(rate.reset_at, "microseconds")


def stamp(moment: datetime, precision: str = "milliseconds") -> str:
    """ISO 8601 with a Z: milliseconds in entities, microseconds in rate limit headers."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def instance(
    domain: str, *, version: str, max_characters: int, video_size_limit: int
) -> dict[str, Any]:
    """GET /api/v2/instance. Sound alone cannot be uploaded here, so it is not listed."""
    return {
        "domain": domain,
        "title": "Emulated Mastodon",
        "version": version,
        "source_url": "https://github.com/mastodon/mastodon",
        "description": "A rehearsal: nothing here is public.",
        "usage": {"users": {"active_month": 1}},
        "languages": ["en"],
        "configuration": {
            "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
            "statuses": {
                "max_characters": max_characters,
                "max_media_attachments": MAX_MEDIA,
                "characters_reserved_per_url": URL_LENGTH,
            },
            "media_attachments": {
                "description_limit": MAX_DESCRIPTION,
                "supported_mime_types": [*IMAGE_TYPES, *VIDEO_TYPES],
                "image_size_limit": MAX_IMAGE_BYTES,
                "image_matrix_limit": MAX_IMAGE_PIXELS,
                "video_size_limit": video_size_limit,
                "video_matrix_limit": MAX_VIDEO_PIXELS,
                "video_frame_rate_limit": MAX_VIDEO_RATE,
            },
            "polls": dict(POLL),
        },
        "registrations": {"enabled": False, "approval_required": False, "message": None},
        "api_versions": {"mastodon": 7},
        "rules": [],
    }


def account(root: str, statuses: int) -> dict[str, Any]:
    """An Account; ``root`` is the address of the emulated server."""
    return {
        "id": ACCOUNT_ID,
        "username": HANDLE,
        "acct": HANDLE,
        "display_name": NAME,
        "locked": False,
        "bot": False,
        "created_at": "2026-01-01T00:00:00.000Z",
        "note": "",
        "url": f"{root}/@{HANDLE}",
        "uri": f"{root}/users/{HANDLE}",
        "followers_count": 0,
        "following_count": 0,
        "statuses_count": statuses,
        "emojis": [],
        "fields": [],
    }


def attachment(media: ShownMedia, base: str, *, ready: bool = True) -> dict[str, Any]:
    """A MediaAttachment; until it is ``ready`` it has no address."""
    url = f"{base}/_postkit/media/{media.sha256}" if ready else None
    size: dict[str, Any] = {"width": media.width, "height": media.height}
    if media.mime.startswith("image/"):
        size |= {"size": f"{media.width}x{media.height}", "aspect": media.width / media.height}
    return {
        "id": media.id,
        "type": _type_of(media),
        "url": url,
        "preview_url": url,
        "remote_url": None,
        "meta": {"original": size} if ready else {},
        "description": media.alt or None,
        "blurhash": None,
    }


def _type_of(media: ShownMedia) -> str:
    if media.mime.startswith("video/"):
        return "video"
    return "gifv" if media.mime == "image/gif" else "image"


def status(
    post: LivePost, *, root: str, base: str, parent: str | None, replies: int, statuses: int
) -> dict[str, Any]:
    """A Status; ``parent`` is None where the post that it answers was deleted."""
    return {
        "id": post.id,
        "created_at": stamp(post.created_at),
        "in_reply_to_id": parent,
        "in_reply_to_account_id": ACCOUNT_ID if parent else None,
        "sensitive": bool(post.extra["sensitive"]),
        "spoiler_text": post.content_warning or "",
        "visibility": post.visibility,
        "language": post.language,
        "uri": f"{root}/users/{HANDLE}/statuses/{post.id}",
        "url": post.url,
        "replies_count": replies,
        "reblogs_count": 0,
        "favourites_count": 0,
        "quotes_count": 0,
        "edited_at": None,
        "favourited": False,
        "reblogged": False,
        "muted": False,
        "bookmarked": False,
        "pinned": False,
        "content": to_html(post.text, RULES, root),
        "reblog": None,
        "application": {"name": "postkit emulator", "website": None},
        "account": account(root, statuses),
        "media_attachments": [attachment(media, base) for media in post.media],
        "mentions": [],
        "tags": _tags(post.text, root),
        "emojis": [],
        "card": None,
        "poll": _poll(post),
    }


def counter_of_text() -> Any:
    """The table's own counter: graphemes, a URL as 23, a mention without its server."""
    return LIMITS.text[0].counter


def _tags(text: str, root: str) -> list[dict[str, str]]:
    names = [text[e.start + 1 : e.end].lower() for e in RULES.detect(text) if e.kind == "hashtag"]
    return [{"name": name, "url": f"{root}/tags/{name}"} for name in dict.fromkeys(names)]


def _poll(post: LivePost) -> Mapping[str, Any] | None:
    if post.poll is None:
        return None
    ends = post.poll.ends_at
    return {
        "id": post.id,
        "expires_at": stamp(ends) if ends else None,
        "expired": False,
        "multiple": post.poll.multiple,
        "votes_count": 0,
        "voters_count": 0,
        "options": [{"title": title, "votes_count": 0} for title in post.poll.options],
        "emojis": [],
        "voted": True,
        "own_votes": [],
    }

"""The one create request of a post, and whether a listed submission is what it made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from postkit.network import Outgoing, Receipt, RenderedPart

from .limits import DAY, subreddit_of
from .markdown import markdown, same_text

SUBMIT = "api/submit/"
SUBMIT_GALLERY = "api/submit_gallery_post.json"
SUBMIT_POLL = "api/submit_poll_post"
VIDEO_HOSTS = ("v.redd.it", "reddit-uploaded-video.s3-accelerate.amazonaws.com")
"""Where a video is, and where it is while it is processed (seen in many clients; no page tells
it; checked 2026-11-29)."""

_VIEW_POLL = re.compile(r"\s*\[View Poll\]\(https://www\.reddit\.com/poll/[a-z0-9]+\)\s*\Z")
"""What Reddit adds to the source of a poll's text (praw's recorded answers of 2020, checked
2026-11-29)."""


def options_of(part: RenderedPart) -> Mapping[str, Any]:
    options = part.fields.get("options")
    return options if isinstance(options, Mapping) else {}


def subreddit_for(part: RenderedPart, target: str | None = None) -> str:
    return str(part.fields.get("subreddit") or subreddit_of(target))


def source_of(part: RenderedPart) -> str:
    """The Markdown that is sent for the part's text."""
    is_markdown = options_of(part).get("markdown") or part.fields.get("markup") == "markdown"
    return part.text if is_markdown else markdown(part.text)


def kind_of(part: RenderedPart) -> str:
    """``self``, ``link``, ``poll``, ``image``, ``gallery`` or ``video``."""
    if any(media.kind == "video" for media in part.media):
        return "video"
    if part.media:
        return "image" if len(part.media) == 1 else "gallery"
    if part.fields.get("poll"):
        return "poll"
    return "link" if part.fields.get("link") else "self"


def uploads_of(outgoing: Outgoing) -> list[Mapping[str, str]]:
    return [outgoing.prepared[f"media_{n}"] for n in range(len(outgoing.part.media))]


def request_of(
    outgoing: Outgoing,
) -> tuple[str, dict[str, Any] | None, dict[str, Any] | None]:
    """Path, form and JSON body: the same outgoing gives the same request."""
    part = outgoing.part
    options, kind, text = options_of(part), kind_of(part), source_of(part)
    body: dict[str, Any] = {
        "sr": subreddit_for(part, outgoing.target),
        "title": part.fields.get("title") or "",
        "nsfw": bool(options.get("nsfw", False)),
        "spoiler": bool(options.get("spoiler", False)),
        "sendreplies": bool(options.get("sendreplies", True)),
        "validate_on_submit": True,
    }
    flair = outgoing.prepared.get("flair")
    if flair:
        body["flair_id"] = flair["id"]
    if text or kind in ("self", "poll"):
        body["text"] = text
    if kind == "gallery":
        captions = bool(options.get("captions"))
        body["show_error_list"] = True
        body["items"] = [
            {
                "caption": image.alt if captions else "",
                "media_id": upload["asset"],
                "outbound_url": "",
            }
            for image, upload in zip(part.media, uploads_of(outgoing), strict=True)
        ]
        return SUBMIT_GALLERY, None, body
    body["resubmit"] = bool(options.get("resubmit", True))
    if kind == "poll":
        poll = part.fields["poll"]
        body["options"] = list(poll["options"])
        body["duration"] = int(poll["minutes"]) // DAY
        return SUBMIT_POLL, None, body
    body["kind"] = kind
    if kind == "link":
        body["url"] = part.fields["link"]
    if kind in ("image", "video"):
        body["url"] = uploads_of(outgoing)[0]["url"]
    if kind == "video":
        body["video_poster_url"] = outgoing.prepared["poster"]["url"]
    return SUBMIT, body, None


def created_at(listed: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(float(listed.get("created_utc") or 0), UTC)


def receipt_of_listed(listed: Mapping[str, Any], base: str) -> Receipt:
    link = listed.get("permalink")
    return Receipt(str(listed["name"]), f"{base}{link}" if link else None)


def listed_kind(listed: Mapping[str, Any]) -> str:
    if listed.get("is_gallery"):
        return "gallery"
    if listed.get("poll_data"):
        return "poll"
    if listed.get("is_self"):
        return "self"
    if listed.get("is_video") or _host(listed) in VIDEO_HOSTS:
        return "video"
    return "image" if listed.get("post_hint") == "image" or _is_upload(listed) else "link"


def assets_of(listed: Mapping[str, Any]) -> list[str]:
    items = (listed.get("gallery_data") or {}).get("items") or ()
    return [str(item.get("media_id")) for item in items]


def same(listed: Mapping[str, Any], outgoing: Outgoing) -> bool:
    """Whether a listed submission has the content of ``outgoing``."""
    part, kind = outgoing.part, kind_of(outgoing.part)
    subreddit = subreddit_for(part, outgoing.target)
    title = str(part.fields.get("title") or "")
    if (
        str(listed.get("subreddit", "")).casefold() != subreddit.casefold()
        or str(listed.get("title", "")).split() != title.split()
        or not same_text(_text_of(listed), source_of(part))
    ):
        return False
    found = listed_kind(listed)
    if kind == "link":
        # A link to a picture is listed like an uploaded one.
        address = str(listed.get("url_overridden_by_dest") or listed.get("url") or "")
        return found in ("link", "image") and _address(address) == _address(part.fields["link"])
    if kind == "poll":
        return found == kind and _options_of(listed) == list(part.fields["poll"]["options"])
    if kind == "gallery":
        return found == kind and len(assets_of(listed)) in (0, len(part.media))
    return found == kind


def proved(listed: Mapping[str, Any], outgoing: Outgoing) -> bool:
    """Whether it shows the very files that we uploaded, which nobody else can name."""
    kind = kind_of(outgoing.part)
    if kind == "gallery":
        return assets_of(listed) == [upload["asset"] for upload in uploads_of(outgoing)]
    if kind in ("image", "video"):
        return uploads_of(outgoing)[0]["asset"] in str(listed.get("url") or "")
    return False


def _text_of(listed: Mapping[str, Any]) -> str:
    text = str(listed.get("selftext") or "")
    return _VIEW_POLL.sub("", text) if listed.get("poll_data") else text


def _options_of(listed: Mapping[str, Any]) -> list[str]:
    return [str(option.get("text")) for option in listed["poll_data"].get("options") or ()]


def _host(listed: Mapping[str, Any]) -> str:
    return urlsplit(str(listed.get("url") or "")).hostname or ""


def _is_upload(listed: Mapping[str, Any]) -> bool:
    host = _host(listed)
    # While a picture is processed, its post may still name the storage host.
    return host == "i.redd.it" or host.startswith("reddit-uploaded-media.")


def _address(url: str) -> str:
    parts = urlsplit(url.strip())
    port = f":{parts.port}" if parts.port else ""
    path = parts.path.rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}{path}{query}"

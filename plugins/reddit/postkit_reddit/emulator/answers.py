"""Bodies as Reddit sends them.

Sources: praw 8.0.3 and prawcore 4.0.0 (what they parse), checked 2026-11-23. The texts of
in-band errors are not documented, so clients must not depend on them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from postkit.emulator.base import Refusal
from postkit.emulator.timeline import LivePost, ShownPoll

USER = "postkit_emulated"
USER_ID = "p0stk1t"
NO_TEXT = ("NO_TEXT", "we need something here")
BUSY = (
    "<!doctype html><html><head><title>Too Many Requests</title></head><body>"
    "<h1>whoa there, pardner!</h1><p>we're sorry, but you appear to be a bot and we've seen too "
    "many requests from you lately. please set a unique, descriptive user agent.</p></body></html>"
)


def answer(request: Request, data: Any, status: int = 200) -> JSONResponse:
    """JSON; without ``raw_json=1`` Reddit escapes <, > and & in every string."""
    raw = request.query_params.get("raw_json") == "1"
    return JSONResponse(data if raw else _escaped(data), status)


def http_error(status: int, message: str, reason: str | None = None) -> Response:
    """An error of the API host: the shape of its 401, 403, 404 and 429."""
    body: dict[str, Any] = {"message": message, "error": status}
    if reason is not None:
        body["reason"] = reason
    headers = {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="reddit", error="invalid_token"'
    return JSONResponse(body, status, headers)


def lacks_scope() -> Response:
    headers = {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
    return JSONResponse({"message": "Forbidden", "error": 403}, 403, headers)


def pardner() -> Response:
    """What clients with a library's own User-Agent get."""
    return HTMLResponse(BUSY, 429)


def in_band(code: str, message: str, field: str = "") -> Refusal:
    """A refusal with the status of a success."""
    return Refusal(JSONResponse({"json": {"errors": [[code, message, field]]}}))


def listing(children: Iterable[Mapping[str, Any]], after: str | None = None) -> dict[str, Any]:
    rows = [{"kind": "t3", "data": dict(child)} for child in children]
    data = {"after": after, "before": None, "dist": len(rows), "modhash": None, "children": rows}
    return {"kind": "Listing", "data": data}


def submission(post: LivePost, base: str) -> dict[str, Any]:
    """A submission as listings show it; ``base`` is where the emulator's own pages are."""
    extra = post.extra
    created = float(int(post.created_at.timestamp()))
    kind = extra["kind"]
    source = extra["source"]
    if post.poll is not None:
        view = f"[View Poll](https://www.reddit.com/poll/{post.id.removeprefix('t3_')})"
        source = "\n\n".join(filter(None, (source, view)))
    data: dict[str, Any] = {
        "id": post.id.removeprefix("t3_"),
        "name": post.id,
        "author": post.account,
        "author_fullname": f"t2_{USER_ID}",
        "subreddit": extra["subreddit"],
        "subreddit_name_prefixed": post.target,
        "title": post.title,
        "selftext": source,
        "selftext_html": _html(source),
        "is_self": kind in ("self", "poll"),
        "is_gallery": kind == "gallery",
        "is_video": kind == "video",
        "url": extra["url"],
        "permalink": extra["permalink"],
        "created": created,
        "created_utc": created,
        "edited": False,
        "over_18": extra["nsfw"],
        "spoiler": extra["spoiler"],
        "send_replies": extra["sendreplies"],
        "link_flair_text": extra["flair_text"],
        "link_flair_template_id": extra["flair_id"],
        "domain": extra["domain"],
        "score": 1,
        "ups": 1,
        "upvote_ratio": 1.0,
        "num_comments": 0,
        "view_count": None,
        "removed_by_category": None,
    }
    if post.poll is not None:
        data["poll_data"] = _poll(post.poll)
    if kind in ("link", "image", "video"):
        data["url_overridden_by_dest"] = extra["url"]
    if kind == "image":
        data["post_hint"] = "image"
    if kind == "video":
        data["post_hint"] = "hosted:video"
        (video,) = post.media
        shape = {"height": video.height, "width": video.width, "is_gif": False}
        data["media"] = {"reddit_video": {**shape, "transcoding_status": "completed"}}
    if kind == "gallery":
        data["gallery_data"] = {
            "items": [
                {"media_id": media.id, "id": number, "caption": caption}
                for number, (media, caption) in enumerate(
                    zip(post.media, extra["captions"], strict=True), 1
                )
            ]
        }
        data["media_metadata"] = {
            media.id: {
                "status": "valid",
                "e": "Image",
                "m": media.mime,
                "id": media.id,
                "s": {
                    "x": media.width,
                    "y": media.height,
                    "u": f"{base}/_postkit/media/{media.sha256}",
                },
            }
            for media in post.media
        }
    return data


def _poll(poll: ShownPoll) -> dict[str, Any]:
    """As in praw's recorded answers of 2020, checked 2026-11-29."""
    return {
        "user_selection": None,
        "options": [
            {"text": text, "vote_count": 0, "id": str(number)}
            for number, text in enumerate(poll.options, 576_784)
        ],
        "voting_end_timestamp": int(poll.ends_at.timestamp() * 1000) if poll.ends_at else None,
        "total_vote_count": 0,
    }


def _html(source: str) -> str | None:
    """Paragraphs only: what Markdown makes of a text is not emulated here."""
    parts = [part for part in source.split("\n\n") if part.strip()]
    if not parts:
        return None
    return f'<div class="md">{"".join(f"<p>{html.escape(part)}</p>" for part in parts)}</div>'


def _escaped(data: Any) -> Any:
    if isinstance(data, str):
        return html.escape(data, quote=False)
    if isinstance(data, dict):
        return {key: _escaped(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_escaped(value) for value in data]
    return data

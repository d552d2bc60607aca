"""The list of a user's own posts, with the fields that were asked for and no others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World

from .posts import ACCOUNT, NETWORK, USER_ID
from .problems import invalid, not_found

PARAMETERS = frozenset(
    (
        *("max_results", "pagination_token", "start_time", "end_time", "since_id", "until_id"),
        *("exclude", "expansions", "tweet.fields", "media.fields", "user.fields", "poll.fields"),
        "place.fields",
    )
)
FIELDS = frozenset(
    (
        *("id", "text", "edit_history_post_ids", "created_at", "author_id", "conversation_id"),
        *("attachments", "entities", "referenced_tweets", "note_tweet", "reply_settings"),
        *("in_reply_to_user_id", "lang"),
    )
)
EXPANSIONS = frozenset(("attachments.media_keys", "author_id", "attachments.poll_ids"))
ALWAYS = ("id", "text", "edit_history_post_ids")


class Lists:
    def __init__(self, world: World) -> None:
        self._world = world

    async def me(self, _request: Request) -> Response:
        """GET /2/users/me."""
        return JSONResponse({"data": {"id": USER_ID, "name": "Emulated on X", "username": ACCOUNT}})

    async def own(self, request: Request) -> Response:
        """GET /2/users/{id}/tweets: newest first; times have whole seconds."""
        if request.path_params["id"] != USER_ID:
            raise not_found("user with id", request.path_params["id"])
        query = dict(request.query_params)
        _check(query)
        posts = [post for post in self._world.timeline.list(NETWORK, ACCOUNT) if _in(post, query)]
        # By id, as X does: a post that became live late has an early id.
        posts.sort(key=lambda post: int(post.id), reverse=True)
        count = int(query.get("max_results", 10))
        start = int(query.get("pagination_token", "0"))
        page = posts[start : start + count]
        fields = _words(query, "tweet.fields") | set(ALWAYS)
        answer: dict[str, Any] = {}
        if page:
            answer["data"] = [_shown(post, fields) for post in page]
            if "attachments.media_keys" in _words(query, "expansions"):
                media = [row for post in page for row in _media(post, query)]
                if media:
                    answer["includes"] = {"media": media}
        answer["meta"] = {"result_count": len(page)}
        if page:
            answer["meta"] |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if start + count < len(posts):
            answer["meta"]["next_token"] = str(start + count)
        return JSONResponse(answer)


def _check(query: Mapping[str, str]) -> None:
    mistakes = [
        (name, f"The query parameter [{name}] is not one of the documented ones.")
        for name in query
        if name not in PARAMETERS
    ]
    for name, known in (("tweet.fields", FIELDS), ("expansions", EXPANSIONS)):
        unknown = sorted(_words(query, name) - known)
        mistakes += [(name, f"The `{name}` value [{word}] is not known here.") for word in unknown]
    count = query.get("max_results", "10")
    if not count.isdecimal() or not 5 <= int(count) <= 100:
        mistakes.append(("max_results", f"The value [{count}] is not between 5 and 100."))
    for name in ("start_time", "end_time"):
        if name in query and _moment(query[name]) is None:
            mistakes.append((name, f"Invalid '{name}':'{query[name]}'."))
    for name in ("since_id", "until_id", "pagination_token"):
        if name in query and not query[name].isdecimal():
            mistakes.append((name, f"The value [{query[name]}] is not valid."))
    if mistakes:
        raise invalid(mistakes, query)


def _words(query: Mapping[str, str], name: str) -> set[str]:
    return {word for word in query.get(name, "").split(",") if word}


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _in(post: LivePost, query: Mapping[str, str]) -> bool:
    start, end = _moment(query.get("start_time", "")), _moment(query.get("end_time", ""))
    return (
        (start is None or post.created_at >= start)
        and (end is None or post.created_at < end)
        and ("since_id" not in query or int(post.id) > int(query["since_id"]))
        and ("until_id" not in query or int(post.id) < int(query["until_id"]))
    )


def _shown(post: LivePost, fields: set[str]) -> dict[str, Any]:
    extra = post.extra
    attachments: dict[str, Any] = {}
    if extra.get("media_keys"):
        attachments["media_keys"] = extra["media_keys"]
    if post.poll is not None:
        attachments["poll_ids"] = [f"{post.id}1"]
    whole: dict[str, Any] = {
        "id": post.id,
        "text": extra.get("shown", post.text),
        "edit_history_post_ids": [post.id],
        "created_at": _stamp(post.created_at),
        "author_id": USER_ID,
        "conversation_id": extra.get("conversation_id", post.id),
        "reply_settings": extra.get("asked", {}).get("reply_settings", "everyone"),
        "lang": "und",
    }
    if attachments:
        whole["attachments"] = attachments
    if extra.get("urls"):
        whole["entities"] = {"urls": extra["urls"]}
    if post.parent:
        whole["referenced_tweets"] = [{"type": "replied_to", "id": post.parent}]
        whole["in_reply_to_user_id"] = USER_ID
    return {name: value for name, value in whole.items() if name in fields}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _media(post: LivePost, query: Mapping[str, str]) -> list[dict[str, Any]]:
    wanted = _words(query, "media.fields")
    rows = []
    for key, shown in zip(post.extra.get("media_keys", ()), post.media, strict=True):
        told = {"alt_text": shown.alt, "width": shown.width, "height": shown.height}
        row: dict[str, Any] = {"media_key": key, "type": "photo"}
        rows.append(row | {name: told[name] for name in told if name in wanted and told[name]})
    return rows

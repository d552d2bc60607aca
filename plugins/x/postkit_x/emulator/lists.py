"""Reading: the user, the list of the user's own posts, and posts by their ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World

from . import shapes
from .posts import ACCOUNT, NETWORK, USER_ID
from .problems import TYPES, not_found

PARAMETERS = frozenset(
    (
        *("max_results", "pagination_token", "start_time", "end_time", "since_id", "until_id"),
        "exclude",
    )
)
EXCLUDED = frozenset(("replies", "retweets"))
_ID = re.compile(r"[0-9]{1,19}")


class Lists:
    def __init__(self, world: World) -> None:
        self._world = world

    async def me(self, request: Request) -> Response:
        """GET /2/users/me."""
        query = dict(request.query_params)
        shapes.check(query, frozenset(), [])
        return JSONResponse({"data": shapes.user(query)})

    async def own(self, request: Request) -> Response:
        """GET /2/users/{id}/tweets: newest first; times have whole seconds."""
        if request.path_params["id"] != USER_ID:
            raise not_found("user with id", request.path_params["id"])
        query = dict(request.query_params)
        shapes.check(query, PARAMETERS, _mistakes(query))
        posts = [post for post in self._world.timeline.list(NETWORK, ACCOUNT) if _in(post, query)]
        # By id, as X does: a post that became live late has an early id.
        posts.sort(key=lambda post: int(post.id), reverse=True)
        count = int(query.get("max_results", 10))
        start = int(query.get("pagination_token", "0"))
        page = posts[start : start + count]
        answer = shapes.page(page, query, self._replies) if page else {}
        answer["meta"] = {"result_count": len(page)}
        if page:
            answer["meta"] |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if start + count < len(posts):
            answer["meta"]["next_token"] = str(start + count)
        return JSONResponse(answer)

    async def one(self, request: Request) -> Response:
        """GET /2/tweets/{id}."""
        query = dict(request.query_params)
        wanted = request.path_params["id"]
        shapes.check(query, frozenset(), _bad_ids("id", [wanted]))
        answer = self._found([wanted], query, "id")
        if "data" in answer:
            (answer["data"],) = answer["data"]
        return JSONResponse(answer)

    async def several(self, request: Request) -> Response:
        """GET /2/tweets?ids=...: what is not there is named beside what is."""
        query = dict(request.query_params)
        wanted = query.get("ids", "").split(",")
        mistakes = _bad_ids("ids", wanted)
        if len(wanted) > 100:
            mistakes.append(("ids", "The number of values in `ids` must be 1 to 100."))
        shapes.check(query, frozenset(("ids",)), mistakes)
        return JSONResponse(self._found(wanted, query, "ids"))

    def _found(self, ids: list[str], query: Mapping[str, str], parameter: str) -> dict[str, Any]:
        """A read by id finds a post that lists do not show yet."""
        posts = {wanted: self._world.timeline.get(NETWORK, wanted) for wanted in ids}
        there = [post for post in posts.values() if post is not None]
        answer = shapes.page(there, query, self._replies) if there else {}
        missing = [
            {
                "value": wanted,
                "detail": f"Could not find tweet with {parameter}: [{wanted}].",
                "title": "Not Found Error",
                "resource_type": "tweet",
                "parameter": parameter,
                "resource_id": wanted,
                "type": f"{TYPES}resource-not-found",
            }
            for wanted, post in posts.items()
            if post is None
        ]
        return answer | ({"errors": missing} if missing else {})

    def _replies(self, post_id: str) -> int:
        return len(self._world.timeline.replies(NETWORK, post_id))


def _mistakes(query: Mapping[str, str]) -> shapes.Mistakes:
    mistakes = []
    count = query.get("max_results", "10")
    if not re.fullmatch("[0-9]{1,3}", count) or not 5 <= int(count) <= 100:
        mistakes.append(("max_results", f"The value [{count}] is not between 5 and 100."))
    mistakes += [
        (name, f"Invalid '{name}':'{query[name]}'.")
        for name in ("start_time", "end_time")
        if name in query and _moment(query[name]) is None
    ]
    for name in ("since_id", "until_id", "pagination_token"):
        if name in query:
            mistakes += _bad_ids(name, [query[name]])
    mistakes += [
        ("exclude", f"The `exclude` query parameter value [{word}] is not one of the known ones.")
        for word in sorted(shapes.words(query, "exclude") - EXCLUDED)
    ]
    return mistakes


def _bad_ids(name: str, values: list[str]) -> shapes.Mistakes:
    bad = [value for value in values if not _ID.fullmatch(value)]
    return [(name, f"The `{name}` query parameter value [{value}] is not valid.") for value in bad]


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
        and ("replies" not in shapes.words(query, "exclude") or post.parent is None)
    )

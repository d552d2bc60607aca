"""Reading: the user's and the communities' lists, and submissions by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World

from .answers import USER, USER_ID, answer, http_error, listing, submission
from .communities import Community

NETWORK = "reddit"


class Lists:
    def __init__(self, world: World) -> None:
        self._world = world

    async def submitted(self, request: Request) -> Response:
        """GET /user/{name}/submitted, newest first."""
        if request.path_params["name"].lower() != USER:
            return http_error(404, "Not Found")
        return self._page(request, self._world.timeline.list(NETWORK, USER))

    async def of_community(self, request: Request, community: Community) -> Response:
        """GET /r/{subreddit}/new and /hot: nobody votes here, so they are the same."""
        posts = [
            post
            for post in self._world.timeline.list(NETWORK)
            if post.extra["subreddit"].lower() == community.name.lower()
        ]
        return self._page(request, posts)

    async def info(self, request: Request) -> Response:
        """GET /api/info: a read by id finds a post that lists do not show yet."""
        names = request.query_params.get("id", "").split(",")
        found = [self._world.timeline.get(NETWORK, name) for name in names]
        return answer(request, listing(self._shape(post) for post in found if post is not None))

    async def comments(self, request: Request) -> Response:
        """GET /comments/{id}: the submission, and no comments."""
        post = self._world.timeline.get(NETWORK, f"t3_{request.path_params['number']}")
        if post is None:
            return http_error(404, "Not Found")
        return answer(request, [listing([self._shape(post)]), listing([])])

    async def about_user(self, request: Request) -> Response:
        """GET /user/{name}/about."""
        if request.path_params["name"].lower() != USER:
            return http_error(404, "Not Found")
        return answer(request, {"kind": "t2", "data": me()})

    def _page(self, request: Request, posts: Sequence[LivePost]) -> Response:
        after = request.query_params.get("after")
        names = [post.id for post in posts]
        start = names.index(after) + 1 if after in names else 0
        try:
            count = min(max(int(request.query_params.get("limit", "25")), 1), 100)
        except ValueError:
            count = 25
        page = posts[start : start + count]
        more = page[-1].id if page and len(posts) > start + count else None
        return answer(request, listing([self._shape(post) for post in page], more))

    def _shape(self, post: LivePost) -> dict[str, Any]:
        return submission(post, self._world.base_url)


def me() -> dict[str, Any]:
    """The emulated user."""
    return {
        "id": USER_ID,
        "name": USER,
        "created_utc": 1_767_225_600.0,
        "has_verified_email": True,
        "is_suspended": False,
        "link_karma": 1,
        "comment_karma": 1,
        "total_karma": 2,
        "icon_img": "",
        "over_18": False,
    }


def about(community: Community) -> dict[str, Any]:
    """GET /r/{subreddit}/about."""
    return {
        "id": "2postkit",
        "name": "t5_2postkit",
        "display_name": community.name,
        "display_name_prefixed": f"r/{community.name}",
        "title": community.name,
        "public_description": "",
        "subscribers": 1,
        "subreddit_type": "public",
        "over18": False,
        "created_utc": 1_767_225_600.0,
        "url": f"/r/{community.name}/",
        "user_is_subscriber": False,
        "allow_images": True,
        "link_flair_enabled": bool(community.flairs),
    }

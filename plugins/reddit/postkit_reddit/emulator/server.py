"""The emulated Reddit: its routes, logins and rate limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator, Handler, IsCreate, Refusal
from postkit.emulator.consent import Consent, loopback
from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World

from .access import CODE_LIFE, SCOPES, Access
from .answers import (
    USER,
    answer,
    http_error,
    in_band,
    lacks_scope,
    pardner,
)
from .communities import Community
from .lists import Lists, about, me
from .submit import Submissions, Wanted, wanted
from .uploads import Uploads

WINDOW = 600
"""Seconds of a rate limit window (prawcore 4.0.0, WINDOW_SIZE)."""
CALLS = 1000
"""Calls in a window: 100 a minute, averaged over ten."""
KINDS = ("self", "link", "image", "video")
OTHERS = frozenset(("richtext_json", "collection_id", "event_start"))
"""Fields of a submission that Reddit knows and that would have no effect here."""
_OPEN = ("/api/v1/authorize", "/api/v1/access_token", "/api/v1/revoke_token", "/")


class RedditEmulator(Emulator):
    """One application, one user, every subreddit (see ``communities``).

    Settings: ``redirect_uri`` is the address that the application has registered,
    ``token_seconds`` is how long an access token lives, ``scopes`` what it may do,
    ``calls`` how many calls a window has, ``break_minutes`` the pause that submissions are told
    to make (0: none), ``processing`` and ``video_processing`` after how many seconds an image
    post and a video post become live, since Reddit takes its time over them.
    """

    network = "reddit"
    title = "Reddit"
    sample_target = "postkit_demo"
    defaults: ClassVar[Mapping[str, Any]] = {
        "redirect_uri": loopback("reddit"),
        "token_seconds": 86_400,
        "scopes": SCOPES,
        "calls": CALLS,
        "break_minutes": 0,
        "processing": 0.0,
        "video_processing": 0.3,
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        consent = Consent(
            self.title, f"u/{USER}", world.clock, registered=self._redirects, life=CODE_LIFE
        )
        self.access = Access(world.clock, self.canary, consent)
        self.uploads = Uploads(world)
        self.lists = Lists(world)
        self._window = world.rate_limit(CALLS, WINDOW)

    def credentials(self) -> Mapping[str, str]:
        return {
            "client_id": self.access.client_id,
            "client_secret": self.access.client_secret,
            "refresh_token": self.access.refresh_token,
        }

    def app(self) -> Mapping[str, str]:
        return {"client_id": self.access.client_id, "client_secret": self.access.client_secret}

    def script_credentials(self) -> Mapping[str, str]:
        """The other way to log in: a script app with its developer's password."""
        return {
            "client_id": self.access.client_id,
            "client_secret": self.access.client_secret,
            "username": USER,
            "password": self.access.password,
        }

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self.route("/", self._upload, methods=("POST",)),
            *self._both("/api/v1/authorize", self.access.consent.page),
            *self._both("/api/v1/authorize", self.access.consent.decide, "POST"),
            *self._both("/api/v1/access_token", self._token, "POST"),
            *self._both("/api/v1/revoke_token", self.access.revoke, "POST"),
            *self._both("/api/v1/me", self._me),
            *self._both("/api/v1/{subreddit}/post_requirements", self._requirements),
            *self._both("/api/submit", self._submit, "POST", create=_is_known_kind),
            *self._both("/api/submit_gallery_post.json", self._gallery, "POST", create=True),
            *self._both("/api/submit_poll_post", self._poll, "POST", create=True),
            *self._both("/api/media/asset.json", self._lease, "POST"),
            *self._both("/r/{subreddit}/api/flairselector", self._flairs, "POST"),
            *self._both("/r/{subreddit}/api/link_flair_v2", self._templates),
            *self._both("/r/{subreddit}/new", self._new),
            *self._both("/r/{subreddit}/hot", self._new),
            *self._both("/r/{subreddit}/about", self._about),
            *self._both("/user/{name}/submitted", self.lists.submitted),
            *self._both("/user/{name}/about", self.lists.about_user),
            *self._both("/api/info", self.lists.info),
            *self._both("/api/del", self._del, "POST"),
            *self._both("/comments/{number}", self.lists.comments),
        ]

    def _both(
        self, path: str, handler: Handler, method: str = "GET", *, create: bool | IsCreate = False
    ) -> list[BaseRoute]:
        """With and without the slash at the end: praw writes both."""
        return [
            self.route(path + end, handler, methods=(method,), create=create) for end in ("", "/")
        ]

    def reset(self) -> None:
        super().reset()
        self.uploads.clear()

    def expire_tokens(self) -> None:
        self.access.expire()

    def rate_limited(self, seconds: float) -> Response:
        response = http_error(429, "Too Many Requests")
        wait = str(max(1, math.ceil(seconds)))
        response.headers["retry-after"] = wait
        response.headers["x-ratelimit-remaining"] = "0.0"
        response.headers["x-ratelimit-used"] = str(self.settings["calls"])
        response.headers["x-ratelimit-reset"] = wait
        return response

    def token_expired(self) -> Response:
        return http_error(401, "Unauthorized")

    def refuse_http(self, status: int, detail: str) -> Response:
        return http_error(status, detail)

    async def enter(self, request: Request) -> None:
        path = _path(request)
        agent = request.headers.get("user-agent", "")
        if path != "/" and (not agent or agent.lower().startswith("python-requests/")):
            raise Refusal(pardner())
        if path in _OPEN:
            return
        scopes = self.access.scopes_of(request.headers.get("authorization", ""))
        if scopes is None:
            raise Refusal(self.token_expired())
        self._window.limit = int(self.settings["calls"])
        if not self._window.take(USER).allowed:
            seconds = (self._window.peek(USER).reset_at - self.world.clock.now()).total_seconds()
            raise Refusal(self.rate_limited(seconds))
        if scopes != "*" and _scope_for(path) not in scopes.split():
            raise Refusal(lacks_scope())

    def leave(self, request: Request, response: Response) -> None:
        if _path(request) in _OPEN or "x-ratelimit-remaining" in response.headers:
            return
        state = self._window.peek(USER)
        seconds = (state.reset_at - self.world.clock.now()).total_seconds()
        response.headers["x-ratelimit-remaining"] = f"{float(state.remaining)}"
        response.headers["x-ratelimit-used"] = str(state.limit - state.remaining)
        response.headers["x-ratelimit-reset"] = str(max(0, math.ceil(seconds)))

    # Logins and the account

    def _redirects(self) -> Sequence[str]:
        return [str(self.settings["redirect_uri"])]

    async def _token(self, request: Request) -> Response:
        seconds, scopes = int(self.settings["token_seconds"]), str(self.settings["scopes"])
        return await self.access.token(request, seconds, scopes)

    async def _me(self, request: Request) -> Response:
        return answer(request, me())

    # Submissions

    async def _submit(self, request: Request) -> Response:
        async with request.form() as form:
            data = {name: str(value) for name, value in form.items()}
        kind = data.get("kind", "")
        known = OTHERS if kind == "video" else OTHERS | {"video_poster_url"}
        if others := sorted(known.intersection(data)):
            text = f"A submission with {' and '.join(others)} is not emulated."
            raise Refusal(JSONResponse({"postkit_emulator": text}, 501))
        if kind not in KINDS:
            text = f"A submission of the kind {kind!r} is not emulated."
            raise Refusal(JSONResponse({"postkit_emulator": text}, 501))
        post = self._make(wanted(kind, data))
        if kind in ("image", "video"):
            # No id: it is told to the websocket alone.
            page = f"{self._root}/user/{USER}/submitted/"
            socket = f"wss://ws-05.example/{self.world.number()}"
            done = {"user_submitted_page": page, "websocket_url": socket}
            return answer(request, {"json": {"errors": [], "data": done}})
        assert post is not None  # noqa: S101 - a bad picture was refused before
        body = {
            "url": post.url,
            "drafts_count": 0,
            "id": post.id.removeprefix("t3_"),
            "name": post.id,
        }
        return answer(request, {"json": {"errors": [], "data": body}})

    async def _gallery(self, request: Request) -> Response:
        return await self._from_json(request, "gallery")

    async def _poll(self, request: Request) -> Response:
        return await self._from_json(request, "poll")

    async def _from_json(self, request: Request, kind: str) -> Response:
        data = await request.json()
        if not isinstance(data, dict):
            return http_error(400, "Bad Request")
        post = self._make(wanted(kind, data))
        assert post is not None  # noqa: S101 - a bad picture was refused before
        return answer(request, {"json": {"errors": [], "data": {"url": post.url, "id": post.id}}})

    def _make(self, ask: Wanted) -> LivePost | None:
        minutes = int(self.settings["break_minutes"])
        if minutes:
            raise in_band(
                "RATELIMIT",
                "Looks like you've been doing that a lot. Take a break for "
                f"{minutes} minute{'s' if minutes > 1 else ''} before trying again.",
                "ratelimit",
            )
        setting = {"image": "processing", "video": "video_processing"}.get(ask.kind)
        processing = float(self.settings[setting]) if setting else 0.0
        return Submissions(self.world, self.uploads, self._root).make(ask, processing)

    async def _lease(self, request: Request) -> Response:
        async with request.form() as form:
            name, mime = str(form.get("filepath") or ""), str(form.get("mimetype") or "")
        return JSONResponse(self.uploads.lease(name, mime))

    async def _upload(self, request: Request) -> Response:
        return await self.uploads.store(request)

    async def _del(self, request: Request) -> Response:
        async with request.form() as form:
            post_id = str(form.get("id") or "")
        post = self.world.timeline.get(self.network, post_id)
        if post is not None and post.account == USER:
            self.world.timeline.delete(self.network, post_id)
        return JSONResponse({})

    # Communities

    async def _requirements(self, request: Request) -> Response:
        return answer(request, self._community(request).requirements())

    async def _flairs(self, request: Request) -> Response:
        choices = [
            {
                "flair_css_class": "",
                "flair_position": "left",
                "flair_template_id": flair.id,
                "flair_text": flair.text,
                "flair_text_editable": flair.editable,
            }
            for flair in self._community(request).flairs
        ]
        current = {"flair_template_id": None, "flair_text": None, "flair_position": "left"}
        return answer(request, {"current": current, "choices": choices})

    async def _templates(self, request: Request) -> Response:
        rows = [
            {"id": flair.id, "type": "text", "text": flair.text, "text_editable": flair.editable}
            for flair in self._community(request).flairs
        ]
        return answer(request, rows)

    async def _new(self, request: Request) -> Response:
        return await self.lists.of_community(request, self._community(request))

    async def _about(self, request: Request) -> Response:
        return answer(request, {"kind": "t5", "data": about(self._community(request))})

    def _community(self, request: Request) -> Community:
        community = Community(request.path_params["subreddit"])
        if not community.exists:
            raise Refusal(http_error(404, "Not Found"))
        if community.private:
            raise Refusal(http_error(403, "Forbidden", "private"))
        return community

    @property
    def _root(self) -> str:
        return self.endpoint(self.world.base_url)


async def _is_known_kind(request: Request) -> bool:
    async with request.form() as form:
        return form.get("kind") in KINDS


def _path(request: Request) -> str:
    path = str(request.scope["path"]).removeprefix(str(request.scope.get("root_path", "")))
    return path if path == "/" else path.rstrip("/")


def _scope_for(path: str) -> str:
    if path == "/api/v1/me":
        return "identity"
    if path.startswith(("/api/submit", "/api/media/")) or path.endswith("/post_requirements"):
        return "submit"
    if path.startswith("/user/"):
        return "read" if path.endswith("/about") else "history"
    if path.startswith("/r/"):
        return "read" if path.endswith(("/new", "/hot", "/about")) else "flair"
    return "edit" if path == "/api/del" else "read"

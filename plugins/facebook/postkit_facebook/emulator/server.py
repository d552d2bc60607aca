"""The emulated Graph API: tokens, versions, permissions, and the endpoints of a Page."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator, Refusal
from postkit.emulator.consent import Consent, loopback
from postkit.emulator.world import World

from . import usage
from .answers import beyond, error, expired, missing_object, not_emulated, permission, refusal
from .feeds import Feeds
from .fields import parse, select
from .login import CODE_LIFE, PERMISSIONS, Login, Token
from .owners import PAGE, PAGE_ID, PAGES, TASKS, USER, Owner
from .params import cursor, is_false, moment, params_of, token_of
from .photos import Photos, attached
from .posts import check_link, check_message, is_repeat
from .videos import Videos

VERSIONS = ("v22.0", "v23.0", "v24.0", "v25.0", "v26.0")
"""Versions that are accepted. The real network silently raises an expired version to the
oldest live one; here it is refused, so that a forgotten setting shows."""
_OPEN = ("/dialog/oauth", "/oauth/access_token")
LISTED = 100
OTHERS = frozenset(
    (
        *("scheduled_publish_time", "unpublished_content_type", "targeting", "feed_targeting"),
        *("place", "tags", "backdated_time", "text_format_preset_id", "call_to_action"),
        *("child_attachments", "object_attachment"),
    )
)
"""Parameters of a post that the network knows and that have no effect here."""


class FacebookEmulator(Emulator):
    """One Page that does everything, and two more at which the same person has a role.

    Settings: ``permissions`` are those of the tokens that no consent gave, ``calls`` how many
    calls there are in 24 hours, ``deletable`` whether the app may delete posts (not every app
    may), ``photos`` how many a post may show (the network names no number; ten is the cap that
    clients share), ``piece`` the bytes of a video that are asked for at a time, ``redirect_uri``
    the address that the app has registered, ``tasks`` what the person may do at each Page,
    ``accounts_listed`` how many Pages are listed at once, ``long_days`` how long the long-lived
    token of a person lives (0: its end is not told).
    """

    network = "facebook"
    title = "Facebook Page"
    quiet = 1.0
    defaults: ClassVar[Mapping[str, Any]] = {
        "permissions": list(PERMISSIONS),
        "calls": 4800,
        "deletable": True,
        "photos": 10,
        "piece": 1_048_576,
        # The network lets an app in development have no other address on this machine.
        "redirect_uri": loopback("facebook", "localhost"),
        "tasks": TASKS,
        "accounts_listed": 25,
        "long_days": 60,
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.photos = Photos(world)
        self.feeds = Feeds(world, self.photos, lambda: self.endpoint(world.base_url))
        self.videos = Videos(world, self.feeds.show)
        self.calls = usage.Usage(world.clock)
        consent = Consent(
            self.title,
            USER.node["name"],
            world.clock,
            registered=lambda: [str(self.settings["redirect_uri"])],
            life=CODE_LIFE,
            separator=",",
        )
        self.login = Login(world, self.canary, consent, lambda name: self.settings[name])

    def routes(self) -> Sequence[BaseRoute]:
        login = self.login
        return [
            self.route("/{version}/dialog/oauth", login.consent.page),
            self.route("/{version}/dialog/oauth", login.consent.decide, methods=("POST",)),
            self.route("/{version}/oauth/access_token", login.token, methods=("GET", "POST")),
            self.route("/{version}/me/permissions", login.permissions),
            self.route("/{version}/me/accounts", login.accounts),
            self.route("/{version}/me", self.me),
            self.route("/{version}/{page}/feed", self.feed, methods=("POST",), create=True),
            self.route(
                "/{version}/{page}/photos", self.photo, methods=("POST",), create=self._is_shown
            ),
            self.route(
                "/{version}/{page}/videos", self.video, methods=("POST",), create=_is_finish
            ),
            *(
                self.route(f"/{{version}}/{{page}}/{name}", self.published_posts)
                for name in ("published_posts", "posts", "feed")
            ),
            self.route("/{version}/{object}", self.node),
            self.route("/{version}/{object}", self.remove, methods=("DELETE",)),
        ]

    def credentials(self) -> Mapping[str, str]:
        return {"page_id": PAGE_ID, "access_token": self.login.page_token}

    def user_credentials(self) -> Mapping[str, str]:
        """The mistake that is easily made: a person's token in place of the Page's."""
        return {"page_id": PAGE_ID, "access_token": self.login.user_token}

    def app_credentials(self) -> Mapping[str, str]:
        return {"page_id": PAGE_ID, "access_token": self.login.app_token}

    def app(self) -> Mapping[str, str]:
        app = self.login.app
        return {"client_id": app.client_id, "client_secret": str(app.secret)}

    def expire_tokens(self) -> None:
        self.login.expire()

    def token_expired(self) -> Response:
        return self._with_headers(expired(), VERSIONS[-1])

    def rate_limited(self, seconds: float) -> Response:
        # The network counts whole minutes; a rehearsal's shorter window is told as a fraction.
        minutes = seconds / 60 if seconds < 60 else -(-seconds // 60)
        response = _too_many()
        response.headers.update(usage.headers(PAGE_ID, 100, round(minutes, 4)))
        return self._with_headers(response, VERSIONS[-1])

    def refuse_http(self, status: int, detail: str) -> Response:
        return error(detail, 100, status=status)

    def not_emulated(self, text: str, **more: Any) -> Response:
        return beyond(text, **more)

    def reset(self) -> None:
        super().reset()
        self.photos.clear()
        self.videos.clear()
        self.calls.clear()
        self.login.revive()

    async def enter(self, request: Request) -> None:
        version = request.path_params["version"]
        if version not in VERSIONS:
            raise refusal(f"(#2635) {version} is not available; the newest is v26.0", 2635)
        if request.scope["path"].endswith(_OPEN):
            return
        token = await token_of(request)
        if not token:
            raise refusal("An access token is required to request this resource.", 104)
        request.scope["facebook.held"] = self.login.held(token)
        request.scope["facebook.token"] = token
        if not self.calls.take(self.settings["calls"]):
            raise Refusal(_too_many())

    def leave(self, request: Request, response: Response) -> None:
        limit = self.settings["calls"]
        left = self.calls.minutes_left(limit)
        for name, value in usage.headers(PAGE_ID, self.calls.percent(limit), left).items():
            response.headers.setdefault(name, value)
        asked = request.path_params.get("version", "")
        self._with_headers(response, asked if asked in VERSIONS else VERSIONS[-1])

    def _with_headers(self, response: Response, version: str) -> Response:
        response.headers["facebook-api-version"] = version
        response.headers["x-fb-trace-id"] = secrets.token_urlsafe(8)
        response.headers["x-fb-request-id"] = "A" + secrets.token_urlsafe(16)
        if response.headers.get("content-type") == "application/json":
            response.headers["content-type"] = "application/json; charset=UTF-8"
        if response.status_code >= 400 and response.body:
            # As the network does: the OAuth error again, for clients that read headers only.
            said = json.loads(bytes(response.body)).get("error", {}).get("message", "")
            plain = str(said).replace('"', "'").encode("ascii", "replace").decode()
            text = "".join(char if char.isprintable() else " " for char in plain)
            response.headers["www-authenticate"] = (
                f'OAuth "Facebook Platform" "invalid_request" "{text}"'
            )
        return response

    # Reading

    async def me(self, request: Request) -> Response:
        owner = _owner(request)
        if owner.kind == "app":
            raise refusal(
                "An active access token must be used to query information about the current user.",
                2500,
            )
        tree = parse(request.query_params.get("fields", "id,name"))
        kind = "Page" if owner.kind == "page" else "User"
        node = self.feeds.node(owner) if owner.kind == "page" else owner.node
        return JSONResponse(select(node, kind, tree))

    async def node(self, request: Request) -> Response:
        wanted = request.path_params["object"]
        fields = request.query_params.get("fields")
        if wanted in PAGES:
            node = self.feeds.node(PAGES[wanted])
            return JSONResponse(select(node, "Page", parse(fields or "id,name")))
        self._need(request, "pages_read_engagement", 10)
        photo = self.photos.get(wanted)
        if photo is not None:
            row = {"id": wanted, "alt_text_custom": photo.media.alt or None}
            return JSONResponse(select(row, "Photo", parse(fields or "id")))
        video = self.videos.get(wanted)
        if video is not None:
            return JSONResponse(select(self.videos.node(video), "Video", parse(fields or "id")))
        post = self.world.timeline.get(self.network, wanted)
        if post is None:
            raise missing_object(wanted, "get")
        tree = parse(fields or "created_time,message,id")
        return JSONResponse(select(self.feeds.row(post), "PagePost", tree))

    async def published_posts(self, request: Request) -> Response:
        page = self._own_page(request)
        self._need(request, "pages_read_engagement", 10)
        query = request.query_params
        limit = query.get("limit", "25")
        if not re.fullmatch("[0-9]{1,9}", limit) or not 1 <= int(limit) <= LISTED:
            raise refusal(f"(#100) For field 'published_posts': limit must be 1 to {LISTED}", 100)
        since = moment(query.get("since"), "since")
        until = moment(query.get("until"), "until")
        posts = [
            post
            for post in self.world.timeline.list(self.network)
            if post.account == page.id
            and (since is None or post.created_at >= since)
            and (until is None or post.created_at <= until)
        ]
        start = cursor(query.get("after"), posts)
        shown = posts[start : start + int(limit)]
        tree = parse(query.get("fields", "created_time,message,id"))
        body: dict[str, Any] = {
            "data": [select(self.feeds.row(post), "PagePost", tree) for post in shown]
        }
        if shown:
            first, last = (base64.urlsafe_b64encode(p.id.encode()).decode() for p in
                           (shown[0], shown[-1]))  # fmt: skip
            body["paging"] = {"cursors": {"before": first, "after": last}}
            if start + int(limit) < len(posts):
                token = request.scope["facebook.token"]
                url = request.url.include_query_params(access_token=token, after=last)
                body["paging"]["next"] = str(url)
        return JSONResponse(body)

    # Writing

    async def feed(self, request: Request) -> Response:
        page = self._own_page(request)
        self._need(request, "pages_manage_posts", 200)
        params = await params_of(request)
        if others := sorted(OTHERS.intersection(params)):
            raise not_emulated(f"A feed post with {' and '.join(others)}")
        if is_false(params.get("published")) and _owner(request).kind == "page":
            raise not_emulated("A feed post with published=false")
        message = str(params.get("message", ""))
        link = str(params.get("link", ""))
        photo_ids = attached(params)
        if not (message.strip() or link or photo_ids):
            raise refusal("(#100) A post needs a message, a link or attached_media", 100)
        if len(photo_ids) > self.settings["photos"]:
            raise refusal("(#100) attached_media holds too many photos", 100)
        check_message(message)
        check_link(link)
        if link and photo_ids:
            raise refusal("(#100) link cannot be used with attached_media", 100)
        before = [p for p in self.world.timeline.live(self.network) if p.account == page.id]
        if not photo_ids and is_repeat(before, message, link):
            raise refusal("(#506) Duplicate posts cannot be published consecutively", 506)
        tree = parse(str(params.get("fields") or "id"))
        post = self.feeds.add(page, message, link=link or None, photo_ids=photo_ids)
        return JSONResponse(select(self.feeds.row(post), "PagePost", tree))

    async def photo(self, request: Request) -> Response:
        page = self._own_page(request)
        self._need(request, "pages_manage_posts", 200)
        params = await params_of(request)
        if "url" in params:
            raise not_emulated("A photo by url")
        source = params.get("source")
        if not isinstance(source, bytes):
            raise refusal("(#324) Requires upload file", 324)
        # ``message`` is deprecated here and still sent by facebook-sdk's own example.
        caption = str(params.get("caption") or params.get("message") or "")
        check_message(caption)
        photo = self.photos.add(source, str(params.get("alt_text_custom", "")))
        photo_id = photo.media.id
        if not await self._is_shown(request):
            return JSONResponse({"id": photo_id})
        post = self.feeds.add(page, caption, photo_ids=[photo_id])
        return JSONResponse({"id": photo_id, "post_id": post.id})

    async def video(self, request: Request) -> Response:
        if self._own_page(request) is not PAGE:
            raise not_emulated("A video of another Page than the first")
        self._need(request, "pages_manage_posts", 200)
        return self.videos.phase(await params_of(request), int(self.settings["piece"]))

    async def remove(self, request: Request) -> Response:
        wanted = request.path_params["object"]
        self._need(request, "pages_manage_posts", 200)
        if not self.settings["deletable"]:
            raise refusal("(#3) The app does not have the capability to make this call", 3)
        if self.world.timeline.delete(self.network, wanted) is None:
            raise missing_object(wanted, "delete")
        return JSONResponse({"success": True})

    async def _is_shown(self, request: Request) -> bool:
        """Whether an uploaded photo is a post at once. Only a Page's own token can hide it: a
        user's token ignores ``published=false`` (noted by a public implementation)."""
        params = await params_of(request)
        owner = self.login.owner_of(await token_of(request))
        return owner is None or owner.kind != "page" or not is_false(params.get("published"))

    # The Page

    def _own_page(self, request: Request) -> Owner:
        """The Page that is asked for: with a Page's token, that one alone."""
        asked, owner = request.path_params["page"], _owner(request)
        if owner.kind == "page" and asked in ("me", owner.id):
            return owner
        if owner.kind == "page" or asked not in PAGES:
            raise missing_object(asked, request.method.lower())
        return PAGES[asked]

    def _need(self, request: Request, name: str, code: int) -> None:
        held: Token = request.scope["facebook.held"]
        given = self.settings["permissions"] if held.permissions is None else held.permissions
        if held.owner.kind == "app" or name not in given:
            raise permission(name, code)


async def _is_finish(request: Request) -> bool:
    return (await params_of(request)).get("upload_phase") == "finish"


def _owner(request: Request) -> Owner:
    held: Token = request.scope["facebook.held"]
    return held.owner


def _too_many() -> Response:
    return error("(#80001) There have been too many calls to this Page account.", 80001)

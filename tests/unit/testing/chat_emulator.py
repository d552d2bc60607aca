"""The emulator of the stranger's network: its rules are written down once more, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator, Refusal
from postkit.emulator.media import NotAnImage, examine
from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.emulator.world import World


class ChatEmulator(Emulator):
    network = "chat"
    title = "Chat"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tokens = [self.canary("access")]
        self.images: dict[str, ShownMedia] = {}
        self.dead: set[str] = set()
        self.keys: dict[str, str] = {}

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self.route("/me", self.me),
            self.route("/images", self.upload, methods=("POST",)),
            self.route("/posts", self.post, methods=("POST",), create=True),
            self.route("/posts", self.listed),
            self.route("/posts/{id}", self.delete, methods=("DELETE",)),
        ]

    def credentials(self) -> Mapping[str, str]:
        return {"access_token": self.tokens[-1]}

    def expire_tokens(self) -> None:
        self.dead.update(self.tokens)
        self.tokens.append(self.canary("access"))

    def reset(self) -> None:
        super().reset()
        self.dead.clear()

    async def enter(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or token in self.dead:
            raise Refusal(self.token_expired())

    async def me(self, request: Request) -> Response:
        return JSONResponse({"id": "1", "name": "emulated"})

    async def upload(self, request: Request) -> Response:
        async with request.form() as form:
            file, alt = form["file"], str(form["alt"])
            assert not isinstance(file, str)
            data = await file.read()
        try:
            picture = examine(data)
        except NotAnImage as error:
            raise refused("not an image") from error
        if len(data) > 100_000 or len(alt) > 100:
            raise refused("too large")
        number = str(self.world.number())
        stored = self.world.media.add(data, picture.mime)
        self.images[number] = ShownMedia(
            stored.sha256, picture.mime, picture.width, picture.height, alt, number
        )
        return JSONResponse({"id": number})

    async def wanted(self, request: Request) -> dict[str, Any]:
        data: dict[str, Any] = await request.json()
        return data

    async def post(self, request: Request) -> Response:
        data = await self.wanted(request)
        known = self.world.timeline.hasten("chat", self.keys.get(data["key"], ""))
        if known is not None:
            return JSONResponse(self.row(known))
        if not data["text"] and not data["images"]:
            raise refused("empty")
        if len(data["text"]) > 200 or len(data["images"]) > 2:
            raise refused("too long")
        number = str(self.world.number())
        post = LivePost(
            "chat", number, "emulated", data["text"], parent=data["reply_to"],
            media=tuple(self.images[name] for name in data["images"]),
            url=f"{self.world.base_url}/chat/p/{number}", extra={"key": data["key"]},
        )  # fmt: skip
        self.keys[data["key"]] = number
        return JSONResponse(self.row(self.world.timeline.add(post)))

    async def listed(self, request: Request) -> Response:
        return JSONResponse([self.row(post) for post in self.world.timeline.list("chat")])

    async def delete(self, request: Request) -> Response:
        if self.world.timeline.delete("chat", request.path_params["id"]) is None:
            raise Refusal(JSONResponse({"error": "no such post"}, 404))
        return JSONResponse({})

    def row(self, post: LivePost) -> dict[str, Any]:
        at = post.created_at.isoformat()
        return {
            "id": post.id,
            "url": post.url,
            "text": post.text,
            "at": at,
            "key": post.extra["key"],
        }


def refused(why: str) -> Refusal:
    return Refusal(JSONResponse({"error": why}, 422))

"""A network that exists nowhere, so that the core is tested without any real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator, Refusal
from postkit.emulator.server import EmulatorServer
from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World


class ChatEmulator(Emulator):
    network = "chat"
    title = "Chat <Rooms>"
    quiet = 0.25
    defaults: ClassVar[Mapping[str, Any]] = {"longest": 50}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.token = self.canary("access")
        self.dead = False

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self.route("/posts", self.post, methods=("POST",), create=True),
            self.route("/records", self.record, methods=("POST",), create=self.is_post),
            self.route("/posts", self.list),
            self.route("/broken", self.broken),
        ]

    def credentials(self) -> Mapping[str, str]:
        return {"access_token": self.token}

    def expire_tokens(self) -> None:
        self.dead = True

    def reset(self) -> None:
        super().reset()
        self.dead = False

    async def enter(self, request: Request) -> None:
        if self.dead:
            raise Refusal(self.token_expired())

    def leave(self, request: Request, response: Response) -> None:
        response.headers["X-Chat"] = "here"

    async def is_post(self, request: Request) -> bool:
        return bool((await request.json()).get("kind") == "post")

    async def record(self, request: Request) -> Response:
        if not await self.is_post(request):
            return JSONResponse({"liked": True})
        return await self.post(request)

    async def post(self, request: Request) -> Response:
        text = (await request.json()).get("text", "")
        if len(text) > self.settings["longest"]:
            raise Refusal(JSONResponse({"ok": False, "error": "too long"}, 200))
        number = f"c{self.world.number()}"
        url = f"{self.world.base_url}/chat/p/{number}"
        post = self.world.timeline.add(LivePost("chat", number, "me", text=text, url=url))
        return JSONResponse({"ok": True, "id": post.id, "text": post.text}, 201)

    async def list(self, request: Request) -> Response:
        return JSONResponse([post.id for post in self.world.timeline.list("chat")])

    async def broken(self, request: Request) -> Response:
        raise ZeroDivisionError


class OtherEmulator(Emulator):
    network = "other"
    title = "Other"
    sample_target = "room"

    def routes(self) -> Sequence[BaseRoute]:
        return []

    def credentials(self) -> Mapping[str, str]:
        return {"key": self.canary("key")}


Send = Callable[..., requests.Response]


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer([ChatEmulator, OtherEmulator]) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        yield one


@pytest.fixture
def send(server: EmulatorServer, session: requests.Session) -> Send:
    """POST one post; keyword ``text``."""

    def post(text: str = "Hello", timeout: float = 5.0) -> requests.Response:
        return session.post(f"{server.url}/chat/posts", json={"text": text}, timeout=timeout)

    return post

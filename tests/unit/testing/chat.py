"""A network of a stranger, whole: the class, its limits and its emulator. It passes the suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.accounts.secrets import Secrets
from postkit.emulator.base import Emulator, Refusal
from postkit.emulator.media import NotAnImage, examine
from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.emulator.world import World
from postkit.hookspecs import hookimpl
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, Source, TextLimit
from postkit.network import (
    Account, Candidate, Credential, CredentialSet, Guarantee, Identity, Journal, Network, Outgoing,
    Receipt, RemotePost, RenderedPart,
)  # fmt: skip
from postkit.transport import Session

DOCS = Source("docs.chat.example/limits", date(2026, 11, 23))
LIMITS = Limits(
    source=DOCS,
    text=(TextLimit(CodePoints(), 200, DOCS),),
    rules=EntityRules(urls=True),
    threads=True,
    media_count=2,
    image=ImageLimit(("image/png", "image/jpeg"), 100_000, DOCS),
    alt=TextLimit(CodePoints(), 100, DOCS),
)


class Client:
    def __init__(self, session: Session, secrets: Secrets) -> None:
        self.session = session
        self.secrets = secrets

    def call(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secrets['access_token'].reveal()}"}
        response = self.session.request(
            method, self.session.base + path, headers=headers, **request
        )
        response.raise_for_status()
        return response.json()


class Chat(Network[Client]):
    name = "chat"
    title = "Chat"
    hosts = ("https://api.chat.example",)
    credentials = (CredentialSet("token", (Credential("access_token", "chat.example/settings"),)),)
    limits = LIMITS

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        return Client(session, secrets)

    def identify(self, client: Client) -> Identity:
        me = client.call("GET", "/me")
        return Identity(me["id"], me["name"])

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        for number, image in enumerate(part.media):
            if f"image_{number}" not in journal:
                files = {"file": (image.name, image.read(), image.mime)}
                answer = client.call("POST", "/images", files=files, data={"alt": image.alt})
                journal[f"image_{number}"] = answer["id"]

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        body = {
            "key": outgoing.key,
            "text": outgoing.part.text,
            "images": [outgoing.prepared[f"image_{n}"] for n in range(len(outgoing.part.media))],
            "reply_to": outgoing.parent.id if outgoing.parent else None,
        }
        return receipt_of(client.call("POST", "/posts", json=body))

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return [
            Candidate(receipt_of(row), datetime.fromisoformat(row["at"]), proof=True)
            for row in client.call("GET", "/posts")
            if row["key"] == outgoing.key
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return Guarantee("key", quiet=60, resend_when_absent=True)

    def delete(self, client: Client, receipt: Receipt) -> None:
        client.call("DELETE", f"/posts/{receipt.id}")

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        return [
            RemotePost(receipt_of(row), row["text"], datetime.fromisoformat(row["at"]))
            for row in client.call("GET", "/posts")[:count]
        ]


def receipt_of(row: Mapping[str, Any]) -> Receipt:
    return Receipt(row["id"], row["url"])


class ChatEmulator(Emulator):
    network = "chat"
    title = "Chat"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tokens = [self.canary("access")]
        self.images: dict[str, ShownMedia] = {}
        self.dead: set[str] = set()

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self.route("/me", self.me),
            self.route("/images", self.upload, methods=("POST",)),
            self.route("/posts", self.post, methods=("POST",), create=True),
            self.route("/posts", self.list),
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

    async def post(self, request: Request) -> Response:
        data = await request.json()
        known = next(
            (p for p in self.world.timeline.live("chat") if p.extra["key"] == data["key"]), None
        )
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
        return JSONResponse(self.row(self.world.timeline.add(post)))

    async def list(self, request: Request) -> Response:
        return JSONResponse([self.row(post) for post in self.world.timeline.list("chat")])

    async def delete(self, request: Request) -> Response:
        if self.world.timeline.delete("chat", request.path_params["id"]) is None:
            raise Refusal(JSONResponse({"error": "no such post"}, 404))
        return JSONResponse({})

    def row(self, post: LivePost) -> dict[str, Any]:
        at = post.created_at.isoformat()
        return {"id": post.id, "url": post.url, "text": post.text, "at": at, "key": post.extra["key"]}


def refused(why: str) -> Refusal:
    return Refusal(JSONResponse({"error": why}, 422))


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Chat()]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [ChatEmulator]

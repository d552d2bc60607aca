"""A network whose refresh token works once: a second use of it ends all access."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.accounts.secrets import Secrets
from postkit.emulator.base import Emulator, Refusal
from postkit.emulator.media import examine
from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.emulator.world import World
from postkit.errors import NeedsLogin
from postkit.hookspecs import hookimpl
from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, Source, TextLimit
from postkit.network import (
    Account,
    Candidate,
    Credential,
    CredentialSet,
    Guarantee,
    Identity,
    Journal,
    Network,
    Outgoing,
    Receipt,
    RenderedPart,
)
from postkit.transport import Session

SOURCE = Source("a test", date(2026, 11, 23))


@dataclass(slots=True)
class RingClient:
    session: Session
    secrets: Secrets
    token: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.session.request(method, self.session.base + path, headers=headers, json=body)
        answer.raise_for_status()
        return answer.json()

    def adopt(self) -> bool:
        """Take the vault's token; whether it is another one than ours."""
        before, self.token = self.token, self.secrets["access_token"].reveal()
        return self.token != before


class Ring(Network[RingClient]):
    """A refresh token that is used twice ends all access, unless within the server's grace."""

    name = "ring"
    title = "Ring"
    hosts: ClassVar[tuple[str, ...]] = ()
    auth_paths = ("/token",)
    credentials = (
        CredentialSet(
            "tokens",
            (Credential("access_token", "settings"), Credential("refresh_token", "settings")),
        ),
    )
    limits = Limits(
        source=SOURCE,
        text=(TextLimit(CodePoints(), 200, SOURCE),),
        rules=EntityRules(urls=True),
        threads=True,
        media_count=2,
        image=ImageLimit(("image/png",), 100_000, SOURCE),
    )

    def connect(self, account: Account, secrets: Secrets, session: Session) -> RingClient:
        return RingClient(session, secrets, secrets["access_token"].reveal())

    def identify(self, client: RingClient) -> Identity:
        return Identity(client.call("GET", "/me")["id"], "ring")

    def prepare(self, client: RingClient, part: RenderedPart, journal: Journal) -> None:
        for number, image in enumerate(part.media):
            if f"image_{number}" not in journal:
                answer = client.call("POST", "/images", {"hex": image.read().hex()})
                journal[f"image_{number}"] = answer["id"]

    def publish(self, client: RingClient, outgoing: Outgoing) -> Receipt:
        body = {
            "text": outgoing.part.text,
            "key": outgoing.key,
            "images": [outgoing.prepared[f"image_{n}"] for n in range(len(outgoing.part.media))],
            "parent": outgoing.parent.id if outgoing.parent else None,
        }
        return Receipt(client.call("POST", "/posts", body)["id"])

    def find(self, client: RingClient, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return [
            Candidate(Receipt(row["id"]), datetime.fromisoformat(row["at"]), proof=True)
            for row in client.call("GET", "/posts")
            if row["key"] == outgoing.key
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return Guarantee("read_back", quiet=1.0)

    def refresh(self, client: RingClient) -> None:
        with client.secrets.refreshing():
            if client.adopt():
                return
            used = client.secrets["refresh_token"].reveal()
            url = f"{client.session.base}/token"
            answer = client.session.post(url, json={"refresh_token": used})
            if answer.status_code == 400:
                raise NeedsLogin(f"Ring does not renew the access: {client.secrets.remedy}.")
            answer.raise_for_status()
            given = answer.json()
            client.secrets.rotate(
                access_token=given["access_token"], refresh_token=given["refresh_token"]
            )
            client.adopt()


class RingEmulator(Emulator):
    """Setting ``grace``: whether a refresh token that was used answers with its successor."""

    network = "ring"
    title = "Ring"
    defaults: ClassVar[Mapping[str, Any]] = {"grace": False}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.access: set[str] = set()
        self.next: dict[str, str | None] = {}
        self.images: dict[str, ShownMedia] = {}

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self.route("/token", self.token, methods=("POST",)),
            self.route("/me", self.me),
            self.route("/images", self.upload, methods=("POST",)),
            self.route("/posts", self.post, methods=("POST",), create=True),
            self.route("/posts", self.listed),
        ]

    def issue(self, refresh: str | None = None) -> dict[str, str]:
        access, refresh = self.canary("access"), refresh or self.canary("refresh")
        self.access.add(access)
        self.next.setdefault(refresh, None)
        return {"access_token": access, "refresh_token": refresh}

    def credentials(self) -> Mapping[str, str]:
        return self.issue()

    def expire_tokens(self) -> None:
        self.access.clear()

    def disconnect(self) -> None:
        self.access.clear()
        self.next.clear()

    async def enter(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not request.scope["path"].endswith("/token") and token not in self.access:
            raise Refusal(self.token_expired())

    async def token(self, request: Request) -> Response:
        used = (await request.json())["refresh_token"]
        successor = self.next.get(used)
        if used not in self.next or (successor and not self.settings["grace"]):
            self.disconnect()
            raise Refusal(JSONResponse({"error": "invalid_grant"}, 400))
        given = self.issue(successor)
        self.next[used] = given["refresh_token"]
        return JSONResponse(given)

    async def me(self, request: Request) -> Response:
        return JSONResponse({"id": "1"})

    async def upload(self, request: Request) -> Response:
        data = bytes.fromhex((await request.json())["hex"])
        seen = examine(data)
        stored = self.world.media.add(data, seen.mime)
        number = str(self.world.number())
        self.images[number] = ShownMedia(stored.sha256, seen.mime, seen.width, seen.height)
        return JSONResponse({"id": number})

    async def post(self, request: Request) -> Response:
        data = await request.json()
        post = LivePost(
            "ring",
            str(self.world.number()),
            "emulated",
            data["text"],
            parent=data["parent"],
            media=tuple(self.images[name] for name in data["images"]),
            extra={"key": data["key"]},
        )
        return JSONResponse(row(self.world.timeline.add(post)))

    async def listed(self, request: Request) -> Response:
        return JSONResponse([row(post) for post in self.world.timeline.list("ring")])


def row(post: LivePost) -> dict[str, Any]:
    return {"id": post.id, "at": post.created_at.isoformat(), "key": post.extra["key"]}


class RingPlugin:
    @hookimpl
    def postkit_networks(self) -> Iterable[Network[Any]]:
        return [Ring()]

"""A stand-in for Chat's server with one account, checked against Chat's documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator, Refusal
from postkit.emulator.media import NotAnImage, examine
from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.emulator.world import World
from postkit.hookspecs import hookimpl
from postkit.limits.counters import Graphemes

from .login import Login

HANDLE = "@emulated"
# What the documentation says, and not the plugin's table: so the suite can compare the two.
MAX_TEXT, MAX_FILES, MAX_ALT, MAX_BYTES = 400, 2, 500, 5_000_000
TYPES = ("image/jpeg", "image/png")
KEY_TIME = timedelta(hours=24)


def error(status: int, text: str) -> Refusal:
    return Refusal(JSONResponse({"error": text}, status))


class ChatEmulator(Emulator):
    network = "chat"
    title = "Chat"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._tokens = [self.canary("token")]
        self._dead: set[str] = set()
        self._login = Login(world, self._tokens, self.canary)
        self._files: dict[str, ShownMedia] = {}
        self._keys: dict[str, tuple[str, datetime]] = {}
        self._rate = world.rate_limit(60, 60)

    def routes(self) -> Sequence[BaseRoute]:
        login = self._login
        return [
            self.route("/oauth/authorize", login.consent.page),
            self.route("/oauth/authorize", login.consent.decide, methods=("POST",)),
            self.route("/oauth/token", login.token, methods=("POST",)),
            self.route("/oauth/revoke", login.revoke, methods=("POST",)),
            self.route("/api/me", self._me),
            self.route("/api/me/messages", self._list),
            self.route("/api/files", self._upload, methods=("POST",)),
            self.route("/api/messages", self._post, methods=("POST",), create=True),
            self.route("/api/messages/{id}", self._delete, methods=("DELETE",)),
        ]

    def credentials(self) -> Mapping[str, str]:
        return {"access_token": self._tokens[-1]}

    def app(self) -> Mapping[str, str]:
        app = self._login.app
        return {"client_id": app.client_id, "client_secret": str(app.secret)}

    def expire_tokens(self) -> None:
        """A token of Chat ends when it is revoked; a person makes the next one."""
        self._dead.update(self._tokens)
        self._tokens.append(self.canary("token"))

    def reset(self) -> None:
        super().reset()
        self._dead.clear()
        self._files.clear()
        self._keys.clear()

    async def enter(self, request: Request) -> None:
        if request.url.path.startswith(f"/{self.network}/oauth/"):
            return
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._tokens or token in self._dead:
            raise Refusal(self.token_expired())

    async def _me(self, _request: Request) -> Response:
        return JSONResponse({"id": "1", "handle": HANDLE, "url": f"{self._root}/{HANDLE}"})

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            file, alt = form.get("file"), str(form.get("alt") or "")
            if not isinstance(file, UploadFile):
                raise error(422, "file is missing")
            data = await file.read()
        if len(alt) > MAX_ALT:
            raise error(422, f"alt is longer than {MAX_ALT} characters")
        if len(data) > MAX_BYTES:
            raise error(413, f"file is larger than {MAX_BYTES} bytes")
        try:
            picture = examine(data)
        except NotAnImage:
            raise error(422, "file is no picture") from None
        if picture.mime not in TYPES:
            raise error(422, f"file is {picture.mime}; send one of {', '.join(TYPES)}")
        stored = self.world.media.add(data, picture.mime)
        number = str(self.world.number())
        self._files[number] = ShownMedia(
            stored.sha256, picture.mime, picture.width, picture.height, alt, number
        )
        return JSONResponse({"id": number}, 201)

    async def _post(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key")
        if key and (known := self._repeated(key)):
            return JSONResponse(self._message(known))
        rate = self._rate.take()
        if not rate.allowed:
            wait = (rate.reset_at - self.world.clock.now()).total_seconds()
            raise Refusal(self.rate_limited(wait))
        post = self.world.timeline.add(self._judged(await request.json()))
        if key:
            self._keys[key] = (post.id, self.world.clock.now() + KEY_TIME)
        return JSONResponse(self._message(post), 201)

    async def _list(self, _request: Request) -> Response:
        """The account's newest 50 messages, newest first."""
        posts = self.world.timeline.list(self.network)[:50]
        return JSONResponse([self._message(post) for post in posts])

    async def _delete(self, request: Request) -> Response:
        post = self.world.timeline.delete(self.network, request.path_params["id"])
        if post is None:
            raise error(404, "There is no such message")
        return JSONResponse(self._message(post))

    def _repeated(self, key: str) -> LivePost | None:
        """The message that this key made within 24 hours."""
        number, until = self._keys.get(key, ("", self.world.clock.now()))
        if until <= self.world.clock.now():
            return None
        post = self.world.timeline.hasten(self.network, number)
        if post is None:
            raise error(410, "The message of this key was deleted")
        return post

    def _judged(self, data: Any) -> LivePost:
        """The message as the rules allow it. Raises Refusal."""
        if not isinstance(data, dict) or not isinstance(data.get("text"), str):
            raise error(422, "text is missing")
        text, files, parent = data["text"], data.get("files") or [], data.get("reply_to")
        if not text.strip() and not files:
            raise error(422, "A message needs text or a file")
        if Graphemes().count(text) > MAX_TEXT:
            raise error(422, f"text is longer than {MAX_TEXT} characters")
        if len(files) > MAX_FILES:
            raise error(422, f"A message has at most {MAX_FILES} files")
        if any(number not in self._files for number in files):
            raise error(422, "There is no such file")
        if parent is not None and not self.world.timeline.get(self.network, parent):
            raise error(422, "The message to reply to does not exist")
        number = str(self.world.number())
        return LivePost(
            self.network,
            number,
            account=HANDLE,
            text=text,
            media=tuple(self._files[number] for number in files),
            parent=parent,
            url=f"{self._root}/messages/{number}",
        )

    def _message(self, post: LivePost) -> dict[str, Any]:
        return {
            "id": post.id,
            "url": post.url,
            "text": post.text,
            "files": [media.id for media in post.media],
            "reply_to": post.parent,
            "created_at": post.created_at.isoformat(),
        }

    @property
    def _root(self) -> str:
        return f"{self.world.base_url}/{self.network}"


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [ChatEmulator]

"""The emulated server: its endpoints, in the order in which a real one looks at a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from postkit.emulator.base import Emulator, Handler
from postkit.emulator.rates import RateState
from postkit.emulator.world import World

from .answers import (
    COLLECTION,
    DID,
    HANDLE,
    NEIGHBOURS,
    did_document,
    invalid,
    missing,
    problem,
)
from .batch import has_post, points_of
from .blobs import Blobs, check_upload
from .limiter import Limiter, Standing, add_headers, write_headers
from .repo import Repo
from .service import VideoService
from .tokens import Tokens, expired

Act = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class BlueskyEmulator(Emulator):
    """One account, its repository, its uploads. Mentions resolve for a few neighbours.

    Settings: ``blob_life``, seconds for which an upload that no record names is kept. Of the video
    service: ``processing``, seconds that it works on a video; ``video_bytes`` of one video;
    ``daily_videos`` and ``daily_bytes`` of the account; ``video_failure``, a failure code in which
    all its work ends; ``video_refusal``, why the account may upload none.
    """

    network = "bluesky"
    title = "Bluesky"
    quiet = 1.0
    defaults: ClassVar[Mapping[str, Any]] = {
        "blob_life": 900.0,
        "processing": 0.3,
        "video_bytes": 300_000_000,
        "daily_videos": 25,
        "daily_bytes": 10_000_000_000,
        "video_failure": "",
        "video_refusal": "",
    }
    mends_surrogates = True

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._password = self.canary("app_password")
        self.tokens = Tokens(world, self.canary)
        self.limiter = Limiter(world)
        self._blobs = Blobs(world, lambda: float(self.settings["blob_life"]))
        self._repo = Repo(world, self._blobs)
        self._videos = VideoService(
            world, self.tokens, self._blobs, lambda name: self.settings[name], self._did
        )

    def credentials(self) -> Mapping[str, str]:
        return {"handle": HANDLE, "app_password": self._password}

    def reset(self) -> None:
        super().reset()
        self._repo.clear()
        self._blobs.clear()
        self._videos.clear()

    def expire_tokens(self) -> None:
        self.tokens.expire("access")

    def token_expired(self) -> Response:
        return expired().response

    def rate_limited(self, seconds: float) -> Response:
        reset = self.world.clock.now() + timedelta(seconds=seconds)
        answer = problem(429, "RateLimitExceeded", "Rate Limit Exceeded").response
        answer.headers["Retry-After"] = f"{seconds:g}"
        write_headers(answer, Standing(RateState(5000, 0, reset, False), "5000;w=3600"))
        return answer

    def refuse_http(self, status: int, detail: str) -> Response:
        name = "SyntaxError" if "body" in detail else "InvalidRequest"
        return JSONResponse({"error": name, "message": detail}, status)

    def leave(self, request: Request, response: Response) -> None:
        add_headers(request, response)

    def routes(self) -> Sequence[BaseRoute]:
        repo, server = "com.atproto.repo", "com.atproto.server"
        return [
            self._post(f"{server}.createSession", self._create_session),
            self._post(f"{server}.refreshSession", self._refresh_session),
            self._post(f"{server}.deleteSession", self._delete_session),
            self._get(f"{server}.getSession", self._get_session),
            self._get(f"{server}.describeServer", self._public(self._describe)),
            self._get("com.atproto.identity.resolveHandle", self._public(self._resolve)),
            self._get(f"{server}.getServiceAuth", self._authorize),
            self._get("app.bsky.video.getUploadLimits", self._videos.limits),
            self._post("app.bsky.video.uploadVideo", self._videos.upload),
            self._get("app.bsky.video.getJobStatus", self._videos.status),
            self._post(f"{repo}.uploadBlob", self._upload),
            self._post(f"{repo}.putRecord", self._writing(self._repo.put, 2), create=_is_post),
            self._post(
                f"{repo}.createRecord", self._writing(self._repo.create, 3), create=_is_post
            ),
            self._post(
                f"{repo}.applyWrites", self._writing(self._repo.apply, points_of), create=_has_post
            ),
            self._post(f"{repo}.deleteRecord", self._writing(self._repo.delete, 1)),
            self._get(f"{repo}.getRecord", self._public(self._repo.get)),
            self._get(f"{repo}.listRecords", self._public(self._repo.list)),
        ]

    def _get(self, method: str, handler: Handler) -> BaseRoute:
        return self.route(f"/xrpc/{method}", handler)

    def _post(
        self,
        method: str,
        handler: Handler,
        *,
        create: bool | Callable[[Request], Awaitable[bool]] = False,
    ) -> BaseRoute:
        return self.route(f"/xrpc/{method}", handler, methods=("POST",), create=create)

    def _public(self, act: Act) -> Handler:
        async def handler(request: Request) -> Response:
            self.limiter.count(request)
            return JSONResponse(act(dict(request.query_params)))

        return handler

    def _writing(self, act: Act, points: int | Callable[[Any], int]) -> Handler:
        """Token, body, rate limit, then the write: an answer before the limit has no headers."""

        async def handler(request: Request) -> Response:
            self.tokens.require(request, "access")
            body = await _json(request)
            cost = points if isinstance(points, int) else points(body)
            self.limiter.count(request, "write", key=DID, points=cost)
            return JSONResponse(act(body))

        return handler

    async def _upload(self, request: Request) -> Response:
        self.tokens.require(request, "access")
        data = await request.body()
        declared = request.headers.get("content-type", "")
        check_upload(data, declared)
        self.limiter.count(request, "upload")
        blob = self._blobs.add(data, declared)
        return JSONResponse({"blob": blob.to_json()})

    async def _authorize(self, request: Request) -> Response:
        self.tokens.require(request, "access")
        self.limiter.count(request)
        return JSONResponse(self._videos.authorize(dict(request.query_params)))

    def _did(self) -> str:
        """This server, as its account's DID document has it."""
        host = urlsplit(self.endpoint(self.world.base_url)).netloc
        return f"did:web:{host.replace(':', '%3A')}"

    async def _create_session(self, request: Request) -> Response:
        body = await _json(request)
        for name in ("identifier", "password"):
            if name not in body:
                raise missing(name)
        identifier = str(body["identifier"]).lower()
        self.limiter.count(request, "login", key=identifier)
        if identifier not in (HANDLE, DID) or body["password"] != self._password:
            raise problem(401, "AuthenticationRequired", "Invalid identifier or password")
        return JSONResponse({**self.tokens.open(), **self._me()})

    async def _refresh_session(self, request: Request) -> Response:
        token = self.tokens.require(request, "refresh")
        self.limiter.count(request)
        return JSONResponse({**self.tokens.renewed(token), **self._me()})

    async def _delete_session(self, request: Request) -> Response:
        self.tokens.revoke(self.tokens.require(request, "refresh"))
        self.limiter.count(request)
        return Response()

    async def _get_session(self, request: Request) -> Response:
        self.tokens.require(request, "access")
        self.limiter.count(request)
        return JSONResponse(self._me())

    def _me(self) -> dict[str, Any]:
        endpoint = self.endpoint(self.world.base_url)
        return {"did": DID, "handle": HANDLE, "didDoc": did_document(endpoint), "active": True}

    def _describe(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "did": "did:web:localhost",
            "availableUserDomains": [".test"],
            "inviteCodeRequired": True,
            "links": {},
            "contact": {},
        }

    def _resolve(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if "handle" not in params:
            raise missing("handle")
        handle = str(params["handle"]).lower()
        did = {HANDLE: DID, **NEIGHBOURS}.get(handle)
        if did is None:
            name = "HandleNotFound" if handle.endswith(".test") else "InvalidRequest"
            raise problem(400, name, "Unable to resolve handle")
        return {"did": did}


async def _json(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type"):
        raise invalid("Request encoding (Content-Type) required but not provided")
    body = await request.json()
    if not isinstance(body, dict):
        raise invalid("Expected object value type at $")
    return body


async def _is_post(request: Request) -> bool:
    body = await request.json()
    return isinstance(body, dict) and body.get("collection") == COLLECTION


async def _has_post(request: Request) -> bool:
    return has_post(await request.json())

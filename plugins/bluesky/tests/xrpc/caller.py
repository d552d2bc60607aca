"""Plain calls to the emulated server, so that its tests rest on nothing of the plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

DID = "did:plc:emulated2222222222222222"
POST = "app.bsky.feed.post"
GATE = "app.bsky.feed.threadgate"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass
class Caller:
    """Plain calls with one session's tokens."""

    url: str
    access: str = ""
    refresh: str = ""

    def ask(self, method: str, **params: Any) -> requests.Response:
        return requests.get(f"{self.url}/xrpc/{method}", params=params, timeout=10)

    def call(
        self, method: str, body: Any = None, *, token: str | None = None, **sent: Any
    ) -> requests.Response:
        token = self.access if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= sent.pop("headers", {})
        return requests.post(
            f"{self.url}/xrpc/{method}", json=body, headers=headers, timeout=10, **sent
        )

    def put(self, rkey: str, record: dict[str, Any], **more: Any) -> requests.Response:
        body = {"repo": DID, "collection": POST, "rkey": rkey, "record": record, **more}
        return self.call("com.atproto.repo.putRecord", body)

    def create(self, record: dict[str, Any], **more: Any) -> requests.Response:
        body = {"repo": DID, "collection": POST, "record": record, **more}
        return self.call("com.atproto.repo.createRecord", body)

    def upload(self, data: bytes, mime: str = "image/png") -> requests.Response:
        return self.call("com.atproto.repo.uploadBlob", data=data, headers={"Content-Type": mime})

    def get(self, rkey: str, collection: str = POST) -> requests.Response:
        return self.ask("com.atproto.repo.getRecord", repo=DID, collection=collection, rkey=rkey)

    def apply(self, *writes: dict[str, Any], **more: Any) -> requests.Response:
        return self.call("com.atproto.repo.applyWrites", {"repo": DID, "writes": writes, **more})

    def drop(self, collection: str, rkey: str) -> requests.Response:
        body = {"repo": DID, "collection": collection, "rkey": rkey}
        return self.call("com.atproto.repo.deleteRecord", body)


def login(caller: Caller, handle: str, app_password: str) -> Any:
    body = {"identifier": handle, "password": app_password}
    return caller.call("com.atproto.server.createSession", body).json()


def post(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-23T05:00:00.000Z", **fields}


def gated(
    rkey: str, record: dict[str, Any] | None = None, **gate: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The writes of a post and of its gate."""
    value = {
        "$type": GATE,
        "post": f"at://{DID}/{POST}/{rkey}",
        "allow": [],
        "createdAt": "2026-11-23T05:00:00.000Z",
        **gate,
    }
    kind = "com.atproto.repo.applyWrites#create"
    return (
        {"$type": kind, "collection": POST, "rkey": rkey, "value": record or post()},
        {"$type": kind, "collection": GATE, "rkey": rkey, "value": value},
    )


def problem(response: requests.Response) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["error"], body["message"]


def refused(reason: str) -> tuple[int, str, str]:
    return 400, "InvalidRequest", f"Invalid {POST} record: {reason}"


def blob(caller: Caller, data: bytes, mime: str = "image/png") -> dict[str, Any]:
    found: dict[str, Any] = caller.upload(data, mime).json()["blob"]
    return found


def images(*items: dict[str, Any]) -> dict[str, Any]:
    return {"$type": "app.bsky.embed.images", "images": list(items)}


KEY = "3lbm222222222"
OTHER = "3lbm222222223"


LINK = "app.bsky.richtext.facet#link"


def facet(feature: dict[str, Any], **index: int) -> dict[str, Any]:
    return {"index": {"byteStart": 0, "byteEnd": 1, **index}, "features": [feature]}

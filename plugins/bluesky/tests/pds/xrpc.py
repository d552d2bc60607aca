"""Plain calls to a PDS, so that the facts here rest on nothing of postkit."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import requests

COLLECTION = "app.bsky.feed.post"
TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"

# Microseconds, one further for each key, so that no two keys are equal.
_moments = itertools.count(time.time_ns() // 1000)


def new_tid() -> str:
    """A fresh record key: 13 characters, 5 bits each, of microseconds and a clock id."""
    number = next(_moments) << 10 | 7
    return "".join(TID_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def post_record(text: str, **fields: Any) -> dict[str, Any]:
    """A post, the same on every call: its time is fixed."""
    return {
        "$type": COLLECTION,
        "text": text,
        "createdAt": "2026-11-23T05:00:00.000Z",
        **fields,
    }


@dataclass(frozen=True, slots=True)
class Session:
    """An open session of one account at `url`. Build it with `Session.open`."""

    url: str
    did: str
    token: str = field(repr=False)

    @classmethod
    def open(cls, url: str, handle: str, password: str) -> Session:
        """Log in. The server allows 30 in five minutes for one account."""
        answer = call(
            url,
            "com.atproto.server.createSession",
            json={"identifier": handle, "password": password},
        )
        answer.raise_for_status()
        body = answer.json()
        return cls(url, body["did"], body["accessJwt"])

    def put(self, rkey: str, record: dict[str, Any], **fields: Any) -> requests.Response:
        """`putRecord` of a post."""
        return self._write("com.atproto.repo.putRecord", rkey, record, fields)

    def create(self, rkey: str, record: dict[str, Any]) -> requests.Response:
        """`createRecord` of a post with a chosen key."""
        return self._write("com.atproto.repo.createRecord", rkey, record, {})

    def upload(self, data: bytes, mime: str) -> requests.Response:
        """`uploadBlob`."""
        return call(
            self.url,
            "com.atproto.repo.uploadBlob",
            token=self.token,
            data=data,
            headers={"Content-Type": mime},
        )

    def get(self, rkey: str, collection: str = COLLECTION) -> requests.Response:
        """`getRecord` of a post or another record, without the token: records are public."""
        return requests.get(
            f"{self.url}/xrpc/com.atproto.repo.getRecord",
            params={"repo": self.did, "collection": collection, "rkey": rkey},
            timeout=30,
        )

    def apply(self, *writes: dict[str, Any], **fields: Any) -> requests.Response:
        """`applyWrites`."""
        body = {"repo": self.did, "writes": writes, **fields}
        return call(self.url, "com.atproto.repo.applyWrites", token=self.token, json=body)

    def _write(
        self, method: str, rkey: str, record: dict[str, Any], fields: dict[str, Any]
    ) -> requests.Response:
        body = {"repo": self.did, "collection": COLLECTION, "rkey": rkey, "record": record}
        return call(self.url, method, token=self.token, json={**body, **fields})


def call(
    url: str,
    method: str,
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    json: dict[str, Any] | None = None,
    data: bytes | None = None,
) -> requests.Response:
    """POST to an XRPC method."""
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    return requests.post(f"{url}/xrpc/{method}", json=json, data=data, headers=sent, timeout=30)


def problem(answer: requests.Response) -> tuple[int, str, str]:
    """Status, error and message of a refusal."""
    body = answer.json()
    return answer.status_code, body["error"], body["message"]

"""The few XRPC calls that publishing needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import urlsplit

import requests

from postkit.accounts.place import is_loopback
from postkit.accounts.secret import Secret
from postkit.transport import Session

from .access import Access, Author, error_of

REPO = "com.atproto.repo"
VIDEO = "app.bsky.video"
VIDEO_HOST = "https://video.bsky.app"
"""The video service: one for the accounts of all servers."""
WEB = "https://bsky.app"


class Client:
    """One account. Raises requests' own exceptions; the core classifies them."""

    def __init__(self, session: Session, access: Access) -> None:
        self._session = session
        self.access = access

    @property
    def author(self) -> Author:
        """Who we are, asked for once."""
        if self.access.author is None:
            me = self.query("com.atproto.server.getSession")
            self.access.author = Author(str(me["did"]), str(me["handle"]))
        return self.access.author

    @property
    def web(self) -> str:
        """Where readers find the posts: what a server on this machine has is on no public site."""
        endpoint = self._session.endpoint
        if endpoint is not None and is_loopback(urlsplit(endpoint).hostname or ""):
            return endpoint
        return WEB

    def query(self, method: str, **params: Any) -> Any:
        self.access.ensure()
        return _good(self._session.get(self._url(method), params=params, headers=self._signed()))

    def procedure(self, method: str, body: Mapping[str, Any]) -> Any:
        self.access.ensure()
        return self.write(method, body)

    def write(self, method: str, body: Mapping[str, Any]) -> Any:
        """One request with the token at hand, which is not renewed. Raises NeedsLogin."""
        return _good(self._session.post(self._url(method), json=body, headers=self._signed()))

    def upload(self, data: bytes, mime: str) -> dict[str, Any]:
        """Upload bytes; what a record refers to them by."""
        self.access.ensure()
        headers = {**self._signed(), "Content-Type": mime}
        answer = _good(
            self._session.post(self._url(f"{REPO}.uploadBlob"), data=data, headers=headers)
        )
        return dict(answer["blob"])

    @property
    def base(self) -> str:
        return self._session.base

    def ask_service(self, method: str, token: Secret | None = None, **params: str) -> Any:
        """A query to the video service, which knows us by a token of its own, if at all."""
        headers = _bearer(token.reveal()) if token is not None else {}
        url = f"{VIDEO_HOST}/xrpc/{VIDEO}.{method}"
        return _good(self._session.get(url, params=params, headers=headers))

    def send_video(self, file: IO[bytes], mime: str, token: Secret, **params: str) -> Any:
        """The service's answer; also where it has had these very bytes before (409)."""
        response = self._session.post(
            f"{VIDEO_HOST}/xrpc/{VIDEO}.uploadVideo",
            params=params,
            data=file,
            headers={**_bearer(token.reveal()), "Content-Type": mime},
        )
        if response.status_code == 409 and error_of(response)[0] == "already_exists":
            return response.json()
        return _good(response)

    def did_of(self, handle: str) -> str | None:
        """The DID of a handle; None where the network says that nobody has it."""
        method = "com.atproto.identity.resolveHandle"
        response = self._session.get(self._url(method), params={"handle": handle})
        # "InvalidRequest" for a domain without an account, "HandleNotFound" for a name of theirs.
        if response.status_code == 400 and error_of(response)[0]:
            return None
        return str(_good(response)["did"])

    def _url(self, method: str) -> str:
        return f"{self._session.base}/xrpc/{method}"

    def _signed(self) -> dict[str, str]:
        return _bearer(self.access.token.reveal())


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _good(response: requests.Response) -> Any:
    response.raise_for_status()
    return response.json()

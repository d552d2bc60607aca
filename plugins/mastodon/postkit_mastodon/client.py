"""The few calls of the Mastodon API that publishing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postkit.accounts.secret import Secret
from postkit.network import Attachment

from .form import FileForm

if TYPE_CHECKING:
    from requests import Response

    from postkit.transport import Session


class Client:
    """One account at one server. Raises requests' own exceptions; the core classifies them."""

    def __init__(self, session: Session, token: Secret) -> None:
        self._session = session
        self._token = token
        self._account_id: str | None = None

    @property
    def account_id(self) -> str:
        """The server's id of this account, asked for once."""
        if self._account_id is None:
            self._account_id = str(self.get("/api/v1/accounts/verify_credentials")["id"])
        return self._account_id

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)

    def media(self, media_id: str) -> Any:
        """An upload that belongs to no status yet, or None where the server has forgotten it.

        Its ``url`` is null while it is processed (the server then answers 206).
        """
        response = self._send("GET", f"/api/v1/media/{media_id}")
        if response.status_code == 404:
            return None
        response.raise_for_status()
        return response.json()

    def upload(self, attachment: Attachment) -> Any:
        """Send a file with its description; what the server says of it."""
        fields = {"description": attachment.alt} if attachment.alt else {}
        with attachment.open() as file:
            form = FileForm(fields, attachment, file)
            headers = {"Content-Type": form.content_type}
            return self._call("POST", "/api/v2/media", headers=headers, data=form)

    def post(self, path: str, *, headers: dict[str, str] | None = None, **body: Any) -> Any:
        return self._call("POST", path, headers=headers, **body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, **request: Any) -> Any:
        response = self._send(method, path, **request)
        response.raise_for_status()
        return response.json()

    def _send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **body: Any
    ) -> Response:
        headers = {"Authorization": f"Bearer {self._token.reveal()}", **(headers or {})}
        return self._session.request(method, self._session.base + path, headers=headers, **body)

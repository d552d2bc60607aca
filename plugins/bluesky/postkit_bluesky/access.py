"""Sessions: one login, then tokens that are kept, shared by all processes and renewed in time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from postkit.accounts.secret import Secret
from postkit.accounts.secrets import Secrets
from postkit.errors import NeedsLogin
from postkit.network import Identity
from postkit.transport import Session

from .jwt import end_of

LOGIN = "/xrpc/com.atproto.server.createSession"
REFRESH = "/xrpc/com.atproto.server.refreshSession"
LOGOUT = "/xrpc/com.atproto.server.deleteSession"
MARGIN = 300.0
"""Seconds. A token that ends sooner is renewed before the work begins."""

_DEAD = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})


@dataclass(frozen=True, slots=True)
class Author:
    """Whose posts these are."""

    did: str
    handle: str


class Access:
    """The access of one account. Tokens live in the vault: ``access_jwt`` and ``refresh_jwt``."""

    def __init__(self, session: Session, secrets: Secrets, identity: Identity | None) -> None:
        self._session = session
        self._secrets = secrets
        self._expected = identity.id if identity else None
        self.author: Author | None = None
        if identity is not None and identity.facts.get("handle"):
            self.author = Author(identity.id, str(identity.facts["handle"]))
        self._refused: NeedsLogin | None = None

    @property
    def token(self) -> Secret:
        """The token at hand. Raises NeedsLogin where there is none."""
        token = self._secrets.get("access_jwt")
        if token is None:
            raise NeedsLogin("Bluesky: there is no session yet.", network="Bluesky")
        return token

    def ensure(self) -> None:
        """Have a token that lasts a while: log in or renew only where it must be."""
        token = self._secrets.get("access_jwt")
        if token is None or _ends_soon(token):
            self.renew()

    def renew(self) -> None:
        """Get new tokens, unless another thread or process has done it since ours was read."""
        ours = self._secrets.get("access_jwt")
        with self._secrets.refreshing():
            now = self._secrets.get("access_jwt")
            if now is not None and now != ours and not _ends_soon(now):
                return
            answer = self._renewed() or self._logged_in()
            tokens = {"access_jwt": answer["accessJwt"], "refresh_jwt": answer["refreshJwt"]}
            author = Author(str(answer["did"]), str(answer["handle"]))
            if self._expected not in (None, author.did):
                raise NeedsLogin(
                    f"Bluesky: the password opens another account ({author.handle}); remove this "
                    "one and connect again.",
                    network="Bluesky",
                )
            self._secrets.rotate(**tokens)
        self.author = author

    def end(self) -> None:
        """End the session: its refresh token is good no more, and the access token dies by itself
        within two hours. A session that there is not, or that has ended, is fine."""
        with self._secrets.refreshing():
            token = self._secrets.get("refresh_jwt")
            if token is None:
                return
            headers = {"Authorization": f"Bearer {token.reveal()}"}
            response = self._session.post(self._session.base + LOGOUT, headers=headers)
            if error_of(response)[0] not in _DEAD:
                response.raise_for_status()

    def _renewed(self) -> Mapping[str, Any] | None:
        """None where a login is needed: there is no refresh token, or it is not valid any more."""
        token = self._secrets.get("refresh_jwt")
        if token is None:
            return None
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        response = self._session.post(self._session.base + REFRESH, headers=headers)
        if response.status_code in (400, 401) and error_of(response)[0] in _DEAD:
            return None
        return _good(response)

    def _logged_in(self) -> Mapping[str, Any]:
        # Logins are few (30 in 5 minutes): a refused password is not tried a second time.
        if self._refused is not None:
            raise self._refused
        body = {
            "identifier": self._secrets.text("handle").strip().removeprefix("@"),
            "password": self._secrets["app_password"].reveal(),
        }
        response = self._session.post(self._session.base + LOGIN, json=body)
        code, message = error_of(response)
        if response.status_code == 401 and code:
            self._refused = NeedsLogin(
                f"Bluesky does not accept the handle and the app password ({message}): "
                f"{self._secrets.remedy}.",
                network="Bluesky",
                status=401,
                code=code,
            )
            raise self._refused
        return _good(response)


def error_of(response: requests.Response) -> tuple[str, str]:
    """The name and the sentence of a refusal; empty where it is none of the API's own."""
    if response.status_code < 400:
        return "", ""
    try:
        body = response.json()
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    code = str(body.get("error") or "")
    return code, str(body.get("message") or code)


def _good(response: requests.Response) -> Mapping[str, Any]:
    response.raise_for_status()
    answer: Mapping[str, Any] = response.json()
    return answer


def _ends_soon(token: Secret) -> bool:
    """Whether the token names an end that is near. One that names none may be good for ever."""
    end = end_of(token.reveal())
    return end is not None and end - time.time() < MARGIN

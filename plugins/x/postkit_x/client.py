"""One account's tweepy client, and what has to be known about the account to use it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import tweepy

from postkit.accounts.place import is_loopback
from postkit.accounts.secrets import Secrets
from postkit.network import Account
from postkit.transport import Session

WEB = "https://x.com"
EARLY = 300.0
"""Seconds before its end at which a token is renewed."""


class Client:
    """tweepy over the account's own session. ``user_auth`` is tweepy's word for OAuth 1."""

    def __init__(self, account: Account, secrets: Secrets, session: Session) -> None:
        self.account = account
        self.secrets = secrets
        self.session = session
        self.user_auth = "api_key" in secrets
        self.api = self._tweepy()
        self.api.session = session
        self._me: tuple[str, str] | None = None
        if account.identity is not None and "username" in account.facts:
            self._me = account.identity.id, str(account.facts["username"])

    def _tweepy(self) -> Any:
        secrets = self.secrets
        if self.user_auth:
            return tweepy.Client(
                consumer_key=secrets["api_key"].reveal(),
                consumer_secret=secrets["api_secret"].reveal(),
                access_token=secrets["access_token"].reveal(),
                access_token_secret=secrets["access_token_secret"].reveal(),
                return_type=dict,
            )
        return tweepy.Client(bearer_token=secrets["access_token"].reveal(), return_type=dict)

    @property
    def me(self) -> tuple[str, str]:
        """Our user id and username; asked for only where the account was never verified."""
        if self._me is None:
            self._me = self.ask_me()
        return self._me

    def ask_me(self) -> tuple[str, str]:
        user = self.api.get_me(user_auth=self.user_auth)["data"]
        return str(user["id"]), str(user["username"])

    def use_stored_token(self) -> None:
        """Take the access token that the vault holds now."""
        self.api.bearer_token = self.secrets["access_token"].reveal()

    def runs_out(self) -> bool:
        """Whether the token is known to end soon. Only tokens that we renewed tell."""
        if self.user_auth or "refresh_token" not in self.secrets:
            return False
        end = self.secrets.text("expires_at") if "expires_at" in self.secrets else ""
        return end.isdecimal() and time.time() > int(end) - EARLY

    def call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A request that tweepy has no method for, or whose newer fields it does not know."""
        response = self.api.request(method, path, json=body, user_auth=self.user_auth)
        answer = response.json()
        return answer if isinstance(answer, dict) else {}

    def status_of(self, media_id: str) -> dict[str, Any]:
        """How far X is with an upload."""
        response = self.api.request(
            "GET",
            "/2/media/upload",
            params={"command": "STATUS", "media_id": media_id},
            user_auth=self.user_auth,
        )
        data: dict[str, Any] = response.json()["data"]
        return data

    def permalink(self, post_id: str) -> str:
        return f"{self.web}/{self.me[1]}/status/{post_id}"

    @property
    def web(self) -> str:
        """Where readers are. A local stand-in shows its posts itself: with its ids, the real
        site would lead to a stranger's."""
        endpoint = self.account.endpoint
        if endpoint is not None and is_loopback(urlsplit(endpoint).hostname or ""):
            return endpoint
        return WEB

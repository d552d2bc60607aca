"""The network Chat: an idempotency key for a day, and a read-back for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from postkit.accounts.secret import Secret
from postkit.accounts.secrets import Secrets
from postkit.hookspecs import hookimpl
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
    RemotePost,
    RenderedPart,
)
from postkit.transport import Session

from .consent import OAUTH
from .limits import KEY_SECONDS, LIMITS


class Client:
    """One account's calls. Raises what requests raises; the core reads the wire."""

    def __init__(self, session: Session, token: Secret) -> None:
        self._session = session
        self._token = token

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._token.reveal()}", **(headers or {})}
        url = self._session.base + path
        response = self._session.request(method, url, headers=headers, **more)
        response.raise_for_status()
        return response.json()


class Chat(Network[Client]):
    """Threads are replies; pictures are uploaded first and attached by id."""

    name = "chat"
    title = "Chat"
    hosts = ("https://chat.example",)
    credentials = (
        CredentialSet(
            "token",
            (
                Credential(
                    "access_token",
                    "Chat: Settings, API tokens, New token with the scopes messages and files",
                ),
            ),
        ),
    )
    oauth = OAUTH
    revoke_by_hand = "Delete it at Chat: Settings, API tokens."
    limits = LIMITS

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        return Client(session, secrets["access_token"])

    def identify(self, client: Client) -> Identity:
        me = client.call("GET", "/api/me")
        return Identity(me["id"], me["handle"], me["url"])

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        for number, image in enumerate(part.media):
            if f"file_{number}" not in journal:
                file = client.call(
                    "POST",
                    "/api/files",
                    files={"file": (image.name, image.read(), image.mime)},
                    data={"alt": image.alt},
                )
                journal[f"file_{number}"] = file["id"]

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        message = client.call(
            "POST",
            "/api/messages",
            headers={"Idempotency-Key": outgoing.key},
            json=request_of(outgoing),
        )
        return receipt_of(message)

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        wanted = request_of(outgoing)
        return [
            Candidate(receipt_of(message), created_at(message))
            for message in client.call("GET", "/api/me/messages")
            if created_at(message) >= since and {name: message[name] for name in wanted} == wanted
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        # An hour less than Chat says: clocks differ, and a request may wait in a queue.
        return Guarantee("key", quiet=120.0, key_ttl=KEY_SECONDS - 3600, resend_when_absent=True)

    def delete(self, client: Client, receipt: Receipt) -> None:
        client.call("DELETE", f"/api/messages/{receipt.id}")

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        listed = client.call("GET", "/api/me/messages")[:count]
        return [RemotePost(receipt_of(m), m["text"], created_at(m)) for m in listed]


def request_of(outgoing: Outgoing) -> dict[str, Any]:
    """The body of POST /api/messages: the same values give the same bytes."""
    return {
        "text": outgoing.part.text,
        "files": [outgoing.prepared[f"file_{n}"] for n in range(len(outgoing.part.media))],
        "reply_to": outgoing.parent.id if outgoing.parent else None,
    }


def receipt_of(message: dict[str, Any]) -> Receipt:
    return Receipt(message["id"], message["url"])


def created_at(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message["created_at"])


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Chat()]

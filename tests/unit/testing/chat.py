"""A network of a stranger, whole: its limits and its class. It passes the suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from postkit.accounts.secrets import Secrets
from postkit.emulator.base import Emulator
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
    RemotePost,
    RenderedPart,
)  # fmt: skip
from postkit.transport import Session

from .chat_emulator import ChatEmulator

DOCS = Source("docs.chat.example/limits", date(2026, 11, 23))
LIMITS = Limits(
    source=DOCS,
    text=(TextLimit(CodePoints(), 200, DOCS),),
    rules=EntityRules(urls=True),
    threads=True,
    media_count=2,
    image=ImageLimit(("image/png", "image/jpeg"), 100_000, DOCS),
    alt=TextLimit(CodePoints(), 100, DOCS),
)


class Client:
    def __init__(self, session: Session, secrets: Secrets) -> None:
        self.session = session
        self.secrets = secrets

    def call(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secrets['access_token'].reveal()}"}
        response = self.session.request(
            method, self.session.base + path, headers=headers, **request
        )
        response.raise_for_status()
        return response.json()


class Chat(Network[Client]):
    name = "chat"
    title = "Chat"
    hosts = ("https://api.chat.example",)
    credentials = (CredentialSet("token", (Credential("access_token", "chat.example/settings"),)),)
    limits = LIMITS

    def connect(self, account: Account, secrets: Secrets, session: Session) -> Client:
        return Client(session, secrets)

    def identify(self, client: Client) -> Identity:
        me = client.call("GET", "/me")
        return Identity(me["id"], me["name"])

    def prepare(self, client: Client, part: RenderedPart, journal: Journal) -> None:
        for number, image in enumerate(part.media):
            if f"image_{number}" not in journal:
                files = {"file": (image.name, image.read(), image.mime)}
                answer = client.call("POST", "/images", files=files, data={"alt": image.alt})
                journal[f"image_{number}"] = answer["id"]

    def publish(self, client: Client, outgoing: Outgoing) -> Receipt:
        body = {
            "key": outgoing.key,
            "text": outgoing.part.text,
            "images": [outgoing.prepared[f"image_{n}"] for n in range(len(outgoing.part.media))],
            "reply_to": outgoing.parent.id if outgoing.parent else None,
        }
        return receipt_of(client.call("POST", "/posts", json=body))

    def find(self, client: Client, outgoing: Outgoing, since: datetime) -> Sequence[Candidate]:
        return [
            Candidate(receipt_of(row), datetime.fromisoformat(row["at"]), proof=True)
            for row in client.call("GET", "/posts")
            if row["key"] == outgoing.key
        ]

    def guarantee(self, part: RenderedPart, account: Account) -> Guarantee:
        return Guarantee("key", quiet=60, resend_when_absent=True)

    def delete(self, client: Client, receipt: Receipt) -> None:
        client.call("DELETE", f"/posts/{receipt.id}")

    def recent(self, client: Client, count: int = 20) -> Sequence[RemotePost]:
        return [
            RemotePost(receipt_of(row), row["text"], datetime.fromisoformat(row["at"]))
            for row in client.call("GET", "/posts")[:count]
        ]


def receipt_of(row: Mapping[str, Any]) -> Receipt:
    return Receipt(row["id"], row["url"])


@hookimpl
def postkit_networks() -> Iterable[Network[Any]]:
    return [Chat()]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [ChatEmulator]

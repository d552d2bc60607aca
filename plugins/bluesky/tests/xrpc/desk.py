"""One account of the plugin at the emulated server, and what a test asks about both."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from postkit_bluesky.emulator import BlueskyEmulator
from postkit_bluesky.plugin import Bluesky

from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.deliver.attempt import create
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.errors import (
    NeedsLogin,
)
from postkit.network import Account, Attachment, Outgoing, Receipt, RenderedPart
from postkit.transport import Session

NOW = datetime(2026, 11, 23, 5, 0, 0, 123456, UTC)
DID = "did:plc:emulated2222222222222222"
LINK = "app.bsky.richtext.facet#link"
TAG = "app.bsky.richtext.facet#tag"
MENTION = "app.bsky.richtext.facet#mention"


def png(width: int = 40, height: int = 30, colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def attachment(data: bytes, alt: str, width: int = 40, height: int = 30) -> Attachment:
    return Attachment("0" * 64, "image/png", len(data), width, height, alt, "a.png", lambda: data)


@dataclass
class Desk:
    """One account of the plugin, as the core would hold it."""

    vault: Vault
    account: Account
    read_timeout: float = 5
    network: Bluesky = field(default_factory=Bluesky)

    def __post_init__(self) -> None:
        self.session = Session(
            self.network.hosts,
            self.account.endpoint,
            auth_paths=self.network.auth_paths,
            read_timeout=self.read_timeout,
        )
        self.secrets = Secrets(self.vault, self.account.id, self.account.label, {"handle"})
        self.client = self.network.connect(self.account, self.secrets, self.session)
        self.connection = Connection(self.network, self.account, self.session, self.client)

    def outgoing(
        self,
        part: RenderedPart,
        parent: Receipt | None = None,
        root: Receipt | None = None,
        journal: dict[str, Any] | None = None,
    ) -> Outgoing:
        kept: dict[str, Any] = {} if journal is None else journal
        self.connection.ask(lambda: self.network.prepare(self.client, part, kept))
        key = self.network.new_key(part)
        return Outgoing(part, kept, key, NOW, parent=parent, root=root)

    def send(self, outgoing: Outgoing) -> Receipt:
        return create(self.network, self.client, self.session, outgoing)

    def post(self, text: str, **fields: Any) -> Receipt:
        outgoing = self.outgoing(RenderedPart(text, fields=fields))
        try:
            return self.send(outgoing)
        except NeedsLogin:
            self.connection.renew()
            return self.send(outgoing)


def new_desk(folder: Path, server: EmulatorServer, **changes: Any) -> Desk:
    given = server.accounts()[0]
    vault = Vault(folder / "vault", bytes(32))
    vault.put("a_1", {**given.credentials, **changes.pop("credentials", {})})
    account = Account("a_1", "bluesky", "it", given.endpoint)
    return Desk(vault, account, **changes)


def emulator(server: EmulatorServer) -> BlueskyEmulator:
    found = server.emulators["bluesky"]
    assert isinstance(found, BlueskyEmulator)
    return found


def count(server: EmulatorServer, method: str) -> int:
    return sum(entry.path == f"/xrpc/{method}" for entry in server.requests())


def creates(server: EmulatorServer) -> int:
    return sum(entry.create for entry in server.requests())


def record(server: EmulatorServer, number: int = 0) -> Mapping[str, Any]:
    value: Mapping[str, Any] = server.posts()[number].extra["record"]
    return value

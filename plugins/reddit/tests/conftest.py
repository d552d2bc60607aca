"""One emulated Reddit for each test, and a plugin that is connected to it over a real socket."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from PIL import Image
from postkit_reddit.client import Client
from postkit_reddit.emulator import RedditEmulator
from postkit_reddit.plugin import Reddit

from postkit.accounts.grant import LEARNT
from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.deliver.attempt import create
from postkit.deliver.clients import ask
from postkit.emulator.server import EmulatorServer
from postkit.network import Account, Attachment, Outgoing, Receipt, RenderedPart
from postkit.transport import Session


class MemoryVault:
    """The part of a vault that secrets use."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)

    def get(self, account_id: str) -> dict[str, str]:
        return dict(self.fields)

    def put(self, account_id: str, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)

    rotate = put

    def settle(self, account_id: str) -> None:
        """Memory can always be written."""

    @contextlib.contextmanager
    def lock(self, account_id: str) -> Iterator[None]:
        yield


@dataclass
class Link:
    """A connected account: the plugin, its client, and what they talk over."""

    server: EmulatorServer
    emulator: RedditEmulator
    vault: MemoryVault
    network: Reddit = field(default_factory=Reddit)

    def __post_init__(self) -> None:
        self.account = Account("a_1", "reddit", "acme", self.emulator.endpoint(self.server.url))
        self.session, self.client = self.open()

    def open(self) -> tuple[Session, Client]:
        """Another client of the same account, as another process would have it."""
        public = {"client_id", "username"} | LEARNT
        secrets = Secrets(cast("Vault", self.vault), "a_1", "reddit:acme", public)
        session = Session(
            self.network.hosts,
            self.account.endpoint,
            auth_paths=self.network.auth_paths,
            read_timeout=5,
        )
        return session, self.network.connect(self.account, secrets, session)

    def outgoing(self, part: RenderedPart) -> Outgoing:
        """What is sent for ``part``, prepared."""
        journal: dict[str, Any] = {}
        self.network.prepare(self.client, part, journal)
        return Outgoing(part, journal, "key", datetime.now(UTC))

    def prepared(self, part: RenderedPart) -> dict[str, Any]:
        """The journal of ``part``, with errors classified as the core does."""
        journal: dict[str, Any] = {}
        ask(self.network, self.session, lambda: self.network.prepare(self.client, part, journal))
        return journal

    def send(self, outgoing: Outgoing) -> Receipt:
        """Send it as the core does: one create request, held against the wire."""
        return create(self.network, self.client, self.session, outgoing)

    def creates(self) -> int:
        return sum(entry.create for entry in self.server.requests("reddit"))

    def paths(self) -> list[str]:
        return [f"{entry.method} {entry.path}" for entry in self.server.requests("reddit")]


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer([RedditEmulator]) as server:
        yield server


@pytest.fixture
def emulator(server: EmulatorServer) -> RedditEmulator:
    return cast("RedditEmulator", server.emulators["reddit"])


@pytest.fixture
def link(server: EmulatorServer, emulator: RedditEmulator) -> Iterator[Link]:
    link = Link(server, emulator, MemoryVault(emulator.credentials()))
    yield link
    link.session.close()


@pytest.fixture
def script(server: EmulatorServer, emulator: RedditEmulator) -> Iterator[Link]:
    link = Link(server, emulator, MemoryVault(emulator.script_credentials()))
    yield link
    link.session.close()


@pytest.fixture
def picture() -> Callable[..., Attachment]:
    def make(colour: str = "red", alt: str = "", mime: str = "image/png") -> Attachment:
        file = io.BytesIO()
        Image.new("RGB", (40, 30), colour).save(file, mime.partition("/")[2].upper())
        data = file.getvalue()
        name = f"{colour} one.dat"
        return Attachment(colour, mime, len(data), 40, 30, alt, name, lambda: data)

    return make


@pytest.fixture
def part() -> Callable[..., RenderedPart]:
    def make(text: str = "Body", media: tuple[Attachment, ...] = (), **fields: Any) -> RenderedPart:
        base = {"title": "A title", "subreddit": "postkit_demo"}
        return RenderedPart(text, media, {**base, **fields})

    return make

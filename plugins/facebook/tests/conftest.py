"""One emulated Page, and a connection to it through the real SDK and a real socket."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from PIL import Image
from postkit_facebook.client import Client
from postkit_facebook.emulator import FacebookEmulator
from postkit_facebook.plugin import Facebook

from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.network import Account, Attachment, Outgoing, RenderedPart
from postkit.transport import Session


class _MemoryVault:
    """The vault's interface, over a dictionary."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)

    def get(self, account_id: str) -> dict[str, str]:
        return dict(self.fields)

    def put(self, account_id: str, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)

    @contextlib.contextmanager
    def lock(self, account_id: str) -> Iterator[None]:
        yield


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer([FacebookEmulator]) as running:
        yield running


@pytest.fixture
def emulator(server: EmulatorServer) -> FacebookEmulator:
    return cast("FacebookEmulator", server.emulators["facebook"])


@pytest.fixture
def secrets_of() -> Callable[[Mapping[str, str]], Secrets]:
    def make(fields: Mapping[str, str]) -> Secrets:
        vault = cast("Vault", _MemoryVault(fields))
        return Secrets(vault, "a_1", "facebook:page", {"page_id"})

    return make


Connect = Callable[..., Connection]


@pytest.fixture
def connect(
    server: EmulatorServer,
    emulator: FacebookEmulator,
    secrets_of: Callable[[Mapping[str, str]], Secrets],
) -> Iterator[Connect]:
    """Connections to the Page: ``connect()``, or with other credentials or settings."""
    made: list[Connection] = []

    def make(fields: Mapping[str, str] | None = None, **settings: Any) -> Connection:
        network = Facebook()
        account = Account(
            "a_1", "facebook", "page", emulator.endpoint(server.url), settings=settings
        )
        secrets = secrets_of(fields or emulator.credentials())
        session = Session(network.hosts, account.endpoint, connect_timeout=2, read_timeout=2)
        made.append(
            Connection(network, account, session, network.connect(account, secrets, session))
        )
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture
def connection(connect: Connect) -> Connection:
    return connect()


@pytest.fixture
def client(connection: Connection) -> Client:
    return cast("Client", connection.client)


def _picture(colour: str = "teal", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 4), colour).save(out, kind)
    return out.getvalue()


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Bytes of a small picture: ``picture(colour, kind)``."""
    return _picture


@pytest.fixture
def attach() -> Callable[..., Attachment]:
    def make(data: bytes | None = None, alt: str = "", name: str = "a.png") -> Attachment:
        content = _picture() if data is None else data
        return Attachment(
            str(hash(content)), "image/png", len(content), 8, 4, alt, name, lambda: content
        )

    return make


@pytest.fixture
def outgoing(connection: Connection) -> Callable[..., Outgoing]:
    """What the core would hand to ``publish``: photos are uploaded with ``connection``."""

    def make(text: str = "", *media: Attachment, **fields: Any) -> Outgoing:
        part = RenderedPart(text, media, fields)
        journal: dict[str, Any] = {}
        connection.ask(lambda: connection.network.prepare(connection.client, part, journal))
        return Outgoing(part, journal, "key", datetime.now(UTC))

    return make

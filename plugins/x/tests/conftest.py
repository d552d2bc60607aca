from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from postkit_x.emulator import XEmulator
from postkit_x.plugin import X

from postkit.accounts.secrets import Secrets
from postkit.accounts.vault import Vault
from postkit.deliver.clients import Connection
from postkit.emulator.server import EmulatorServer
from postkit.network import Account, Attachment
from postkit.transport import Session


@dataclass
class Bench:
    """The real plugin and tweepy over a real socket."""

    server: EmulatorServer
    vault: Vault
    network: X = field(default_factory=X)

    @property
    def emulator(self) -> XEmulator:
        emulator = self.server.emulators["x"]
        assert isinstance(emulator, XEmulator)
        return emulator

    def connect(self, credentials: Mapping[str, str] | None = None) -> Connection:
        account = Account("a_1", "x", "me", self.emulator.endpoint(self.server.url))
        self.vault.put(account.id, dict(credentials or self.emulator.credentials()))
        return self.again(account)

    def again(self, account: Account) -> Connection:
        """As another process would connect: from what the vault holds."""
        session = Session(self.network.hosts, account.endpoint, auth_paths=self.network.auth_paths)
        secrets = Secrets(self.vault, account.id, account.label, {"client_id"})
        client = self.network.connect(account, secrets, session)
        return Connection(self.network, account, session, client)

    def creates(self) -> int:
        return sum(entry.create for entry in self.server.requests("x"))

    def asked(self, method: str, path: str) -> int:
        return sum((e.method, e.path) == (method, path) for e in self.server.requests("x"))


class Api:
    """Plain requests to the emulator."""

    def __init__(self, server: EmulatorServer) -> None:
        emulator = server.emulators["x"]
        assert isinstance(emulator, XEmulator)
        self.server = server
        self.emulator = emulator
        self.base = emulator.endpoint(server.url)
        self.token = emulator.credentials()["access_token"]

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = more.pop("headers", {"Authorization": f"Bearer {self.token}"})
        return requests.request(method, self.base + path, headers=headers, timeout=10, **more)

    def post(self, text: str = "Hello", **more: Any) -> requests.Response:
        return self("POST", "/2/tweets", json={"text": text, **more})

    def upload(self, data: bytes, category: str = "tweet_image") -> requests.Response:
        body = {"media": base64.b64encode(data).decode(), "media_category": category}
        return self("POST", "/2/media/upload", json=body)

    def mine(self, **query: Any) -> Any:
        user = self("GET", "/2/users/me").json()["data"]["id"]
        return self("GET", f"/2/users/{user}/tweets", params=query).json()

    @staticmethod
    def refused(answer: requests.Response, status: int, kind: str = "about:blank") -> str:
        """Everything that a refusal says; its shape is checked."""
        body = answer.json()
        assert answer.status_code == body["status"] == status
        assert body["type"].rpartition("/")[2] == kind.rpartition("/")[2]
        errors = body.get("errors", ())
        return " ".join([body["detail"], *(error["message"] for error in errors)])


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer([XEmulator]) as running:
        yield running


@pytest.fixture
def bench(server: EmulatorServer, tmp_path: Path) -> Bench:
    return Bench(server, Vault(tmp_path / "vault", os.urandom(32)))


@pytest.fixture
def api(server: EmulatorServer) -> Api:
    return Api(server)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSTKIT_KEY", base64.b64encode(bytes(32)).decode())
    return tmp_path / "home"


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    def draw(colour: str = "red", kind: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
        stream = io.BytesIO()
        Image.new("RGB", size, colour).save(stream, kind)
        return stream.getvalue()

    return draw


@pytest.fixture(scope="session")
def attached(picture: Callable[..., bytes]) -> Callable[..., Attachment]:
    def attach(colour: str = "red", alt: str = "") -> Attachment:
        data = picture(colour)
        return Attachment(
            colour, "image/png", len(data), 8, 6, alt, f"{colour}.png", load=lambda: data
        )

    return attach

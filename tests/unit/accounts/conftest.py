"""A home, and a keyring that behaves as it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from postkit.accounts.keyring import Keyring
from postkit.home import Home

REAL = "keyring.backends.SecretService.Keyring"
DOUBLES = Path(__file__).parents[2] / "doubles"


@dataclass
class Ring:
    """The keyring's file, and what it is to do."""

    path: Path
    monkeypatch: pytest.MonkeyPatch

    def be(self, mood: str) -> None:
        self.monkeypatch.setenv("KEYRING_DOUBLE_MOOD", mood)

    def is_a(self, *classes: str) -> None:
        self.monkeypatch.setenv("KEYRING_DOUBLE_BACKEND", ",".join(classes))

    @property
    def held(self) -> dict[str, Any]:
        held: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return held

    def keyring(self, patience: float = 20) -> Keyring:
        return Keyring(patience)


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ring:
    """A real keyring that works, until it is told otherwise."""
    monkeypatch.syspath_prepend(str(DOUBLES))
    monkeypatch.setenv("KEYRING_DOUBLE", str(tmp_path / "ring.json"))
    found = Ring(tmp_path / "ring.json", monkeypatch)
    found.is_a(REAL)
    found.be("")
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of a person who has set no variable."""
    for name in ("POSTKIT_KEY", "POSTKIT_PASSPHRASE", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return Home(tmp_path / "home").ensure()

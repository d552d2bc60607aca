"""The fixture `postkit`: the whole program with a temporary home and every emulator."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit.emulator.server import EmulatorServer
from postkit.plugins import Plugins

from .planted import Planted, plant
from .program import Program


@pytest.fixture(scope="session")
def _server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Plugins().emulators()) as server:
        yield server


@pytest.fixture
def postkit(
    _server: EmulatorServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Program]:
    _server.reset()
    home = tmp_path / "home"
    monkeypatch.setenv("POSTKIT_HOME", str(home))
    monkeypatch.setenv("POSTKIT_KEY", base64.b64encode(b"k" * 32).decode())
    # Never the keyring of whoever runs the tests.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in (
        "POSTKIT_STORE", "POSTKIT_PLUGINS", "POSTKIT_TRACE", "POSTKIT_PASSPHRASE", "NO_COLOR",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    program = Program(home, _server, capsys, monkeypatch)
    yield program
    for process in program.started:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def mastodon(postkit: Program) -> Program:
    """The same with the account `mastodon:mastodon` connected."""
    postkit.connect("mastodon")
    return postkit


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    """A plugin of somebody else, installed and not enabled."""
    return plant(tmp_path)

"""The plugin, or plain calls, at the emulated server."""

from __future__ import annotations

from pathlib import Path

import pytest

from postkit.emulator.server import EmulatorServer

from .caller import Caller, login
from .desk import Desk, new_desk


@pytest.fixture
def desk(tmp_path: Path, server: EmulatorServer) -> Desk:
    return new_desk(tmp_path, server)


@pytest.fixture
def caller(server: EmulatorServer) -> Caller:
    account = server.accounts()[0]
    one = Caller(account.endpoint)
    answer = login(one, **account.credentials)
    return Caller(account.endpoint, answer["accessJwt"], answer["refreshJwt"])

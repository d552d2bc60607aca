"""The emulated server on a free port of 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postkit_bluesky.emulator import BlueskyEmulator

from postkit.emulator.server import EmulatorServer


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer([BlueskyEmulator]) as running:
        yield running

"""A board to publish to, its server, and a Kit that knows both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit.kit import Kit

from .board import Board, HandClock, Server, kit_of, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def kit(tmp_path: Path, server: Server, board: Board, clock: HandClock) -> Iterator[Kit]:
    with kit_of(tmp_path, server, board, clock) as kit:
        yield kit

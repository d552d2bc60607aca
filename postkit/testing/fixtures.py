"""pytest fixtures for programs that embed postkit; nothing is imported until one is used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from postkit import Kit
    from postkit.emulator.base import Emulator
    from postkit.emulator.server import EmulatorServer

    Serve = Callable[[Sequence[type[Emulator]]], EmulatorServer]


@pytest.fixture(scope="session")
def _postkit_serve() -> Iterator[Serve]:
    """Servers by the emulators they hold, each started once and closed with the session."""
    try:
        from postkit.emulator.server import EmulatorServer
    except ModuleNotFoundError as missing:
        raise pytest.UsageError(
            f"The emulator needs {missing.name}: run `pip install 'postkit-social[emulator]'`."
        ) from missing

    running: dict[tuple[type[Emulator], ...], EmulatorServer] = {}

    def serve(emulators: Sequence[type[Emulator]]) -> EmulatorServer:
        kinds = tuple(emulators)
        if kinds not in running:
            running[kinds] = EmulatorServer(kinds)
        server = running[kinds]
        server.reset()
        return server

    yield serve
    for server in running.values():
        server.close()


@pytest.fixture(scope="session")
def postkit_plugins() -> Collection[str]:
    """The distributions beside postkit's own whose plugins these fixtures load: those that
    POSTKIT_PLUGINS names. Override it in a ``conftest.py`` to name others."""
    from postkit.allowed import from_environment

    return from_environment()


@pytest.fixture
def postkit_emulator(_postkit_serve: Serve, postkit_plugins: Collection[str]) -> EmulatorServer:
    """A running server with the emulators of the networks that are installed and, where they are
    of others, named by ``postkit_plugins``; empty for each test.

    ``posts()`` are the live posts, ``requests()`` what was sent, ``add_fault(...)`` breaks the
    next post. Needs the extra ``emulator``.
    """
    from postkit.plugins import Plugins

    return _postkit_serve(Plugins(enabled=postkit_plugins).emulators())


@pytest.fixture
def postkit_kit(
    tmp_path: Path, postkit_emulator: EmulatorServer, postkit_plugins: Collection[str]
) -> Iterator[Kit]:
    """A Kit in a temporary home with a key of its own, and an account ``NETWORK:emulated`` for
    each network whose client is installed. Needs the extra ``emulator``."""
    import os

    from postkit.errors import PluginError
    from postkit.kit import Kit

    home = tmp_path / "postkit"
    with Kit(home=home, key=os.urandom(32), enabled=postkit_plugins) as kit:
        for account in postkit_emulator.accounts():
            try:
                kit.plugins.network(account.network)
            except PluginError:
                continue  # its SDK is an extra that is not installed here
            _, problem = kit.connect(
                account.network, account.credentials, name="emulated", endpoint=account.endpoint
            )
            if problem is not None:
                pytest.fail(f"{account.network}: {problem.message}")
        yield kit

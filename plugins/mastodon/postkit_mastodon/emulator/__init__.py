"""A stand-in for one Mastodon server with one account, checked against the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from postkit.emulator.base import Emulator
from postkit.hookspecs import hookimpl

from .server import MastodonEmulator

__all__ = ["MastodonEmulator", "postkit_emulators"]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [MastodonEmulator]

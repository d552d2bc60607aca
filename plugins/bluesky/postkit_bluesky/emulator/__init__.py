"""A stand-in for one server (PDS) with one account, held to what a real one answers."""

from __future__ import annotations

from collections.abc import Iterable

from postkit.emulator.base import Emulator
from postkit.hookspecs import hookimpl

from .server import BlueskyEmulator

__all__ = ["BlueskyEmulator", "postkit_emulators"]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [BlueskyEmulator]

"""A stand-in for the Graph API with one Page, checked against the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from postkit.emulator.base import Emulator
from postkit.hookspecs import hookimpl

from .server import FacebookEmulator

__all__ = ["FacebookEmulator", "postkit_emulators"]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [FacebookEmulator]

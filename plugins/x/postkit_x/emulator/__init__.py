"""A stand-in for X: what the plugin and tweepy ask of API version 2, held to its documentation."""

from __future__ import annotations

from collections.abc import Iterable

from postkit.emulator.base import Emulator
from postkit.hookspecs import hookimpl

from .network import XEmulator

__all__ = ["XEmulator"]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [XEmulator]

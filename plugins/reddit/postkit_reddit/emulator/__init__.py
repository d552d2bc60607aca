"""A stand-in for Reddit with one account, checked against praw's source and the fact sheet."""

from __future__ import annotations

from collections.abc import Iterable

from postkit.emulator.base import Emulator
from postkit.hookspecs import hookimpl

from .server import RedditEmulator

__all__ = ["RedditEmulator", "postkit_emulators"]


@hookimpl
def postkit_emulators() -> Iterable[type[Emulator]]:
    return [RedditEmulator]

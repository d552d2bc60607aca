"""Which program transcodes: PyAV where it is installed, else ffmpeg on the PATH."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import asdict
from typing import Protocol

from ..errors import InputError
from . import engine_ffmpeg
from .process import program, python
from .recipe import Recipe

HOW_TO_INSTALL = "run: pip install 'postkit-social[video]', or put ffmpeg on the PATH."


class Engine(Protocol):
    """Makes a target of a source, as a program with its command and its lines of progress."""

    def command(self, recipe: Recipe) -> list[str]: ...

    def done(self, line: str, recipe: Recipe) -> float | None:
        """How much is done, 0 to 1, where ``line`` tells it."""


class PyAV:
    def command(self, recipe: Recipe) -> list[str]:
        return [*python("engine_av"), json.dumps(asdict(recipe))]

    def done(self, line: str, recipe: Recipe) -> float | None:  # noqa: ARG002 - the interface
        word, _, number = line.partition(" ")
        return float(number) if word == "progress" else None


class Ffmpeg:
    def __init__(self, path: str) -> None:
        self._path = path

    def command(self, recipe: Recipe) -> list[str]:
        return engine_ffmpeg.command(self._path, recipe)

    def done(self, line: str, recipe: Recipe) -> float | None:
        return engine_ffmpeg.done(line, recipe)


def has_av() -> bool:
    """Whether PyAV is installed; it is not imported, which takes 70 ms."""
    return importlib.util.find_spec("av") is not None


def choose(name: str) -> Engine:
    """The engine of this machine. Raises InputError that says what to install for ``name``."""
    if has_av():
        return PyAV()
    if path := program("ffmpeg"):
        return Ffmpeg(path)
    raise InputError(f"{name}: changing a video takes PyAV or ffmpeg; {HOW_TO_INSTALL}")

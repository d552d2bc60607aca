"""Which plugins of others may be loaded: those that somebody has enabled by name.

``plugins.json`` in the home holds ``{"enabled": ["NAME", ...]}``, names of distributions;
POSTKIT_PLUGINS holds more of them, separated by commas.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import InputError, PluginError, VaultError
from .home import Home
from .installed import canonical

VARIABLE: Final = "POSTKIT_PLUGINS"
LARGEST: Final = 65_536
"""Bytes of a list; a thousand names are a third of it."""
WRITE_TIMEOUT: Final = 10.0
"""Seconds to wait for another process that changes the list."""
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Allowed:
    """The names, in their canonical spelling. ``problem``: why the list could not be read; then
    it counts as empty."""

    names: frozenset[str]
    problem: str = ""

    @classmethod
    def read(cls, home: Home | None = None, environ: Mapping[str, str] | None = None) -> Allowed:
        """Of the home (None: the one that the environment names) and POSTKIT_PLUGINS."""
        environ = os.environ if environ is None else environ
        given = from_environment(environ)
        try:
            path = _path(home or Home.resolve(environ={**environ, "POSTKIT_STORE": ""}))
            return cls(given | _names(path))
        except (PluginError, InputError) as error:
            return cls(given, error.message)


def from_environment(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """What POSTKIT_PLUGINS enables."""
    text = (os.environ if environ is None else environ).get(VARIABLE, "")
    return frozenset(canonical(name.strip()) for name in text.split(",") if name.strip())


def allow(home: Home, name: str) -> bool:
    """Enable the distribution durably; whether it was not before. Raises PluginError where the
    list cannot be read (it is never written over then) or written, and PostkitError."""
    home.ensure()
    with _changing(home) as names:
        new = canonical(name) not in names
        names.add(canonical(name))
    return new


def forbid(home: Home, name: str) -> bool:
    """Take it off the list; whether it was there. Raises as `allow`."""
    if not _path(home).exists():
        return False
    with _changing(home) as names:
        known = canonical(name) in names
        names.discard(canonical(name))
    return known


@contextlib.contextmanager
def _changing(home: Home) -> Iterator[set[str]]:
    from .accounts.file_lock import locked
    from .accounts.private_file import replace_private

    path = _path(home)
    lock = path.with_name(f"{path.name}.lock")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(
                locked(lock, WRITE_TIMEOUT, "The list of enabled plugins cannot be written")
            )
        except VaultError as error:
            raise PluginError(error.message) from error
        before = _names(path)
        names = set(before)
        yield names
        if names == before:
            return
        try:
            replace_private(path, json.dumps({"enabled": sorted(names)}, indent=1).encode() + b"\n")
        except OSError as error:
            raise PluginError(
                f"The list of enabled plugins {path} cannot be written ({error.strerror}); free "
                "the disk or the folder's permissions and try again."
            ) from error


def _path(home: Home) -> Path:
    return home.path / "plugins.json"


def _names(path: Path) -> frozenset[str]:
    """Of the file; none where there is no file. Raises PluginError."""
    try:
        # Without O_NONBLOCK a FIFO of that name would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise _unreadable(path, "it is no such list")
        if status.st_mode & _OTHERS_WRITE:
            raise PluginError(
                f"The list of enabled plugins {path} can be changed by other users, so none is "
                f"enabled; close it with `chmod 600 '{path}'`."
            )
        content = json.loads(os.read(descriptor, LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, "it is damaged") from error
    finally:
        os.close(descriptor)
    names = content.get("enabled") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unreadable(path, "it is no such list")
    return frozenset(map(canonical, names))


def _unreadable(path: Path, why: str) -> PluginError:
    return PluginError(
        f"The list of enabled plugins {path} cannot be read ({why}), so none is enabled; remove "
        "it and enable them again with `postkit plugins enable NAME`."
    )

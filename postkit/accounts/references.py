"""Secrets by reference: ``env:NAME``, ``file:PATH`` and ``cmd:COMMAND``, as the core resolves them.

The secret itself then stands in no list of processes and in no shell's history. Each problem is
one InputError that begins with the reference. Whether the text is a secret, who asks knows.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..errors import InputError
from ..hookspecs import hookimpl

MOST_BYTES: Final = 65_536
"""Bytes of what holds one secret: many times the longest token."""


@hookimpl(tryfirst=True)
def postkit_secret(reference: str) -> str | None:
    """The secret that is referred to; None for text that is no reference of these."""
    scheme, colon, rest = reference.partition(":")
    resolve = _SCHEMES.get(scheme) if colon else None
    return None if resolve is None else resolve(rest)


def _variable(name: str) -> str:
    value = os.environ.get(name, "") if name and "=" not in name and "\0" not in name else ""
    if not value:
        raise InputError(f"env:{name}: the environment variable {name} is not set.")
    return value


def _file(path: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"file:{path}: {path} cannot be read ({reason}).") from error
    text = _line(data)
    if text is None:
        raise InputError(f"file:{path}: {path} holds no secret; it must be one line of text.")
    return text


def _command(command: str) -> str:
    from .command import output_of

    text = _line(output_of(command, MOST_BYTES))
    if text is None:
        program = command.split()[0]
        raise InputError(f"cmd:{program}: it printed no secret; it must print one line of text.")
    return text


def _line(data: bytes) -> str | None:
    """One line of printable text, or None."""
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() and len(data) <= MOST_BYTES else None


_SCHEMES: Final = {"env": _variable, "file": _file, "cmd": _command}

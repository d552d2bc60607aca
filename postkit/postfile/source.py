"""The text of a post file: read without blocking, decoded strictly, with plain line ends."""

from __future__ import annotations

import os
import re
import stat
from itertools import islice
from pathlib import Path

from .problems import Problems, suggestion

MAX_BYTES = 1024 * 1024
"""Bytes of one post file."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def kind_of(mode: int) -> str | None:
    """What a file that is not a regular one is, by its `st_mode`; None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    return next((kind for test, kind in _KINDS if test(mode)), "no regular file")


def load(path: Path, problems: Problems) -> bytes | None:
    """The bytes of the file, or None with a problem."""
    try:
        kind = kind_of(path.stat().st_mode)
        data = _read(path) if kind is None else b""
    except FileNotFoundError:
        near = suggestion(path.name, _names(path.parent))
        problems.add(None, "", f"There is no such file.{near}")
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.add(None, "", f"The file cannot be read: {reason}.")
        return None
    if kind is not None:
        problems.add(None, "", f"This is {kind}; a post is read from a regular file.")
        return None
    return data


def _read(path: Path) -> bytes:
    # A pipe may take the file's place after the check: opening one for reading would block.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        return stream.read(MAX_BYTES + 1) or b""


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in islice(folder.iterdir(), 1000)]
    except OSError:
        return []


def decode(data: bytes, problems: Problems) -> str | None:
    """UTF-8, with or without a byte order mark; None with a problem for anything else."""
    if len(data) > MAX_BYTES:
        problems.add(None, "", f"The file has more than {MAX_BYTES:,} bytes; a post is shorter.")
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        problems.add(1, "encoding", "The file is UTF-16; save it as UTF-8.")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.start - data.rfind(b"\n", 0, error.start)
        problems.add(
            line,
            "encoding",
            f"Byte {byte} of this line (0x{data[error.start]:02X}) is not UTF-8; "
            "save the file as UTF-8.",
        )
        return None


def clean(text: str, problems: Problems) -> str:
    """The text with LF line ends, as Markdown counts lines, and without a byte order mark.

    Control characters and halves of surrogate pairs are problems; U+FFFD takes their place, so
    that the rest of the file is still looked at.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    for found in _FORBIDDEN.finditer(text):
        if problems.full:
            break
        code = ord(found.group())
        what = "half of a surrogate pair" if code >= 0xD800 else "a control character"
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        problems.add(line, "text", f"Character {column} is {what} (U+{code:04X}); remove it.")
    return _FORBIDDEN.sub("\ufffd", text)

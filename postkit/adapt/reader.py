"""Read the bytes of a medium from a file or a stream, with one clear sentence where that fails."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from ..errors import InputError
from .filetype import image_mime, other_video

MAX_BYTES = 100 * 1024 * 1024
"""Bytes of one file: more than any network takes for a picture, little enough for memory."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def read_file(path: Path) -> bytes:
    """The bytes of the regular file ``path``, at most MAX_BYTES.

    Raises InputError where it is missing, unreadable, empty, too large or no regular file.
    """
    with _opened(path) as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise unreadable(path, error) from None
    return _checked(data, str(path))


def open_file(path: Path) -> IO[bytes]:
    """The regular file ``path``, open for reading; of any size. Raises as ``read_file`` does."""
    return _opened(path)


def read_stream(stream: IO[bytes], name: str) -> bytes:
    """The rest of the binary ``stream``, at most MAX_BYTES; ``name`` is for the messages.

    Raises InputError where it cannot be read, gives text, is empty or too long.
    """
    # bytearray: a raw stream may give less than was asked for, many times over.
    data = bytearray()
    try:
        while len(data) <= MAX_BYTES:
            block: object = stream.read(MAX_BYTES + 1 - len(data))
            if block is None:
                raise InputError(f"{name}: the stream has nothing to read yet; read it first.")
            if not isinstance(block, bytes | bytearray | memoryview):
                raise InputError(f"{name}: the stream gives text; open it in binary mode ('rb').")
            if not block:
                break
            data += block
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name}: the stream cannot be read ({error}); give an open stream or a path."
        ) from None
    return _checked(bytes(data), name)


def _opened(path: Path) -> IO[bytes]:
    try:
        # Looked at before it is opened: opening a pipe may wait for ever or wake its writer.
        _refuse_other_kinds(path, path.stat().st_mode)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        file = open(descriptor, "rb")  # noqa: PTH123, SIM115 - a descriptor has no Path; handed on
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    try:
        # The name may have changed hands since: what is open is what counts.
        _refuse_other_kinds(path, os.fstat(descriptor).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def unreadable(path: Path | str, error: OSError | ValueError) -> InputError:
    """The sentence for what the system says about ``path``."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: there is no such file; check the name and the folder.")
    if isinstance(error, PermissionError):
        return InputError(f"{path}: this user may not read it; change its permissions or copy it.")
    reason = error.strerror if isinstance(error, OSError) else None
    return InputError(
        f"{path}: it cannot be read ({reason or error}); check the path and the disk."
    )


def _refuse_other_kinds(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "no file")
        raise InputError(f"{path}: it is {kind}; give a regular file.")


def _checked(data: bytes, name: str) -> bytes:
    if not data:
        raise InputError(f"{name}: it is empty (0 bytes); save or copy it again.")
    if len(data) > MAX_BYTES:
        if image_mime(data) is None and (said := other_video(data)):
            # Made smaller it could not be read either.
            raise InputError(f"{name}: {said}.")
        raise InputError(
            f"{name}: it has more than {MAX_BYTES // 1024**2} MiB, the most that is read;"
            " make it smaller."
        )
    return data

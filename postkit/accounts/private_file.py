"""Files that only their owner may read: read with care, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from ..errors import VaultError

OWNER_ONLY: Final = 0o600
LARGEST: Final = 64 * 1024 * 1024
"""Bytes. Nothing that postkit keeps this way comes near; a device or a disk image does."""
_OTHERS: Final = 0o077
_TEMPORARY: Final = ".tmp-"


def read_private(path: Path, what: str, *, guarded: bool = False) -> bytes | None:
    """The content, or None where there is no file.

    Raises `VaultError` for what is no plain file and for one that others may read or change
    (unless it is ``guarded`` by other means than its mode); `what` names the file in its sentence.
    """
    try:
        # Without O_NONBLOCK a FIFO of that name would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VaultError(f"The {what} {path} cannot be read ({error.strerror}).") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise VaultError(
                f"{path} is not a {what} of postkit: "
                f"{'it is too large' if stat.S_ISREG(status.st_mode) else 'it is no plain file'}."
            )
        if status.st_mode & _OTHERS and not guarded:
            raise VaultError(
                f"The {what} {path} is open to other users (mode "
                f"{stat.S_IMODE(status.st_mode):03o}); close it with `chmod 600 '{path}'`."
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise VaultError(f"The {what} {path} cannot be read ({error.strerror}).") from error
    finally:
        os.close(descriptor)


def create_private(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600, durably. Raises `OSError`, also where one exists."""
    _write_new(path, content)
    _sync_folder(path.parent)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, OWNER_ONLY)  # a strict umask may have taken the owner's bits
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def replace_private(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file, durably: a crash leaves the old or the new one.

    To be called with the file's lock held: what a crashed writer left beside it is removed.
    Raises `OSError`.
    """
    path = path.resolve()  # a link stays a link, and the temporary file is on the same disk
    for leftover in path.parent.glob(f"{glob.escape(path.name)}{_TEMPORARY}*"):
        leftover.unlink(missing_ok=True)
    temporary = path.with_name(f"{path.name}{_TEMPORARY}{secrets.token_hex(8)}")
    _write_new(temporary, content)
    try:
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def rename_private(old: Path, new: Path) -> None:
    """Give a file another name, durably, in place of one that has it. Raises `OSError`."""
    old.replace(new)
    _sync_folder(new.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems have no such thing
            raise
    finally:
        os.close(descriptor)

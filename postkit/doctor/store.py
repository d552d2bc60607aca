"""The store: whole, of this version, on a disk that has room and keeps what is written."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from ..kit import Kit
from ..store.database import NETWORK_FILE_SYSTEMS, _file_system, _migrations
from .finding import Examined, Finding, problem, warning
from .reading import read_only, version_of

LITTLE = 500_000_000
NOTHING = 20_000_000
"""Bytes of free disk: a warning, and what a post with media may not fit into any more."""
LARGE_WAL = 256_000_000
"""Bytes. SQLite moves the log into the store all the time, unless somebody reads for long."""


def look(kit: Kit) -> Examined:
    path = kit.home.store_path
    found: list[Finding] = [*_disk(path)]
    if not path.exists():
        return Examined("store", f"none yet ({path})", tuple(found))
    try:
        version = _version(path, found)
    except sqlite3.Error as error:
        text = f"{path} cannot be read ({error})."
        remedy = "restore a backup of it, or move it away and connect the accounts again"
        found.append(problem("store", text, remedy))
        return Examined("store", "", tuple(found))
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size > LARGE_WAL:
        size = f"{wal.stat().st_size // 1_000_000:,} MB"
        text = f"The log beside the store has grown to {size}: a program reads it without an end."
        found.append(warning("store", text, "end what has the store open, then `postkit queue`"))
    size = f"{path.stat().st_size / 1_000_000:,.1f} MB"
    return Examined("store", f"{path}, {size}, schema {version}, whole", tuple(found))


def _version(path: Path, found: list[Finding]) -> int:
    """The schema's version. Raises sqlite3.Error."""
    known = len(_migrations())
    version = version_of(path)
    if version > known:
        text = f"{path} was written by a newer postkit (schema {version}, this knows {known})."
        found.append(problem("store", text, "update postkit"))
    elif version < known:
        text = f"{path} has schema {version} of {known}."
        found.append(warning("store", text, "`postkit queue`, which brings it up to date"))
    with read_only(path) as connection:
        told = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if told != ["ok"]:
        text = f"{path} is damaged: {'; '.join(str(line) for line in told)}."
        found.append(problem("store", text, "restore a backup of it"))
    return version


def _disk(path: Path) -> list[Finding]:
    folder = next((each for each in path.parents if each.exists()), path.parent)
    found = []
    kind = _file_system(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        text = f"{path} is on a network file system ({kind}), where commits can be lost."
        found.append(problem("store", text, "set POSTKIT_STORE to a file on a local disk"))
    free = shutil.disk_usage(folder).free
    words = f"{free // 1_000_000:,} MB are free on the disk of {folder}."
    if free < NOTHING:
        found.append(problem("store", words, "make room on it"))
    elif free < LITTLE:
        found.append(warning("store", words, "make room on it"))
    return found

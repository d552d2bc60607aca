"""The store as it lies there: read, and neither made, migrated nor waited for."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ..store.database import _migrations


@contextlib.contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Raises sqlite3.Error."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    try:
        yield connection
    finally:
        connection.close()


def version_of(path: Path) -> int:
    """The version of the store's schema. Raises sqlite3.Error."""
    with read_only(path) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_older(path: Path) -> bool:
    """Whether to open the store would bring it up to date, which is a change."""
    try:
        return path.exists() and version_of(path) < len(_migrations())
    except sqlite3.Error:
        return False


def name_of(label: str, tenant: str) -> str:
    """An account, as it is told apart from one of the same name of another tenant's."""
    return f"{label} of {tenant}" if tenant else label

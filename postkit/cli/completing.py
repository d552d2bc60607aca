"""What a shell offers where an account's name is written."""

from __future__ import annotations

import sqlite3

import click

from ..errors import PostkitError
from ..home import Home


def complete_accounts(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the connected accounts that begin so. Never makes a store, nor waits for one."""
    try:
        path = Home.resolve().store_path
        if not path.exists():
            return []
        reading = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)
    except (PostkitError, OSError, sqlite3.Error):
        return []
    try:
        found = reading.execute(
            "SELECT network || ':' || name FROM account WHERE removed_at IS NULL AND tenant = '' "
            "ORDER BY 1"
        ).fetchall()
    except sqlite3.Error:
        return []
    finally:
        reading.close()
    return [label for (label,) in found if label.startswith(incomplete)]

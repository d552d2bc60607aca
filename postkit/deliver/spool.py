"""Receipts that the store could not take: a file that is appended to and synced, read first
when a part is in doubt."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from ..network import Receipt


class Spool:
    """``receipts.jsonl`` in the home: a last resort while the disk or the database refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, part_id: str, attempt: int, receipt: Receipt) -> None:
        """Durable on return. Raises OSError where this disk refuses too."""
        line = json.dumps({"part": part_id, "attempt": attempt, "receipt": receipt.to_json()})
        data = b"\n" + line.encode("utf-8") + b"\n"
        is_new = not self._path.exists()
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(handle, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def get(self, part_id: str, attempt: int) -> Receipt | None:
        """The newest receipt up to that attempt: one that came late still proves a post. A line
        that was cut by a crash is passed over."""
        try:
            lines = self._path.read_text("utf-8", "replace").splitlines()
        except OSError:
            return None
        for line in reversed(lines):
            try:
                row = json.loads(line)
                if row["part"] == part_id and row["attempt"] <= attempt:
                    return Receipt(**row["receipt"])
            except (ValueError, KeyError, TypeError):
                continue
        return None

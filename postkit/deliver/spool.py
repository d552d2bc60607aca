"""Receipts that the store could not take: a file that is appended to and synced, read first
when a part is in doubt."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..network import Receipt


class Spool:
    """``receipts.jsonl`` in the home: a last resort while the disk or the database refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, part_id: str, attempt: int, receipt: Receipt) -> None:
        line = json.dumps({"part": part_id, "attempt": attempt, "receipt": receipt.to_json()})
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, b"\n" + line.encode("utf-8") + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def get(self, part_id: str, attempt: int) -> Receipt | None:
        """The receipt of that attempt; a line that was cut by a crash is passed over."""
        try:
            lines = self._path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return None
        for line in reversed(lines):
            try:
                row = json.loads(line)
                if row["part"] == part_id and row["attempt"] == attempt:
                    return Receipt(**row["receipt"])
            except (ValueError, KeyError, TypeError):
                continue
        return None

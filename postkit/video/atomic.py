"""A file that appears under its name whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A path in the folder of ``target`` that takes its name when all went well."""
    # Not the target's name: it may be as long as the file system takes.
    made = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)

"""The rules of a made-up zone, as a package manager would replace them."""

from __future__ import annotations

from pathlib import Path

from tests.unit.test_zones import MADE_UP, tzif


class ZoneFile:
    """A made-up zone, alone on the search path."""

    def __init__(self, path: Path) -> None:
        self.path = path / MADE_UP
        self.path.parent.mkdir(parents=True)

    def write(self, rules: str) -> None:
        fresh = self.path.with_name("fresh")
        fresh.write_bytes(tzif(rules))
        fresh.replace(self.path)

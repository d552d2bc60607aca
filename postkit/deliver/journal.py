"""The ids that ``prepare`` gets, each on the disk before the next one is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..errors import PluginError
from ..store.rows import PartRow

if TYPE_CHECKING:
    from .ledger import Ledger
    from .moves import Gate

TOLD_EACH = 60.0
"""Seconds: a long upload has a line in the history so often, and one at its beginning."""


class PreparedJournal(MutableMapping[str, Any]):
    """The ids that ``prepare`` has so far; each assignment is on the disk when it returns."""

    def __init__(
        self, ledger: Ledger, clock: Clock, part: PartRow, dropped: Gate | None = None
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._part = part
        self._dropped = dropped
        self._told = clock.monotonic()
        self._values = dict(part.prepared)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        try:
            kept = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError):
            raise PluginError(
                f"The plugin's journal takes JSON; {name!r} is {type(value).__name__}."
            ) from None
        self._keep(name, {**self._values, name: kept})

    def __delitem__(self, name: str) -> None:
        left = {n: value for n, value in self._values.items() if n != name}
        # What is of no use any more is uploaded once more.
        self._keep(name, left, self._dropped if name in self._values else None)

    def _keep(self, name: str, values: dict[str, Any], gate: Gate | None = None) -> None:
        now = self._clock.monotonic()
        is_new = name in values and name not in self._values
        line = is_new or now - self._told >= TOLD_EACH
        self._ledger.prepared(self._part, name, values, line=line, gate=gate)
        self._values = values
        if line:
            self._told = now

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

"""The ids that ``prepare`` gets, each on the disk before the next one is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from ..errors import PluginError
from ..store.rows import PartRow

if TYPE_CHECKING:
    from .ledger import Ledger


class PreparedJournal(MutableMapping[str, Any]):
    """The ids that ``prepare`` has so far; each assignment is on the disk when it returns."""

    def __init__(self, ledger: Ledger, part: PartRow) -> None:
        self._ledger = ledger
        self._part = part
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
        self._keep(name, {n: value for n, value in self._values.items() if n != name})

    def _keep(self, name: str, values: dict[str, Any]) -> None:
        self._ledger.prepared(self._part, name, values)
        self._values = values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

"""Where the text of postkit.toml speaks of an account."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TABLE = re.compile(r"\s*\[\s*networks\s*\.\s*[\"']?(?P<network>[^\"'\]\s]+)[\"']?\s*\]")
_ANY_TABLE = re.compile(r"\s*\[")
_CHOICE = re.compile(r"\s*account\s*=\s*[\"'](?P<name>[^\"']*)[\"']")


def mentions(text: str, network: str, name: str) -> Iterator[int]:
    """The numbers of its lines (from 1) with an address of the account, settings of its own, or
    the choice of it among the accounts of its network. Comments count: they are found by people."""
    label = re.compile(rf"(?<![\w.:-]){re.escape(f'{network}:{name}')}(?![\w.-])")
    within = ""
    for number, line in enumerate(text.splitlines(), 1):
        if (table := _TABLE.match(line)) is not None:
            within = table["network"]
        elif _ANY_TABLE.match(line):
            within = ""
        choice = _CHOICE.match(line) if within == network else None
        if label.search(line) or (choice is not None and choice["name"] == name):
            yield number

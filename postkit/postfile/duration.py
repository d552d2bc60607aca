"""How long a poll is open."""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import values
from .nodes import Entry
from .problems import Problems, quoted

_UNITS = {"minutes": 1, "hours": 60, "days": 1440}
_DURATION = re.compile(r"(?:([0-9]{1,6})d)? ?(?:([0-9]{1,6})h)? ?(?:([0-9]{1,6})m)?")


def minutes(keys: Mapping[str, Entry], problems: Problems) -> int | None:
    """Minutes from `minutes`, `hours`, `days` or `duration`; None where none is given or right."""
    given = [key for key in keys if key in _UNITS or key == "duration"]
    if len(given) > 1:
        sentence = f"{' and '.join(given)} say the same thing; keep one of them."
        problems.add(keys[given[1]].line, f"poll.{given[1]}", sentence)
    if not given:
        return None
    key = given[0]
    node, where = keys[key].value, f"poll.{key}"
    if key in _UNITS:
        number = values.whole(node, where, problems)
        return number and number * _UNITS[key]
    text = values.word(node, where, problems)
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    days, hours, rest = (int(n or 0) for n in found.groups()) if found else (0, 0, 0)
    total = days * 1440 + hours * 60 + rest
    if not total:
        problems.add(node.line, where, f"{quoted(text)} is no duration; write 1d, 12h or 30m.")
    return total or None

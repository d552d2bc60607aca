"""The terms of a planned delivery in words: its cost, its quota, what a lost answer would mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .network import RenderedPart
from .plan import Planned

IN_DOUBT = {
    "key": "the same request is sent again; its key keeps both from becoming two posts",
    "probe": "the network is asked for this very post",
    "duplicate_refusal": "it is sent again; the network refuses a second one",
    "read_back": "your newest posts are read; if it is not among them, you are asked",
    "blind": "nobody but you can look: you are asked",
}
"""What postkit does where a network's answer is lost, by the kind of guarantee."""


def money(cost: Mapping[str, Any]) -> str:
    """``0.215 USD``."""
    return f"{cost['amount']:.3f} {cost['currency']}"


def quota(planned: Planned) -> str | None:
    """The network's first rate in words: ``100 posts of an account in 15 min``."""
    if not planned.quota:
        return None
    rate = planned.network.limits_for(planned.place.account).rates[0]
    return f"{rate.calls:,} {rate.what} in {span(rate.seconds)}"


def span(seconds: int) -> str:
    """A time in its largest whole unit."""
    for unit, size in (("day", 86_400), ("hour", 3600)):
        if seconds and seconds % size == 0:
            number = seconds // size
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return f"{seconds // 60:,} min" if seconds and seconds % 60 == 0 else f"{seconds:,} s"


def options_of(parts: Sequence[RenderedPart]) -> dict[str, str]:
    """The network's own options that will be sent, by name; each once for the address."""
    found: dict[str, str] = {}
    for part in parts:
        for name, value in (part.fields.get("options") or {}).items():
            if isinstance(value, bool):
                value = "yes" if value else "no"
            elif isinstance(value, list | tuple):
                value = ", ".join(map(str, value))
            found.setdefault(name, str(value))
    return found

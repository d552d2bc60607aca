"""Where entities are in the unit that a network counts in: code points, UTF-16 units or bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .entities import Entity

Unit = Literal["code points", "utf-16", "utf-8"]


def spans(text: str, entities: Iterable[Entity], unit: Unit) -> list[tuple[int, int]]:
    """Start and end of each of ``entities`` in ``unit`` of ``text``, from its beginning.

    ``entities`` are those of ``text``, in order and apart, as ``EntityRules.detect`` gives them;
    ValueError where they are not. A lone surrogate takes 3 bytes or one UTF-16 unit. Each code
    point is looked at once, however many entities there are.
    """
    if unit not in ("code points", "utf-16", "utf-8"):
        raise ValueError(f"unit is {unit!r}; take 'code points', 'utf-16' or 'utf-8'.")
    found: list[tuple[int, int]] = []
    at = position = 0
    for entity in entities:
        if not at <= entity.start <= entity.end <= len(text):
            raise ValueError(f"{entity.text!r} at {entity.start} is not in order; sort them first.")
        start = position + _width(text[at : entity.start], unit)
        position = start + _width(text[entity.start : entity.end], unit)
        at = entity.end
        found.append((start, position))
    return found


def _width(text: str, unit: Unit) -> int:
    if unit == "code points" or text.isascii():
        return len(text)
    if unit == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))

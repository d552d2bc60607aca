"""Texts of an exact length in the unit of a network."""

from __future__ import annotations

from collections.abc import Sequence

from postkit.limits.model import TextLimit

SEEDS = ("conformity ", "größer als ", "投稿の試験です ", "🎉 party ", "👩‍👩‍👧‍👦 and 👩‍👩‍👧‍👦 ")
"""Words of one byte a letter, two, three, four, and 25 for one grapheme cluster."""


def exactly(limit: TextLimit, amount: int, others: Sequence[TextLimit] = ()) -> str | None:
    """A text that counts ``amount`` under ``limit`` and fits ``others``; None if none was found.

    It neither begins nor ends with a space, since servers trim those, and holds no link,
    mention or hashtag.
    """
    for seed in SEEDS:
        text = _grown(limit, amount, seed)
        if text is not None and all(o.counter.count(text) <= o.maximum for o in others):
            return text
    return None


def _grown(limit: TextLimit, amount: int, seed: str) -> str | None:
    count = limit.counter.count
    low, high = 0, amount
    while low < high:
        middle = (low + high + 1) // 2
        if count(seed * middle + "a") <= amount:
            low = middle
        else:
            high = middle - 1
    text = seed * low + "a"
    while count(text) < amount:
        text += "a"
    return text if count(text) == amount and text == text.strip() else None

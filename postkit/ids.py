"""Ids that sort by the time they were made: 9 characters of milliseconds, 11 of chance.

Within a process each is greater than the one before, even in one millisecond: what is due at the
same moment goes out in the order in which it was accepted.
"""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_guard = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """``p_`` for a publication, ``d_`` for a delivery, ``a_`` for an account."""
    global _last  # the one place that hands out ids
    number = (time.time_ns() // 1_000_000) << 55 | secrets.randbits(55)
    with _guard:
        # Steps of chance, so that nobody guesses the next one.
        if number <= _last:
            number = _last + 1 + secrets.randbits(40)
        _last = number
    digits = []
    for _ in range(20):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(digits))}"


def part_id(delivery_id: str, position: int) -> str:
    """``position`` counts from 1."""
    return f"{delivery_id}.{position}"

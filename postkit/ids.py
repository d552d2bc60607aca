"""Ids that sort by the time they were made: 9 characters of milliseconds, 11 of chance."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """``p_`` for a publication, ``d_`` for a delivery, ``a_`` for an account."""
    number = (time.time_ns() // 1_000_000) << 55 | secrets.randbits(55)
    digits = []
    for _ in range(20):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(digits))}"


def part_id(delivery_id: str, position: int) -> str:
    """``position`` counts from 1."""
    return f"{delivery_id}.{position}"

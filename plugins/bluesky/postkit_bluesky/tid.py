"""Timestamp identifiers: the record keys of posts, chosen by the client.

13 characters of 5 bits each: a zero bit, 53 bits of microseconds since 1970, 10 bits of a clock id
(the record key type ``tid`` of the AT Protocol, checked 2026-11-23). They sort by time.
"""

from __future__ import annotations

import secrets
import threading
import time

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
LENGTH = 13
CLOCK_BITS = 10

_guard = threading.Lock()
_last = 0


def new_tid() -> str:
    """A key greater than all former ones of this process, also when the clock steps back."""
    global _last
    with _guard:
        _last = max(time.time_ns() // 1000, _last + 1)
        microseconds = _last
    # The clock id is drawn anew each time: a forked process must not repeat its parent's keys.
    return encode(microseconds, secrets.randbits(CLOCK_BITS))


def encode(microseconds: int, clock_id: int) -> str:
    number = microseconds << CLOCK_BITS | clock_id
    return "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH - 1, -1, -1))

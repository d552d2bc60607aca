"""An account's own caps, below whatever the network allows: so that a stolen key or a program that
runs wild cannot post five hundred times before anybody looks.

Each create request counts, so each part of a thread does. Over the burst cap an account waits, and
goes on by itself. Over the daily cap a post is held for a person. A repeat of a request that may
have left does not count again, nor does what a person let go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ..errors import InputError
from ..limits.model import Source
from ..network import Account
from ..store.budgets import Need

NAMES: Final = ("cap_per_day", "cap_burst", "cap_burst_minutes")
"""Settings in postkit.toml, of a network or an account."""
DAY = 86_400
"""Seconds: any 24 hours, and not a calendar's day."""
DAY_BUCKET = "cap/day"
BURST_BUCKET = "cap/burst"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Caps:
    """At most ``per_day`` posts in any 24 hours and ``burst`` in any ``burst_minutes``; None: as
    many as the network allows."""

    per_day: int | None
    burst: int | None
    burst_minutes: int

    def day(self) -> Need | None:
        """What one post needs of the daily cap."""
        return None if self.per_day is None else Need("account", DAY_BUCKET, self.per_day, DAY)

    def rush(self) -> Need | None:
        """What one post needs of the burst cap."""
        if self.burst is None:
            return None
        return Need("account", BURST_BUCKET, self.burst, self.burst_minutes * 60)

    def needs(self) -> tuple[Need, ...]:
        return tuple(need for need in (self.day(), self.rush()) if need is not None)

    def warnings(self, address: str, parts: int) -> Sequence[str]:
        """What a thread of so many parts meets, before any of it is sent."""
        found = []
        if self.per_day is not None and parts > self.per_day:
            found.append(
                f"{address}: {parts} parts, and at most {self.per_day} are sent in 24 hours "
                "(cap_per_day in postkit.toml): what is over it is held for you to release."
            )
        if self.burst is not None and parts > self.burst:
            found.append(
                f"{address}: {parts} parts, and at most {self.burst} are sent in "
                f"{self.burst_minutes} minutes (cap_burst in postkit.toml): the rest follows later."
            )
        return found


DEFAULT: Final = Caps(per_day=50, burst=25, burst_minutes=5)
DEFAULT_SOURCE: Final = Source(
    "postkit's own choice: twice the longest thread that people write, and what the strictest of "
    "the large networks (Instagram) lets one account publish in 24 hours",
    date(2026, 11, 29),
    verified=False,
)


def caps_of(account: Account) -> Caps:
    """The account's caps, from postkit.toml or by default. Raises InputError with every setting
    that is none."""
    problems: list[str] = []
    settings = account.settings

    def number(name: str, default: int | None, *, optional: bool) -> int | None:
        value = settings.get(name, default)
        if value is None or (optional and value == NONE):
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
            no_cap = f', or "{NONE}"' if optional else ""
            problems.append(
                f"postkit.toml: {account.label}: {name} must be a whole number above 0{no_cap}."
            )
            return default
        return value

    per_day = number("cap_per_day", DEFAULT.per_day, optional=True)
    burst = number("cap_burst", DEFAULT.burst, optional=True)
    minutes = number("cap_burst_minutes", DEFAULT.burst_minutes, optional=False)
    if minutes is not None and minutes > DAY // 60:
        problems.append(
            f"postkit.toml: {account.label}: cap_burst_minutes must be at most {DAY // 60}."
        )
    if problems:
        raise InputError(problems)
    return Caps(per_day, burst, minutes or DEFAULT.burst_minutes)

"""Settings of an account that are seconds: timeouts, and a quiet window of its own."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InputError
from ..network import Account


def timeouts(account: Account) -> dict[str, float]:
    """``connect_timeout`` and ``read_timeout`` (seconds) where they are configured."""
    return seconds(account, ("connect_timeout", "read_timeout"))


def seconds(account: Account, names: Iterable[str]) -> dict[str, float]:
    """These settings, where they are configured. Raises InputError unless they are above 0."""
    found: dict[str, float] = {}
    for name in names:
        value = account.settings.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise InputError(f"postkit.toml: {account.label}: {name} must be seconds above 0.")
        found[name] = float(value)
    return found

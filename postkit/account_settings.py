"""What postkit.toml may say of an account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .config import Config
from .deliver.caps import NAMES as CAPS
from .deliver.caps import caps_of
from .deliver.seconds import seconds
from .errors import InputError
from .network import Account, Network
from .suggest import did_you_mean


def wrong_settings(account: Account, network: Network[Any], config: Config) -> Iterable[str]:
    """A sentence for each that is unknown, or is no such value."""
    known = ("account", "quiet", "connect_timeout", "read_timeout", *CAPS, *network.settings)
    if network.limits.cards is not None:
        known = (*known, "card")
        if not isinstance(account.settings.get("card", True), bool):
            yield f"postkit.toml: {account.label}: card is true or false."
    for name in (*config.network(network.name), *config.account(account.label)):
        if name not in known:
            yield (
                f"postkit.toml: {account.label} has no setting {name!r}."
                f"{did_you_mean(name, known)} Its settings: {', '.join(known)}."
            )
    try:
        seconds(account, ("connect_timeout", "read_timeout", "quiet"))
    except InputError as error:
        yield from error.problems
    try:
        caps_of(account)
    except InputError as error:
        yield from error.problems

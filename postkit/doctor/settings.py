"""The file postkit.toml, and what it says of the accounts that there are."""

from __future__ import annotations

from collections.abc import Iterator

from ..account_settings import wrong_settings
from ..config import Config, read_config
from ..errors import InputError, PostkitError
from ..kit import Kit
from ..suggest import did_you_mean
from .finding import Examined, Finding, problem, warning
from .reading import is_older


def look(kit: Kit) -> Examined:
    path = kit.home.config_path
    try:
        config = read_config(path)
    except InputError as error:
        found = [problem("settings", text, f"correct {path}") for text in error.problems]
        return Examined("settings", "", tuple(found))
    if not path.exists():
        return Examined("settings", f"none ({path} is not there)")
    groups = f", groups {', '.join(f'@{name}' for name in config.groups)}" if config.groups else ""
    return Examined("settings", f"{path}{groups}", tuple(_of_accounts(kit, config)))


def _of_accounts(kit: Kit, config: Config) -> Iterator[Finding]:
    store = kit.home.store_path
    if not store.exists() or is_older(store):
        return
    remedy = f"correct {kit.home.config_path}"
    try:
        accounts = {account.label: account for account in kit.accounts}
    except PostkitError:
        return  # the store, which has an area of its own
    for account in accounts.values():
        try:
            network = kit.plugins.network(account.network)
        except PostkitError:
            continue  # so have plugins
        for text in wrong_settings(account, network, config):
            yield problem("settings", text, remedy)
    for label in config.accounts:
        if label not in accounts:
            text = f"postkit.toml has settings of {label}, and there is no such account."
            yield warning("settings", f"{text}{did_you_mean(label, accounts)}", remedy)

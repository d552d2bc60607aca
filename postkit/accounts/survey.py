"""Looking at all accounts of an installation, without asking any network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..clock import Clock
from ..contract import asked
from ..errors import PostkitError
from ..network import Account
from ..plugins import Plugins
from ..store.accounts import AccountRows
from .grant import Grant
from .status import AccountStatus

if TYPE_CHECKING:
    from .vault import Vault


def survey(
    accounts: Sequence[Account],
    rows: AccountRows,
    plugins: Plugins,
    vault: Callable[[], Vault],
    clock: Clock,
) -> Iterator[AccountStatus]:
    """How each account is. Where the vault does not open little is known, and the reason is told
    of each."""
    try:
        opened = vault()
        ids = frozenset(opened.ids())
    except PostkitError as shut:
        for account in accounts:
            last = rows.last_success(account.id)
            yield AccountStatus(account, clock.now(), last_success=last, problem=shut.message)
        return
    for account in accounts:
        last, now = rows.last_success(account.id), clock.now()
        if account.id not in ids:
            yield AccountStatus(account, now, last_success=last, has_access=False)
            continue
        try:
            grant = grant_in(opened, plugins, account)
            terms = plugins.network(account.network).oauth
        except PostkitError as error:
            yield AccountStatus(account, now, last_success=last, problem=error.message)
            continue
        required = terms.required if terms is not None else frozenset()
        missing = sorted(required - grant.scopes) if grant.scopes is not None else []
        yield AccountStatus(account, now, grant, tuple(missing), len(required), last)


def grant_in(vault: Vault, plugins: Plugins, account: Account) -> Grant:
    """What the access in the vault may do, by the account's network. Raises PostkitError."""
    network = plugins.network(account.network)
    fields = vault.get(account.id)
    return asked(network, "grant", Grant, lambda: network.grant(fields))

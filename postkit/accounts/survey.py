"""Looking at all accounts of an installation, without asking any network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..clock import Clock
from ..contract import asked
from ..errors import PostkitError, VaultError
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
    vault: Vault | PostkitError,
    clock: Clock,
) -> Iterator[AccountStatus]:
    """How each account is. ``vault`` may be the reason why there is none: then little is known,
    and that is said."""
    ids: frozenset[str] | None = None
    if not isinstance(vault, PostkitError):
        try:
            ids = frozenset(vault.ids())
        except VaultError as shut:
            vault = shut
    for account in accounts:
        last = rows.last_success(account.id)
        now = clock.now()
        if isinstance(vault, PostkitError) or ids is None:
            why = vault.message if isinstance(vault, PostkitError) else ""
            yield AccountStatus(account, now, last_success=last, problem=why)
            continue
        if account.id not in ids:
            yield AccountStatus(account, now, last_success=last, has_access=False)
            continue
        try:
            grant = grant_in(vault, plugins, account)
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

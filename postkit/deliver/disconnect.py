"""An account whose access a network refuses waits for a person, unless it has other access now."""

from __future__ import annotations

from functools import partial

from ..errors import NeedsLogin, PostkitError
from ..network import Account
from ..store.accounts import AccountRows
from .clients import Access, Clients
from .ledger import Ledger


def disconnect(
    accounts: AccountRows, clients: Clients, ledger: Ledger, account: Account, error: NeedsLogin
) -> bool:
    """Write it down and tell it, once. False where it was known, or where the access that was
    refused (``error.access``) is not the account's any more. Raises StoreError."""

    def is_settled(now: Account) -> bool:
        refused = error.access
        if now.state == "needs_login":
            return True
        try:
            # Within the transaction: who replaces access writes the vault first, then the account.
            return isinstance(refused, Access) and clients.is_replaced(refused, now)
        except PostkitError:
            return False

    tell = partial(ledger.account_needs_login, account, error.message)
    return accounts.set_state(account.id, "needs_login", tell, unless=is_settled)

"""Access that is renewed before it ends, and ends that only a person can prevent, told in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ..accounts.grant import Grant
from ..accounts.status import SOON, ending
from ..accounts.survey import grant_in
from ..accounts.vault import Vault
from ..clock import Clock
from ..contract import asked
from ..errors import NeedsLogin, NetworkError, PostkitError, StoreError, VaultError
from ..logs import logger
from ..network import Account, CanRefresh
from ..plugins import Plugins
from ..store.accounts import AccountRows
from .clients import Clients, Connection
from .disconnect import disconnect
from .ledger import Ledger

log = logger("renewals")

EVERY = 60.0
"""Seconds between two looks at all accounts."""
MARGIN = timedelta(minutes=10)
"""Access that ends sooner is renewed, but for one that lives for less than four times as long."""
PART = 4
DISUSE = timedelta(days=7)
"""What renews access, where it has an end of its own, is used as often: it must not end of disuse.
With most networks each use makes its end later."""
BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(minutes=30)


@dataclass(slots=True)
class _Seen:
    """What a worker remembers of an account's access: when it first saw this end of it, and the
    failures to renew it since."""

    ends: datetime | None
    first: datetime
    failures: int = 0
    again: datetime | None = None


class Renewals:
    """Looks after the access of all accounts. Several workers may do it at once: a network is asked
    by one of them."""

    def __init__(
        self,
        accounts: AccountRows,
        clients: Clients,
        plugins: Plugins,
        vault: Callable[[], Vault],
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._clients = clients
        self._plugins = plugins
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._next = 0.0

    def run(self) -> None:
        """Look, if a minute has passed since the last time. Raises StoreError."""
        if self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + EVERY
        self.look()

    def look(self) -> None:
        """Renew what ends soon, and tell what only a person can renew. Raises StoreError."""
        try:
            vault = self._vault()
            ids = frozenset(vault.ids())
        except VaultError as shut:
            log.info("access was not looked at: %s", shut.message)
            return
        for account in self._accounts.all():
            if account.state == "needs_login" or account.id not in ids:
                continue
            try:
                self._look_at(account, vault)
            except StoreError:
                raise
            except PostkitError as error:
                # A damaged entry, a plugin that does not load: each post says so as well.
                log.info("%s: its access was not looked at: %s", account.label, error.message)

    def _look_at(self, account: Account, vault: Vault) -> None:
        grant = grant_in(vault, self._plugins, account)
        if self._is_due(account, grant):
            grant = self._renewed(account, grant)
        end = grant.ends_at
        if end is not None and end - self._clock.now() <= SOON:
            self._tell_end(account, end)

    # When

    def _is_due(self, account: Account, grant: Grant) -> bool:
        if not grant.is_renewable:
            return False
        now = self._clock.now()
        seen = self._seen.get(account.id)
        if seen is None or seen.ends != grant.expires_at:
            seen = self._seen[account.id] = _Seen(grant.expires_at, now)
        if seen.again is not None and now < seen.again <= now + LONGEST_BACKOFF:
            return False
        return self._ends_soon(grant, seen.first) or self._is_disused(account, grant)

    def _ends_soon(self, grant: Grant, first: datetime) -> bool:
        end = grant.expires_at
        if end is None:
            return False
        # How long it lives is not known, but it is no less than what was left of it at first.
        margin = min(MARGIN, max(end - first, timedelta()) / PART)
        return end - self._clock.now() <= margin

    def _is_disused(self, account: Account, grant: Grant) -> bool:
        if grant.renew_until is None:
            return False
        return self._clock.now() - self._accounts.renewed_at(account.id) >= DISUSE

    # What then

    def _renewed(self, account: Account, grant: Grant) -> Grant:
        """The grant after the network was asked for new access, or the one before."""
        connection: Connection | None = None
        try:
            connection = self._clients.take(account)
            held = connection.secrets.held if connection.secrets is not None else {}
            now = asked(connection.network, "grant", Grant, partial(connection.network.grant, held))
            # Another process was faster, or the plugin renewed it when it connected.
            if now == grant and isinstance(connection.network, CanRefresh):
                connection.renew()
            self._clients.give(connection)
        except NeedsLogin as error:
            if connection is not None:
                error.access = connection.access
                connection.close()
            # Days before a post would find it out: a person is asked now.
            if disconnect(self._accounts, self._clients, self._ledger, account, error):
                log.error("%s: %s", account.label, error.message)
            return grant
        except PostkitError as error:
            # Out of reach is not out of access; a vault that cannot be written keeps the old one.
            if connection is not None:
                connection.close()
            if isinstance(error, StoreError):
                raise
            self._later(account, error)
            return grant
        self._accounts.set_renewed(account.id)
        log.info("%s: its access was renewed.", account.label)
        after = grant_in(self._vault(), self._plugins, account)
        if after.expires_at == grant.expires_at:
            # A plugin that keeps no new end: its network must not be asked once a minute for ever.
            self._seen[account.id].again = self._clock.now() + LONGEST_BACKOFF
        else:
            del self._seen[account.id]
        return after

    def _later(self, account: Account, error: PostkitError) -> None:
        seen = self._seen[account.id]
        pause = min(BACKOFF * 2 ** min(seen.failures, 6), LONGEST_BACKOFF)
        told = error.retry_at if isinstance(error, NetworkError) else None
        now = self._clock.now()
        seen.again = min(max(told or now, now + pause), now + LONGEST_BACKOFF)
        if not seen.failures:
            log.warning(
                "%s: its access could not be renewed: %s It is tried again.",
                account.label,
                error.message,
            )
        seen.failures += 1

    def _tell_end(self, account: Account, end: datetime) -> None:
        """Once for each end, over all workers."""
        now = self._clock.now()
        verb = "" if end <= now else "ends "
        reason = (
            f"The access of {account.label} {verb}{ending(end, now)} ({end:%Y-%m-%d %H:%M} UTC), "
            f"and only a person can renew it: run `postkit connect {account.network} --name "
            f"{account.name} --replace`."
        )
        tell = partial(self._ledger.account_needs_login, account, reason)
        if self._accounts.told_end(account.id, end, tell):
            log.warning("%s", reason)

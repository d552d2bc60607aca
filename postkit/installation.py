"""What an installation of postkit is made of; each piece is opened when it is first used."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .clock import Clock, SystemClock
from .config import Config, read_config
from .errors import InputError
from .home import Home
from .plugins import Plugins
from .tenant import checked

if TYPE_CHECKING:
    from .accounts.vault import Vault
    from .deliver.actor import Actor, Via
    from .deliver.agenda import Agenda
    from .deliver.clients import Clients
    from .deliver.courier import Courier
    from .deliver.ledger import Ledger
    from .deliver.outbox import Outbox
    from .fetch.fetcher import Fetches
    from .network import Account
    from .planner import Planner
    from .store.accounts import AccountRows
    from .store.database import Database
    from .store.media import MediaFiles
    from .store.publications import PublicationRows

if TYPE_CHECKING:
    opened = shared = guarded = cached_property
else:

    class opened(cached_property):  # noqa: N801 - it reads as a decorator
        """A part that is opened at its first use, by one thread (Python does not see to that)."""

        def __get__(self, whole, owner=None):
            if whole is None:
                return self
            with whole._lock:
                return super().__get__(whole, owner)

    class shared(opened):  # noqa: N801
        """One part for an installation and the Kits of its tenants."""

        def __get__(self, whole, owner=None):
            return super().__get__(None if whole is None else whole._root, owner)

    class guarded(opened):  # noqa: N801
        """One part for all, which a tenant's Kit works with and does not hand out: it answers to
        the ids of all tenants."""

        def __get__(self, whole, owner=None):
            if whole is not None:
                whole._refuse_tenants(self.attrname)
            return super().__get__(whole, owner)


class Installation:
    """One home with its configuration, store, media, vault and plugins; or what a tenant sees of
    its ``_parent``'s."""

    tenant: str = ""
    """Whose accounts and posts these are: "" where there are no tenants."""
    _parent: Installation | None = None

    via: ClassVar[Via] = "library"
    """By what somebody acts, as the history names it."""

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        store: str | Path | None = None,
        plugins: Iterable[object] = (),
        clock: Clock | None = None,
        key: bytes | None = None,
        fetcher: Fetches | None = None,
        enabled: Iterable[str] | None = None,
        actor: str | None = None,
    ) -> None:
        self.home = Home.resolve(home)
        if store is not None:
            self.home = replace(self.home, store=Path(store))
        self.clock: Clock = clock or SystemClock()
        self._extra = tuple(plugins)
        self._enabled = None if enabled is None else tuple(enabled)
        self._lock = threading.RLock()
        self._key = key
        self._fetcher = fetcher
        self._acting = actor
        self._vault: Vault | None = None

    def close(self) -> None:
        """Close connections and the store. The Kit cannot be used afterwards, nor can those of its
        tenants; to close one of theirs closes nothing."""
        if "clients" in self.__dict__:
            self.clients.close()
        if "_database" in self.__dict__:
            self._database.close()

    @opened
    def config(self) -> Config:
        if self._parent is not None:
            return self._parent.config.for_tenants()
        return read_config(self.home.config_path)

    @shared
    def plugins(self) -> Plugins:
        plugins = Plugins(self._extra, enabled=self._enabled, home=self.home)
        plugins.manager.hook.postkit_configure.call_historic(kwargs={"config": self.config})
        return plugins

    @shared
    def _database(self) -> Database:
        from .store.database import Database

        self.home.ensure()
        return Database(self.home.store_path, busy=_busy_seconds())

    @opened
    def _actor(self) -> Actor:
        from .deliver.actor import Actor

        return Actor.here(self._acting, self.via)

    @opened
    def _accounts(self) -> AccountRows:
        return self._account_rows(self.tenant)

    def _account_rows(self, tenant: str | None) -> AccountRows:
        from .store.accounts import AccountRows

        return AccountRows(
            self._opened, self.clock, tenant, settings=self._settings, actor=self._actor
        )

    @opened
    def _publications(self) -> PublicationRows:
        return self._publication_rows(self.tenant)

    def _publication_rows(self, tenant: str | None) -> PublicationRows:
        from .store.publications import PublicationRows

        return PublicationRows(self._opened, self.clock, tenant, actor=self._actor)

    @property
    def _opened(self) -> Database:
        with self._lock:
            return self._database

    @guarded
    def media(self) -> MediaFiles:
        from .store.media import MediaFiles

        # The home's folder of media is that of its own store; another one is a guest.
        return MediaFiles(self.home.media_path, is_shared=self.home.has_other_store)

    @guarded
    def clients(self) -> Clients:
        from .deliver.clients import Clients

        return Clients(self.plugins, self.vault)

    @shared
    def fetcher(self) -> Fetches:
        """What fetches media that are named by a URL, and the pages of link cards."""
        from .fetch.fetcher import Fetcher

        return self._fetcher or Fetcher()

    def vault(self) -> Vault:
        """The vault. Raises VaultError with what to do where it cannot be opened, and InputError
        for a tenant."""
        self._refuse_tenants("vault")
        from .accounts.opening import open_vault

        with self._lock:
            if self._vault is None:
                self._vault = open_vault(self.home, self._key)
            return self._vault

    def _settings(self, account: Account) -> Mapping[str, Any]:
        """What postkit.toml says of an account, over what was learnt when it was connected."""
        config = self.config.for_tenants() if account.tenant else self.config
        return {
            **account.settings,
            **config.network(account.network),
            **config.account(account.label),
        }

    @shared
    def _observed(self) -> bool:
        """Whether a plugin wants to be told of changes."""
        hook = self.plugins.manager.hook
        return bool(
            hook.postkit_changed.get_hookimpls() or hook.postkit_account_needs_login.get_hookimpls()
        )

    @property
    def _root(self) -> Installation:
        return self if self._parent is None else self._parent

    @property
    def _served(self) -> str | None:
        """Whose posts a worker of this Kit sends: a tenant's its own, else all tenants' (None)."""
        return self.tenant or None

    def _narrow(self, parent: Installation, tenant: str) -> None:
        """Become what ``tenant`` sees of ``parent``. Raises InputError for what is no tenant."""
        if parent.tenant:
            raise InputError("This is a tenant's Kit; ask the one that it came from for another.")
        self.tenant = checked(tenant)
        self._parent = parent
        self._acting = parent._acting
        self.home, self.clock, self._lock = parent.home, parent.clock, parent._lock

    def _of(self, tenant: str) -> Self:
        """What that tenant sees; this very one for its own."""
        if tenant == self.tenant:
            return self
        seen = type(self).__new__(type(self))
        seen._narrow(self, tenant)
        return seen

    def _refuse_tenants(self, what: str) -> None:
        if self._parent is not None:
            raise InputError(
                f"A tenant's Kit hands out no {what}, which all tenants share; ask the Kit that it "
                "came from."
            )

    def _ledger(self) -> Ledger:
        return self._ledger_of(self.tenant)

    def _ledger_of(self, tenant: str | None, actor: Actor | None = None) -> Ledger:
        from .deliver.ledger import Ledger
        from .deliver.owner import this_process

        return Ledger(
            self._opened,
            self.clock,
            this_process(),
            tenant,
            actor=actor or self._actor,
            observed=self._observed,
        )

    def _agenda(self, actor: Actor | None = None) -> Agenda:
        from .deliver.agenda import Agenda
        from .deliver.owner import this_process

        return Agenda(
            self._opened,
            self.clock,
            this_process(),
            self._served,
            actor=actor or self._actor,
        )

    @shared
    def _outbox(self) -> Outbox:
        from .deliver.outbox import Outbox

        return Outbox(self._opened, self.clock, self._observers)

    def _observers(self, event: str) -> list[tuple[str, Callable[..., object]]]:
        hook = getattr(self.plugins.manager.hook, f"postkit_{event}")
        return [
            (found.plugin_name, partial(_called, found.function, found.argnames))
            for found in hook.get_hookimpls()
        ]

    def _planner(self, *, unconnected: bool = False) -> Planner:
        from .planner import Planner

        if unconnected and not self.home.store_path.exists():
            # To look at a post must leave nothing behind, not even an empty store.
            return Planner(
                self.plugins,
                None,
                None,
                self.config,
                self.fetcher,
                offline_here=self._root._fetcher is None,
                unconnected=True,
                tenant=self.tenant,
            )
        return Planner(
            self.plugins,
            self._accounts,
            self._publications,
            self.config,
            self.fetcher,
            offline_here=self._root._fetcher is None,
            unconnected=unconnected,
            tenant=self.tenant,
        )

    def _courier(self, ledger: Ledger, accounts: AccountRows | None = None) -> Courier:
        from .deliver.courier import Courier
        from .deliver.spool import Spool

        spool = Spool(self.home.store_path.with_name("receipts.jsonl"))
        root = self._root
        return Courier(
            ledger, root.clients, accounts or self._accounts, root.media, spool, self.clock
        )


def _called(function: Callable[..., object], names: Sequence[str], **given: Any) -> object:
    """A hook's implementation takes the arguments that it names."""
    return function(**{name: given[name] for name in names})


def _busy_seconds() -> float:
    """``POSTKIT_BUSY_TIMEOUT``: seconds to wait for a store that another process holds."""
    text = os.environ.get("POSTKIT_BUSY_TIMEOUT", "").strip()
    from .store.database import BUSY_SECONDS

    try:
        seconds = float(text) if text else BUSY_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise InputError(f"POSTKIT_BUSY_TIMEOUT: {text!r} is no number of seconds from 0 to 3600.")
    return seconds

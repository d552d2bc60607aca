"""The accounts of an installation: connected, listed, forgotten, and asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial as bind
from typing import TYPE_CHECKING, TypeVar

from .errors import InputError, NetworkError, UnknownName
from .installation import Installation
from .network import Account, RemotePost

if TYPE_CHECKING:
    from .deliver.clients import Connection

T = TypeVar("T")


class Connections(Installation):
    """Who we are at the networks."""

    @property
    def accounts(self) -> list[Account]:
        """The accounts that are connected."""
        return self._accounts.all()

    def connect(
        self,
        network: str,
        credentials: Mapping[str, str],
        *,
        name: str | None = None,
        endpoint: str | None = None,
        ca_bundle: str | None = None,
        replace: bool = False,
    ) -> tuple[Account, NetworkError | None]:
        """Connect an account. The second value says why it could not be verified, if so.

        ``replace`` gives an account that is connected already its new access or endpoint.

        Raises InputError, VaultError, or Refused and NeedsLogin where the network says no.
        """
        from .accounts.connect import connect

        return connect(
            self.plugins.network(network),
            network if name is None else name,
            credentials,
            accounts=self._accounts,
            vault=self._root.vault(),
            clients=self._root.clients,
            endpoint=endpoint,
            ca_bundle=ca_bundle,
            replacing=replace,
        )

    def account(self, label: str) -> Account:
        """The account of that label (``network:name``, or ``network`` where it has one account;
        not so for a tenant, which has no default account). Raises UnknownName."""
        same = [
            account
            for account in self.accounts
            if label == account.label or (label == account.network and not self.tenant)
        ]
        if len(same) == 1:
            return same[0]
        from .suggest import did_you_mean

        labels = [account.label for account in self.accounts]
        raise UnknownName(
            f"There is no account {label!r}.{did_you_mean(label, labels)} "
            f"Connected: {', '.join(labels) or 'none'}."
        )

    def remove_account(self, label: str) -> Account:
        """Forget an account and its secret. Refused while a post of it is not settled."""
        account = self.account(label)
        if self._accounts.has_open_parts(account.id):
            raise InputError(
                f"{label} has posts that are not settled; `postkit list` shows them. Run "
                "`postkit finish ID`, or `postkit resolve ID --give-up`, first."
            )
        # The secret first: a crash in between leaves an account that can be removed again, and
        # not a secret that nothing names any more.
        self._root.vault().delete(account.id)
        self._accounts.remove(account.id)
        self._root.clients.drop(account.id)
        return account

    def recent(self, label: str, count: int = 20) -> Sequence[RemotePost]:
        """The account's own newest posts, as the network lists them."""
        from .remote import recent

        return self._with(self.account(label), bind(recent, count=count))

    def _with(self, account: Account, call: Callable[[Connection], T]) -> T:
        clients = self._root.clients
        connection = clients.take(account)
        try:
            return connection.ask(lambda: call(connection))
        finally:
            clients.give(connection)

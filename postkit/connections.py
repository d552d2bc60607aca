"""The accounts of an installation: connected, listed, forgotten, and asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial as bind
from typing import TYPE_CHECKING, Any, TypeVar

from .accounts.place import Place
from .errors import (
    InputError,
    NetworkError,
    PluginError,
    PostkitError,
    Unavailable,
    UnknownName,
    VaultError,
)
from .installation import Installation
from .network import Account, Identity, Network, RemotePost

if TYPE_CHECKING:
    from .accounts.oauth.flow import Flow
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

    def begin_connect(
        self,
        network: str,
        *,
        redirect_uri: str,
        name: str | None = None,
        endpoint: str | None = None,
        ca_bundle: str | None = None,
        app: Mapping[str, str] | None = None,
        replace: bool = False,
    ) -> tuple[str, str]:
        """The address of the network's consent page, and the state that its answer will carry.

        The network sends the browser back to ``redirect_uri`` (https, or http on this machine)
        with a query; give it to ``finish_connect`` within ten minutes. ``app`` has the
        credentials of the app that was registered there (``client_id``, ``client_secret``);
        without it, the ones of the last connect, or those of an app that registers itself.

        Raises InputError with what is missing, VaultError, or NetworkError.
        """
        from .accounts.connect import destination

        plugin = self.plugins.network(network)
        chosen = network if name is None else name
        _, place = destination(
            plugin,
            chosen,
            self._accounts,
            self._root.vault(),
            endpoint,
            ca_bundle,
            replacing=replace,
        )
        return self._flow().begin(
            plugin, redirect_uri, name=chosen, place=place, app=app or {}, replacing=replace
        )

    def finish_connect(
        self,
        state: str,
        params: Mapping[str, str],
        *,
        confirm: Callable[[Identity], bool] | None = None,
    ) -> Account:
        """Connect the account that the browser came back with. ``params`` is its query, ``state``
        what ``begin_connect`` gave; it is good once. ``confirm`` is asked whether it is the right
        account. Its ``state`` is ``unverified`` where the network could not be asked who it is.

        Raises ChoiceNeeded where the login is good for several: call again with the same state
        and ``{"choice": ID}``. Raises InputError for an answer that is not ours, Declined, and
        NetworkError where the network gave no access: then nothing is kept.
        """
        from .accounts.connect import Declined, connect

        pending, fields = self._flow().answered(state, params, self.plugins.network)
        network = self.plugins.network(pending.network)
        try:
            account, _ = connect(
                network,
                pending.name,
                fields,
                accounts=self._accounts,
                vault=self._root.vault(),
                clients=self._root.clients,
                endpoint=pending.endpoint,
                ca_bundle=pending.ca_bundle,
                replacing=pending.replacing,
                is_granted=True,
                confirm=confirm,
            )
        except BaseException as error:
            # Also where a person broke it off: access that nobody has a copy of must not live on.
            place = Place(pending.endpoint, pending.ca_bundle)
            problem: PostkitError | None = None
            try:
                problem = self._end_access(network, place, fields)
            except PostkitError as ending:
                problem = ending
            if isinstance(error, Declined) and problem is not None:
                raise Declined(
                    f"{error.message} The access lives on at the network: {problem.message}"
                ) from None
            raise
        return account

    def has_app(self, network: str, endpoint: str | None = None) -> bool:
        """Whether the credentials of an app at that network are kept from an earlier connect."""
        from .accounts.oauth.apps import Apps

        return bool(Apps(self._root.vault(), self.tenant).get(network, endpoint))

    def forget_app(self, network: str, *, redirect_uri: str, endpoint: str | None) -> None:
        """Let an app that registered itself be registered anew: its server may have lost it."""
        self._flow().forget(self.plugins.network(network), redirect_uri, endpoint)

    def _flow(self) -> Flow:
        from .accounts.oauth.apps import Apps
        from .accounts.oauth.flow import Flow
        from .accounts.oauth.pending import PendingConnects
        from .deliver.clients import session_of

        vault, tenant = self._root.vault(), self.tenant
        return Flow(PendingConnects(vault, self.clock, tenant), Apps(vault, tenant), session_of)

    def _end_access(
        self, network: Network[Any], place: Place, fields: Mapping[str, str], own: str = ""
    ) -> NetworkError | None:
        """End access at the network, where it can be; why it was not, if so. ``own`` is the id of
        the account whose access it is."""
        from .accounts.oauth.tokens import revoked
        from .deliver.clients import session_of

        terms = network.oauth
        hint = "refresh_token" if fields.get("refresh_token") else "access_token"
        is_ours = terms is not None and fields.get(hint) and fields.get("client_id")
        if terms is None or terms.revoke is None or not is_ours:
            return _left_to_do(network, f"{network.title} has no way to end this access from here.")
        # Some networks give the same app and person the same token each time.
        same = self._holder(network.name, fields[hint], own)
        if same is not None:
            return Unavailable(
                f"{same.label} has the same access, so it was not ended.", network=network.name
            )
        try:
            with session_of(network, place) as session:
                revoked(network.title, terms, session, fields, fields[hint], hint)
        except NetworkError as error:
            return _left_to_do(network, error.message)
        return None

    def _holder(self, network: str, token: str, own: str) -> Account | None:
        """An account but ``own`` that has this very token."""
        vault = self.vault()
        kept = set(vault.ids())
        for account in self.accounts:
            if account.network != network or account.id == own or account.id not in kept:
                continue
            try:
                fields = vault.get(account.id)
            except VaultError:
                continue  # gone this very moment
            if token in fields.values():
                return account
        return None

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

    def remove_account(
        self, label: str, *, confirmed: Collection[str] = ()
    ) -> tuple[Account, NetworkError | None]:
        """End an account's access at the network, and forget it and its secret. The second value
        says why the access was not ended there, if so: it is forgotten all the same. Access that
        another account here has as well is not ended. A protected account is ``confirmed`` by its
        name.

        Raises InputError while a post of it is not settled, and NotConfirmed.
        """
        from .accounts.confirm import check_confirmed

        account = self.account(label)
        check_confirmed([account], confirmed)
        if self._accounts.has_open_parts(account.id):
            raise InputError(
                f"{label} has posts that are not settled; `postkit list` shows them. Run "
                "`postkit cancel ID`, `postkit finish ID` or `postkit resolve ID --give-up` first."
            )
        vault = self._root.vault()
        problem = self._revoked(account)
        # Whoever renews the access this moment must not write it into the vault afterwards.
        with vault.lock(account.id):
            # The secret first: a crash in between leaves an account that can be removed again, and
            # not a secret that nothing names any more.
            vault.delete(account.id)
            is_removed = self._accounts.remove(account.id)
        self._root.clients.drop(account.id)
        if not is_removed:
            raise InputError(
                f"{account.label} got a post meanwhile, so it is not removed, but its access is: "
                f"`postkit connect {account.network} --name {account.name} --replace` gives it new "
                "access; or give the post up, and remove it again."
            )
        return account, problem

    def _revoked(self, account: Account) -> NetworkError | None:
        """End the account's access at the network; why it was not, if so."""
        from .network import CanRevoke

        vault = self._root.vault()
        if account.id not in vault.ids():
            return None
        try:
            network = self.plugins.network(account.network)
        except (PluginError, UnknownName) as missing:
            # A plugin that is gone, or that nobody wants to run any more, keeps no secret here.
            return Unavailable(
                f"{missing.message} End it in the network's settings.", network=account.network
            )
        if not isinstance(network, CanRevoke):
            # Whoever renews it this moment gets done first, and the new access is ended.
            with vault.lock(account.id):
                fields, place = vault.access(account.id)
                return self._shared(network, account, fields) or self._end_access(
                    network, place or account.place, fields, account.id
                )
        shared = self._shared(network, account, vault.get(account.id))
        if shared is not None:
            return shared
        try:
            self._using(
                account,
                lambda connection: connection.ask(lambda: network.revoke(connection.client)),
            )
        except NetworkError as error:
            return _left_to_do(network, error.message)
        return _left_to_do(network) if network.revoke_by_hand else None

    def _shared(
        self, network: Network[Any], account: Account, fields: Mapping[str, str]
    ) -> NetworkError | None:
        """Why the access is not ended: it is another account's too."""
        others = self._sharing(network, account, fields)
        if not others:
            return None
        return Unavailable(
            f"{' and '.join(others)} has the same access, so it was not ended.",
            network=network.name,
        )

    def _sharing(
        self, network: Network[Any], account: Account, fields: Mapping[str, str]
    ) -> list[str]:
        """The accounts of the network with a secret of this one that is not the app's."""
        from .accounts.grant import LEARNT

        rows = [field for row in network.credentials for field in row.fields]
        public = {field.name for field in rows if not field.secret} | LEARNT
        public |= set(network.oauth.app) if network.oauth is not None else set()
        own = {value for name, value in fields.items() if name not in public and value}
        vault = self._root.vault()
        ids = vault.ids()
        return [
            other.label
            for other in self.accounts
            if other.network == account.network and other.id != account.id and other.id in ids
            if own & {v for name, v in vault.get(other.id).items() if name not in public}
        ]

    def recent(self, label: str, count: int = 20) -> Sequence[RemotePost]:
        """The account's own newest posts, as the network lists them."""
        from .remote import recent

        return self._with(self.account(label), bind(recent, count=count))

    def _with(self, account: Account, call: Callable[[Connection], T]) -> T:
        """Call with the account's access, once it is known to be the account's own."""
        from .deliver.identity import prove

        def proved(connection: Connection) -> T:
            prove(connection, account, self._root.clients, self._accounts)
            return connection.ask(lambda: call(connection))

        return self._using(account, proved)

    def _using(self, account: Account, call: Callable[[Connection], T]) -> T:
        clients = self._root.clients
        connection = clients.take(account)
        try:
            return call(connection)
        finally:
            clients.give(connection)


def _left_to_do(network: Network[Any], why: str = "") -> Unavailable:
    """Why access lives on, and how a person ends it."""
    by_hand = network.revoke_by_hand or "End it in the network's settings."
    return Unavailable(f"{why} {by_hand}".strip(), network=network.name)

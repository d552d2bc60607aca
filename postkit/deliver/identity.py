"""Whose access it is: the network is asked who we are before anything is created, looked for or
deleted with it.

An access (server and secret fields) that has answered with its account's id is not asked about
again by this process; one that was renewed, or given by a person meanwhile, is.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..contract import asked
from ..errors import NeedsLogin, PluginError, Refused, Unavailable
from ..network import Account, Identity

if TYPE_CHECKING:
    from ..store.accounts import AccountRows
    from .clients import Access, Clients, Connection


class Stranger(NeedsLogin):
    """The access is another account's than the one that was connected; it was not used."""


class Proofs:
    """The newest access of each account, and the id at the network that it has answered with.
    For all threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Access, str]] = {}
        self._guard = threading.Lock()

    def hold(self, account: Account, access: Access) -> bool:
        with self._guard:
            known = self._known.get(account.id)
        return account.identity is not None and known == (access, account.identity.id)

    def add(self, account_id: str, access: Access, found: Identity) -> None:
        with self._guard:
            self._known[account_id] = (access, found.id)


def identify(connection: Connection, *, patient: bool = True) -> Identity:
    """Who the network says the connection is. Raises NetworkError, and PluginError where the
    plugin breaks its contract."""
    network = connection.network
    identity = asked(
        network,
        "identify",
        Identity,
        lambda: connection.ask(lambda: network.identify(connection.client), patient=patient),
    )
    if not isinstance(identity.id, str) or not identity.id:
        raise PluginError(
            f"The plugin {network.name} gave an identity whose id is no text: {identity.id!r}."
        )
    return identity


def prove(
    connection: Connection, account: Account, clients: Clients, accounts: AccountRows
) -> Account:
    """Ask the network whose access this is, once for each, and give the account as it is known
    then: who it is is kept, where it could not be verified when it was connected.

    Raises NetworkError where it cannot be asked, and Stranger where it is another account's.
    """
    if clients.is_proved(connection, account):
        return account
    found = _identify_owner(connection)
    if account.identity is None:
        account = accounts.identified(account.id, found)
    refuse_strangers(account, found)
    clients.told(connection, found)
    return account


def _identify_owner(connection: Connection) -> Identity:
    """Every no is about the access and never about a post, and who cannot be asked is asked
    later."""
    name = connection.network.name
    try:
        return identify(connection)
    except Refused as no:
        raise NeedsLogin(no.message, network=name) from no
    except PluginError as defect:
        raise Unavailable(defect.message, network=name) from defect


def refuse_strangers(account: Account, found: Identity) -> None:
    """Raises Stranger unless ``found`` is who the account was connected as."""
    known = account.identity
    if known is not None and known.id != found.id:
        raise Stranger(
            f"{account.label} was connected as {known.name}, and its access is now {found.name}'s, "
            f"so it is not used. Give it its own again: `postkit connect {account.network} --name "
            f"{account.name} --replace`.",
            network=account.network,
        )

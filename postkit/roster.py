"""The accounts as a person keeps them: looked at, checked, renamed, protected, chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .connections import Connections
from .errors import InputError, NeedsLogin
from .network import Account, Identity

if TYPE_CHECKING:
    from .accounts.check import Checked, Heard
    from .accounts.status import AccountStatus


@dataclass(frozen=True, slots=True)
class Renamed:
    """An account under its new name, and the lines of postkit.toml that still have the old one."""

    account: Account
    before: str
    mentions: tuple[str, ...]


class Roster(Connections):
    """What is known of accounts without a post, and what a person decides about them."""

    def account_statuses(self) -> list[AccountStatus]:
        """How each account is, by what is kept here: no network is asked. A vault that cannot be
        opened is no error, but little is known then."""
        from .accounts.survey import survey

        vault = self._root.vault
        return list(survey(self.accounts, self._accounts, self.plugins, vault, self.clock))

    def check_accounts(
        self,
        labels: Sequence[str] = (),
        *,
        heard: Heard = lambda _: None,
        limit: float | None = None,
    ) -> list[Checked]:
        """Ask each network who these accounts (none given: all) are, side by side. ``heard`` is
        called with each answer as it comes; ``limit`` is the longest wait for one, in seconds.

        Access that is no good, or another account's, makes the account one that needs a login; an
        answer as before makes it one that is verified. Raises UnknownName.
        """
        from .accounts.check import LIMIT, check
        from .deliver.disconnect import disconnect

        chosen = [self.account(label) for label in labels] if labels else self.accounts
        found = []
        for checked, error in check(
            chosen,
            self._root.clients,
            self.clock,
            heard=heard,
            limit=LIMIT if limit is None else limit,
        ):
            account = checked.account
            if isinstance(error, NeedsLogin):
                disconnect(self._accounts, self._root.clients, self._ledger(), account, error)
            elif checked.answer == "ok":
                self._keep_verified(account, checked.identity)
            found.append(checked)
        return found

    def rename_account(self, label: str, name: str) -> Renamed:
        """Call an account something else. Its posts go on under the new name.

        Raises InputError for a name that is none or is taken, and UnknownName.
        """
        from .accounts.connect import NAME

        account = self.account(label)
        prefix, colon, rest = name.partition(":")
        name = rest if colon and prefix == account.network else name
        if not NAME.fullmatch(name):
            raise InputError(
                f"{name!r}: an account's name has letters, digits, '.', '_' and '-', at most 64."
            )
        if name == account.name:
            raise InputError(f"{account.label} has that name already.")
        self._accounts.rename(account, name)
        self._root.clients.drop(account.id)
        now = self._accounts.by_id(account.id)
        return Renamed(now, account.label, tuple(self._mentions(account)))

    def protect_account(
        self, label: str, *, protected: bool = True, confirmed: Collection[str] = ()
    ) -> tuple[Account, list[str]]:
        """Have everything that is done with an account confirmed by its name, or no more (which
        is such a thing). The second value has the lines of postkit.toml that chose it as a
        default, which it cannot be any more. Raises UnknownName and NotConfirmed."""
        account = self.account(label)
        if not protected:
            self._check_confirmed([account], confirmed)
        self._accounts.protect(account.id, protected=protected)
        chosen = self.config.network(account.network).get("account") == account.name
        return (
            self._accounts.by_id(account.id),
            list(self._mentions(account)) if protected and chosen else [],
        )

    def set_default_account(self, label: str) -> Account:
        """What the bare name of its network means, where postkit.toml does not say.

        Raises InputError for a protected account, and UnknownName.
        """
        account = self.account(label)
        if self.tenant:
            raise InputError("A tenant has no default account; name one in each address.")
        if account.protected:
            raise InputError(
                f"{account.label} is protected, and a protected account is never a default."
            )
        self._accounts.set_default(account.network, account.id)
        return self._accounts.by_id(account.id)

    def clear_default_account(self, network: str) -> None:
        """Let the bare name of the network mean none of several accounts. Raises UnknownName."""
        if network not in {account.network for account in self.accounts}:
            self.plugins.network(network)
        self._accounts.set_default(network, None)

    def configured_default(self, network: str) -> str | None:
        """The account that postkit.toml chooses for the network, which counts before any other."""
        name = self.config.network(network).get("account")
        return None if name is None else f"{network}:{name}"

    # Inside

    def _keep_verified(self, account: Account, found: Identity | None) -> None:
        """Unless the account has changed since it was asked about."""
        if account.identity is None and found is not None:
            self._accounts.identified(account.id, found)
        elif account.state != "ok":
            self._accounts.set_state(
                account.id, "ok", unless=lambda now: now.state != account.state
            )

    def _check_confirmed(self, accounts: Iterable[Account], confirmed: Collection[str]) -> None:
        from .accounts.confirm import check_confirmed

        check_confirmed(accounts, confirmed)

    def _mentions(self, account: Account) -> Iterable[str]:
        from .accounts.mentions import mentions

        path = self.home.config_path
        if self.tenant:
            return  # the settings are the program's, and name no tenant's account
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return
        for number in mentions(text, account.network, account.name):
            yield f"{path}:{number}"

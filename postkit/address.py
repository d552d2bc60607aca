"""Where a post goes: ``network[:account][/target]``, and ``@group`` for several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .errors import InputError, WithLines
from .network import Account
from .suggest import did_you_mean

_SHAPE = re.compile(r"(?P<network>[^:/@\s]+)(?::(?P<account>[^/\s]+))?(?:/(?P<target>.+))?")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """One place. ``account`` is None where the network's only account is meant."""

    network: str
    account: str | None = None
    target: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises InputError with the right spelling."""
        match = _SHAPE.fullmatch(text.strip())
        if match is None or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
            raise InputError(
                f"{text!r} is no address; write network, network:account or network:account/target."
            )
        return cls(match["network"], match["account"], match["target"])

    def __str__(self) -> str:
        account = f":{self.account}" if self.account else ""
        target = f"/{self.target}" if self.target else ""
        return f"{self.network}{account}{target}"


@dataclass(frozen=True, slots=True)
class Place:
    """An address whose account is known. ``label`` is what reports call it."""

    account: Account
    target: str | None

    @property
    def label(self) -> str:
        return self.account.label + (f"/{self.target}" if self.target else "")


def expand(
    names: Iterable[str], groups: Mapping[str, Sequence[str]], *, of_tenant: bool = False
) -> list[str]:
    """Replace each ``@group`` by its addresses; what is named twice goes once. ``of_tenant``:
    there are no groups."""
    found: list[str] = []
    problems: list[str] = []
    for name in names:
        if not name.startswith("@"):
            found.append(name)
        elif of_tenant:
            problems.append(f"{name!r}: a tenant has no groups; name each address.")
        elif name[1:] in groups:
            found.extend(groups[name[1:]])
        else:
            group = name[1:] if _BARE_KEY.fullmatch(name[1:]) else "launch"
            known = ", ".join(f"@{each}" for each in sorted(groups)) or "none"
            shown = name if name.isprintable() else repr(name)
            problems.append(
                WithLines(
                    f"There is no group {shown}.{did_you_mean(name[1:], groups)} Groups in "
                    f"postkit.toml: {known}. To make one:\n  [groups]\n"
                    f'  {group} = ["network:account", "network:account/target"]'
                )
            )
    if problems:
        raise InputError(problems)
    return list(dict.fromkeys(found))


def locate(
    address: Address,
    accounts: Sequence[Account],
    defaults: Mapping[str, str],
    networks: list[str],
    *,
    of_tenant: bool = False,
) -> Place:
    """The account that an address means. Raises InputError with what to do instead.

    ``defaults`` holds the name of the account that postkit.toml chooses by network; else the one
    that was made the default is meant, else the only one. A protected account is meant by its own
    name alone.
    ``of_tenant``: the address has to name
    its account, also where there is one alone, since what is another's must never be a default.
    """
    here = [account for account in accounts if account.network == address.network]
    if of_tenant and address.account is None and (here or address.network in networks):
        named = ", ".join(account.label for account in here)
        raise InputError(
            f"{address}: a tenant has no default account; "
            + (f"name one of {named}." if named else f"write {address.network}:NAME.")
        )
    if not here:
        if address.network not in networks:
            raise InputError(
                f"{address}: there is no network {address.network!r}."
                f"{did_you_mean(address.network, networks)} `postkit networks` lists them."
            )
        if of_tenant:
            raise InputError(
                f"{address}: the tenant has no account there; let the program connect it."
            )
        raise InputError(
            f"{address}: no account is connected; run `postkit connect {address.network}`."
        )
    name = address.account or defaults.get(address.network)
    if name is None:
        chosen = next((each for each in here if each.is_default), None)
        chosen = here[0] if chosen is None and len(here) == 1 else chosen
        if chosen is not None:
            return Place(_unprotected(address, chosen), address.target)
    names = [account.name for account in here]
    if name is None:
        choices = ", ".join(account.label for account in here)
        free = [account for account in here if not account.protected]
        if not free:
            raise InputError(f"{address}: each of its accounts is protected; name one: {choices}.")
        raise InputError(
            WithLines(
                f"{address}: there are {len(here)} accounts; name one of {choices}, or set a "
                f"default in postkit.toml:\n  [networks.{address.network}]\n"
                f'  account = "{free[0].name}"'
            )
        )
    for account in here:
        if account.name == name:
            meant = account if address.account else _unprotected(address, account)
            return Place(meant, address.target)
    raise InputError(
        f"{address}: there is no account {address.network}:{name}."
        f"{did_you_mean(name, names)} Connected: {', '.join(a.label for a in here)}."
    )


def _unprotected(address: Address, account: Account) -> Account:
    """The account, for an address that does not name it. Raises InputError."""
    if account.protected:
        whole = Address(address.network, account.name, address.target)
        raise InputError(
            f"{address}: {account.label} is protected, and so never a default; name it whole: "
            f"{whole}."
        )
    return account


def stand_in(
    address: Address, accounts: Sequence[Account], defaults: Mapping[str, str]
) -> Account | None:
    """An account without an id for an address whose own is not connected, else None: enough to
    plan by the network's usual limits, and never enough to send."""
    here = [account.name for account in accounts if account.network == address.network]
    name = address.account or (None if here else defaults.get(address.network, address.network))
    if name is None or name in here:
        return None
    return Account(id="", network=address.network, name=name)

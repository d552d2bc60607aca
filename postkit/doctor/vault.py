"""The vault: it opens, and has an entry for each account, and no other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from ..accounts.vault import Vault
from ..accounts.vault_status import vault_status
from ..errors import VaultError
from ..kit import Kit
from .finding import Examined, Finding, problem, warning
from .reading import name_of, read_only

ACCOUNT = "a_"
"""How the ids of accounts begin; other entries are of apps and of connects under way."""


def look(kit: Kit) -> Examined:
    if not kit.home.path.exists():
        return Examined("vault", "none yet")
    accounts = _accounts(kit)
    status = vault_status(kit.home)
    if not status.exists and not accounts:
        return Examined("vault", "none yet")
    if status.problem is not None:
        return Examined("vault", "", (problem("vault", status.problem, "`postkit vault`"),))
    ids: tuple[str, ...] = ()
    found: list[Finding] = []
    if status.exists:  # else none is made here
        try:
            ids = kit.vault().ids()
        except VaultError as error:
            return Examined("vault", "", (problem("vault", error.message, "`postkit vault`"),))
        found += _damaged(kit.vault(), ids)
    summary = f"{status.path}, {counted(len(ids))}, key: {status.key}"
    if accounts is None:
        return Examined("vault", summary, tuple(found))
    for account_id, (network, name, tenant) in accounts.items():
        if account_id not in ids:
            text = f"{name_of(f'{network}:{name}', tenant)} has no access in the vault."
            remedy = f"`postkit connect {network} --name {name} --replace`"
            if tenant:
                again = f"connect({network!r}, ..., name={name!r}, replace=True)"
                remedy = f"in the program: `kit.for_tenant({tenant!r}).{again}`"
            found.append(problem("vault", text, remedy))
    strays = [name for name in ids if name.startswith(ACCOUNT) and name not in accounts]
    if strays:
        text = (
            f"The vault holds access of {len(strays)} "
            f"account{'s' if len(strays) > 1 else ''} that the store does not know: "
            f"{', '.join(strays)}. Was the store restored, or POSTKIT_STORE changed?"
        )
        found.append(warning("vault", text, "name the store that knows them in POSTKIT_STORE"))
    return Examined("vault", summary, tuple(found))


def _damaged(vault: Vault, ids: Sequence[str]) -> Iterator[Finding]:
    for name in ids:
        try:
            vault.get(name)
        except VaultError as error:
            yield problem("vault", error.message)


def counted(entries: int) -> str:
    return f"{entries} {'entry' if entries == 1 else 'entries'}"


def _accounts(kit: Kit) -> dict[str, tuple[str, str, str]] | None:
    """Network, name and tenant of all accounts, by id; None where the store cannot tell."""
    if not kit.home.store_path.exists():
        return {}
    try:
        with read_only(kit.home.store_path) as connection:
            found = connection.execute(
                "SELECT id, network, name, tenant FROM account WHERE removed_at IS NULL"
            ).fetchall()
    except sqlite3.Error:
        return None
    return {row[0]: row[1:] for row in found}

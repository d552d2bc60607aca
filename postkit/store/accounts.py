"""Rows of accounts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from ..clock import Clock, micros
from ..errors import InputError, StoreError, UnknownName
from ..network import Account
from ..tenant import of_tenant
from . import rows
from .database import Database


class AccountRows:
    """The accounts of one tenant. ``settings`` adds what is configured for an account.

    ``tenant`` None is for a worker of all tenants: it reads accounts by their ids, and writes down
    their states.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        tenant: str | None = "",
        settings: Callable[[Account], Mapping[str, Any]] = lambda account: account.settings,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self.tenant = tenant

    def all(self) -> list[Account]:
        """All that are connected, by network and name."""
        found = self._database.read(
            "SELECT * FROM account WHERE tenant = :tenant AND removed_at IS NULL "
            "ORDER BY network, name",
            {"tenant": self.tenant},
        )
        return [self._account(row) for row in found]

    def by_id(self, account_id: str) -> Account:
        """Raises UnknownName, for another tenant's as for none."""
        found = self._database.read(
            f"SELECT * FROM account WHERE id = :id{of_tenant(self.tenant)}",  # noqa: S608
            {"id": account_id, "tenant": self.tenant},
        )
        if not found:
            raise UnknownName(f"There is no account {account_id}.")
        return self._account(found[0])

    def configured(self, account: Account) -> Account:
        """The account with what postkit.toml says of it."""
        settings = self._settings(account)
        return account if settings is account.settings else replace(account, settings=settings)

    def add(self, account: Account) -> None:
        """Add an account. Raises InputError where the name is taken."""
        at = micros(self._clock.now())
        values = {
            "id": account.id,
            "tenant": self.tenant,
            "network": account.network,
            "name": account.name,
            "endpoint": account.endpoint,
            "ca_bundle": account.ca_bundle,
            "state": account.state,
            "identity": json.dumps(asdict(account.identity)) if account.identity else None,
            "identity_at": at if account.identity else None,
            "settings": json.dumps(dict(account.settings)),
            "at": at,
        }

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO account (id, tenant, network, name, endpoint, ca_bundle, state, "
                "identity, identity_at, settings, created_at) VALUES (:id, :tenant, :network, "
                ":name, :endpoint, :ca_bundle, :state, :identity, :identity_at, :settings, :at)",
                values,
            )
            # What was paused under this name stays paused.
            connection.execute(
                "UPDATE pause SET account_id = :id WHERE tenant = :tenant AND account_id IN "
                "(SELECT id FROM account WHERE tenant = :tenant AND network = :network "
                "AND name = :name)",
                values,
            )

        try:
            self._database.write(work)
        except StoreError as error:
            if "UNIQUE" in error.message:
                raise InputError(
                    f"{account.label} is connected already. Choose another --name, or remove it "
                    f"first: `postkit accounts remove {account.label}`."
                ) from error
            raise

    def renew(self, account: Account) -> None:
        """Keep where an account is, who the network says it is, and that its access works again."""
        self._update(
            account.id,
            "endpoint = :endpoint, ca_bundle = :ca_bundle, identity = :identity, "
            "identity_at = :at, state = :state",
            {
                "endpoint": account.endpoint,
                "ca_bundle": account.ca_bundle,
                "identity": json.dumps(asdict(account.identity)) if account.identity else None,
                "at": micros(self._clock.now()),
                "state": account.state,
            },
        )

    def set_state(
        self,
        account_id: str,
        state: str,
        also: Callable[[sqlite3.Connection], None] | None = None,
        unless: Callable[[Account], bool] | None = None,
    ) -> bool:
        """``ok``, ``unverified`` or ``needs_login``; ``also`` changes more, with it. False where
        ``unless`` says so of the account as it is in that very transaction."""

        def work(connection: sqlite3.Connection) -> bool:
            values = {"id": account_id, "tenant": self.tenant, "state": state}
            where = f"WHERE id = :id{of_tenant(self.tenant)}"
            found = connection.execute(f"SELECT * FROM account {where}", values).fetchone()  # noqa: S608 - the words above
            if unless is not None and found is not None and unless(rows.account(found)):
                return False
            connection.execute(f"UPDATE account SET state = :state {where}", values)  # noqa: S608 - the words above
            if also is not None:
                also(connection)
            return True

        return self._database.write(work)

    def remove(self, account_id: str) -> None:
        """Hide an account; what was published through it stays readable."""
        self._update(account_id, "removed_at = :at", {"at": micros(self._clock.now())})

    def has_open_parts(self, account_id: str) -> bool:
        found = self._database.read(
            "SELECT 1 FROM part WHERE account_id = :id AND tenant = :tenant AND state IN "
            "('SCHEDULED', 'CLAIMED', 'SENDING', 'IN_DOUBT', 'UNCERTAIN', 'HELD') "
            # What follows a part that will never be live is as settled as that one.
            "AND NOT (state IN ('SCHEDULED', 'HELD') AND EXISTS (SELECT 1 FROM part before "
            "WHERE before.delivery_id = part.delivery_id AND before.position < part.position "
            "AND before.state IN ('FAILED', 'CANCELLED', 'MISSED'))) LIMIT 1",
            {"id": account_id, "tenant": self.tenant},
        )
        return bool(found)

    def _account(self, row: sqlite3.Row) -> Account:
        return self.configured(rows.account(row))

    def _update(self, account_id: str, sets: str, values: Mapping[str, Any]) -> None:
        everything = {**values, "id": account_id, "tenant": self.tenant}

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"UPDATE account SET {sets} WHERE id = :id AND tenant = :tenant",  # noqa: S608
                everything,
            )

        self._database.write(work)

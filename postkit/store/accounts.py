"""Rows of accounts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from ..clock import Clock, micros, moment
from ..deliver.actor import Actor
from ..deliver.history import append
from ..errors import InputError, StoreError, UnknownName
from ..network import Account, Identity
from ..tenant import of_tenant
from . import rows
from .database import Database

_STATES = {
    "ok": "Its access works.",
    "unverified": "Nobody has asked the network yet who it is.",
    "needs_login": "Its access is not accepted any more.",
}
KEEP_PAUSED = (
    "UPDATE pause SET account_id = :id WHERE tenant = :tenant AND account_id IN "
    "(SELECT id FROM account WHERE tenant = :tenant AND network = :network AND name = :name)"
)
KEEP_PROTECTED = (
    "UPDATE account SET protected = coalesce((SELECT protected FROM account AS gone "
    "WHERE tenant = :tenant AND network = :network AND name = :name AND removed_at IS NOT NULL "
    "ORDER BY removed_at DESC LIMIT 1), 0) WHERE id = :id"
)
OPEN = """
SELECT 1 FROM part WHERE account_id = :id AND tenant = :tenant AND state IN
  ('SCHEDULED', 'CLAIMED', 'SENDING', 'IN_DOUBT', 'UNCERTAIN', 'HELD')
AND NOT (state IN ('SCHEDULED', 'HELD') AND EXISTS (SELECT 1 FROM part before
  WHERE before.delivery_id = part.delivery_id AND before.position < part.position
  AND before.state IN ('FAILED', 'CANCELLED', 'MISSED'))) LIMIT 1
"""
"""What follows a part that will never be live is as settled as that one."""


class AccountRows:
    """The accounts of one tenant. ``settings`` adds what is configured for an account; ``actor``
    is who changes them (None: this process's user).

    ``tenant`` None is for a worker of all tenants: it reads accounts, and writes down their states
    and what became of their access.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        tenant: str | None = "",
        settings: Callable[[Account], Mapping[str, Any]] = lambda account: account.settings,
        *,
        actor: Actor | None = None,
    ) -> None:
        self._actor = actor or Actor.here()
        self._database = database
        self._settings = settings
        self._clock = clock
        self.tenant = tenant

    def acted_by(self, actor: Actor) -> AccountRows:
        """The same accounts, changed by another."""
        return AccountRows(self._database, self._clock, self.tenant, self._settings, actor=actor)

    def all(self) -> list[Account]:
        """All that are connected, by network and name."""
        found = self._database.read(
            f"SELECT * FROM account WHERE removed_at IS NULL{of_tenant(self.tenant)} "  # noqa: S608
            "ORDER BY network, name",
            {"tenant": self.tenant},
        )
        return [self._account(row) for row in found]

    def labels(self) -> dict[str, str]:
        """``network:name`` by id, also of those that were removed."""
        found = self._database.read(
            "SELECT id, network, name FROM account WHERE tenant = :tenant",
            {"tenant": self.tenant},
        )
        return {row["id"]: f"{row['network']}:{row['name']}" for row in found}

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
            # What was paused under this name stays paused, and what was protected stays protected.
            connection.execute(KEEP_PAUSED, values)
            connection.execute(KEEP_PROTECTED, values)
            self._tell(connection, account.id, "connect", f"Connected as {_shown(account)}.")

        self._unless_taken(work, account.label)

    def rename(self, account: Account, name: str) -> None:
        """Another name; its posts go on, since they go by the account's id. What of them is not
        settled, and pauses, show the new name from now on. Raises InputError where it is taken."""
        old, new = account.label, f"{account.network}:{name}"
        values = {
            "id": account.id,
            "tenant": self.tenant,
            "network": account.network,
            "name": name,
            "new": new,
            "rest": len(old) + 1,
        }

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE account SET name = :name WHERE id = :id AND tenant = :tenant", values
            )
            connection.execute(
                "UPDATE delivery SET address = :new || substr(address, :rest) "
                "WHERE tenant = :tenant AND account_id = :id AND EXISTS (SELECT 1 FROM part "
                "WHERE part.delivery_id = delivery.id "
                "AND part.state NOT IN ('LIVE', 'FAILED', 'CANCELLED'))",
                values,
            )
            # Where the new name was paused for an account that is gone, one pause is enough.
            connection.execute(
                "UPDATE OR REPLACE pause SET address = :new || substr(address, :rest) "
                "WHERE tenant = :tenant AND account_id = :id",
                values,
            )
            connection.execute(KEEP_PAUSED, values)
            self._tell(connection, account.id, "rename", f"It was {old}, and is {new} now.")

        self._unless_taken(work, new)

    def protect(self, account_id: str, *, protected: bool) -> None:
        """A protected account is no default."""
        self._update(
            account_id,
            "protected = :protected, is_default = CASE WHEN :protected THEN 0 ELSE is_default END",
            {"protected": int(protected)},
            ("protect", "It is protected.") if protected else ("unprotect", "It is not protected."),
        )

    def set_default(self, network: str, account_id: str | None) -> None:
        """What the network's bare name means; None: nothing but its only account. Raises
        InputError where the account was protected meanwhile."""
        values = {"network": network, "tenant": self.tenant, "id": account_id}

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE account SET is_default = 0 WHERE network = :network AND tenant = :tenant",
                values,
            )
            if account_id is None:
                return
            found = connection.execute(
                "UPDATE account SET is_default = 1 WHERE id = :id AND tenant = :tenant "
                "AND network = :network AND protected = 0 RETURNING id",
                values,
            ).fetchall()
            if not found:
                raise InputError("A protected account is never a default.")
            self._tell(connection, account_id, "default", f"{network} alone means it.")

        self._database.write(work)

    def last_success(self, account_id: str) -> datetime | None:
        """When the newest of its posts became live; None where none has."""
        found = self._database.read(
            "SELECT at FROM history WHERE account_id = :id AND after = 'LIVE' "
            "AND before IS NOT 'LIVE' ORDER BY id DESC LIMIT 1",
            {"id": account_id},
        )
        return moment(found[0]["at"]) if found else None

    def renewed_at(self, account_id: str) -> datetime:
        """When its access was last renewed by a worker, or else given by a person."""
        found = self._database.read(
            "SELECT max(coalesce(renewed_at, 0), coalesce(identity_at, created_at)) AS at "  # noqa: S608
            f"FROM account WHERE id = :id{of_tenant(self.tenant)}",
            {"id": account_id, "tenant": self.tenant},
        )
        return moment(found[0]["at"])

    def set_renewed(self, account_id: str) -> None:
        """Its access was renewed now."""
        self._update(account_id, "renewed_at = :at", {"at": micros(self._clock.now())}, None)

    def told_end(
        self, account_id: str, end: datetime, also: Callable[[sqlite3.Connection], None]
    ) -> bool:
        """Note that somebody is told of this end of its access; ``also`` tells, with it. False
        where it was told before."""
        values = {"id": account_id, "tenant": self.tenant, "end": micros(end)}

        def work(connection: sqlite3.Connection) -> bool:
            found = connection.execute(
                "UPDATE account SET told_end = :end WHERE id = :id AND told_end IS NOT :end"  # noqa: S608
                f"{of_tenant(self.tenant)} RETURNING id",
                values,
            ).fetchall()
            if found:
                also(connection)
            return bool(found)

        return self._database.write(work)

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
            ("connect", f"New access, as {_shown(account)}."),
        )

    def identified(self, account_id: str, identity: Identity) -> Account:
        """Keep who the network says an account is, where that is not known yet; the account as it
        is then, whoever wrote it first."""
        values = {
            "id": account_id,
            "tenant": self.tenant,
            "identity": json.dumps(asdict(identity)),
            "at": micros(self._clock.now()),
        }

        def work(connection: sqlite3.Connection) -> None:
            found = connection.execute(
                "UPDATE account SET identity = :identity, identity_at = :at, state = 'ok' "  # noqa: S608
                f"WHERE id = :id{of_tenant(self.tenant)} AND identity IS NULL RETURNING id",
                values,
            ).fetchall()
            if found:
                self._tell(connection, account_id, "identify", f"It is {identity.name}.")

        self._database.write(work)
        return self.by_id(account_id)

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
            if found is not None and found["state"] != state:
                self._tell(connection, account_id, state, _STATES[state])
            if also is not None:
                also(connection)
            return True

        return self._database.write(work)

    def remove(self, account_id: str) -> bool:
        """Hide an account; what was published through it stays readable. False where a post of it
        is not settled: nothing is changed then."""
        values = {"id": account_id, "tenant": self.tenant, "at": micros(self._clock.now())}

        def work(connection: sqlite3.Connection) -> bool:
            found = connection.execute(
                "UPDATE account SET removed_at = :at WHERE id = :id AND tenant = :tenant "  # noqa: S608
                f"AND NOT EXISTS ({OPEN}) RETURNING id",
                values,
            ).fetchall()
            if found:
                self._tell(connection, account_id, "remove", "Removed.")
            return bool(found)

        return self._database.write(work)

    def has_open_parts(self, account_id: str) -> bool:
        return bool(self._database.read(OPEN, {"id": account_id, "tenant": self.tenant}))

    def _account(self, row: sqlite3.Row) -> Account:
        return self.configured(rows.account(row))

    def _tell(
        self, connection: sqlite3.Connection, account_id: str, event: str, reason: str
    ) -> None:
        at = micros(self._clock.now())
        # Its own tenant's chain, also where a worker of all tenants acts.
        found = connection.execute("SELECT tenant FROM account WHERE id = ?", (account_id,))
        append(connection, self._actor, found.fetchone()[0], account_id, at, event, reason)

    def _unless_taken(self, work: Callable[[sqlite3.Connection], None], label: str) -> None:
        try:
            self._database.write(work)
        except StoreError as error:
            if "UNIQUE" in error.message:
                raise InputError(
                    f"{label} is connected already. Choose another --name, or remove it first: "
                    f"`postkit accounts remove {label}`."
                ) from error
            raise

    def _update(
        self, account_id: str, sets: str, values: Mapping[str, Any], line: tuple[str, str] | None
    ) -> None:
        """``line`` is the event and the reason that the history gets; None for what happens by
        itself all the time."""
        everything = {**values, "id": account_id, "tenant": self.tenant}

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"UPDATE account SET {sets} WHERE id = :id{of_tenant(self.tenant)}",  # noqa: S608
                everything,
            )
            if line is not None:
                self._tell(connection, account_id, *line)

        self._database.write(work)


def _shown(account: Account) -> str:
    return account.identity.name if account.identity else "an account that is not verified yet"

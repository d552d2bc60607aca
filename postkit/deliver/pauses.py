"""The brake: what is paused sends nothing, in any process, from the moment it is written down."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..clock import moment
from ..errors import InputError
from ..freshness import FRESHNESS
from ..ids import new_id
from ..store import rows
from ..store.rows import PartRow
from .gates import OWN_PAUSE, PAUSED, not_removed
from .history import EVERYTHING, append, record
from .moves import Moves, refresh, transition

IN_SCOPE = """
SELECT {columns} FROM part JOIN delivery ON delivery.id = part.delivery_id
WHERE (delivery.tenant = :tenant OR {whose}) AND {what}
  AND (:network IS NULL OR delivery.network = :network)
  AND (:account IS NULL OR delivery.account_id = :account)
  AND (:target IS NULL OR delivery.target = :target COLLATE NOCASE)
"""
EVERYBODYS = "(:tenant = '' AND :account IS NULL)"
"""A brake that names no account holds for all tenants, if it is not one of theirs."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pause is about: everything, a network, an account, or one target of it."""

    address: str
    network: str | None = None
    account_id: str | None = None
    target: str | None = None


ALL = Scope("everything")


@dataclass(frozen=True, slots=True)
class Pause:
    """What is paused, since when and why."""

    scope: Scope
    reason: str
    since: datetime


class Pauses(Moves):
    """The pauses of one tenant, and what is held by them. What the default tenant pauses without
    naming an account is paused for all, and each lets go what was held of its own."""

    def all(self) -> list[Pause]:
        """What is paused now."""
        found = self._database.read(
            "SELECT * FROM pause WHERE tenant = :tenant ORDER BY created_at",
            {"tenant": self._tenant},
        )
        return [
            Pause(
                Scope(row["address"], row["network"], row["account_id"], row["target"]),
                row["reason"],
                moment(row["created_at"]),
            )
            for row in found
        ]

    def covering(self, delivery_id: str) -> str | None:
        """The address of the pause that a delivery falls under; None where there is none, or no
        such delivery."""
        values = {"delivery": delivery_id, "tenant": self._tenant}
        found = self._database.read(OWN_PAUSE, values)
        return str(found[0]["address"]) if found else None

    def count(self, scopes: Sequence[Scope]) -> int:
        """How many deliveries of these scopes are scheduled."""
        what = "part.state = 'SCHEDULED'"
        columns = "DISTINCT part.delivery_id"
        sql = IN_SCOPE.format(columns=columns, what=what, whose=EVERYBODYS)
        found = [self._database.read(sql, self._values(scope)) for scope in scopes]
        return len({row["delivery_id"] for each in found for row in each})

    def add(self, scopes: Sequence[Scope], reason: str) -> list[PartRow]:
        """Pause. When this returns, no request of these scopes is let go any more; returned are
        the parts whose requests have left already, so that they may be or become live."""

        def work(connection: sqlite3.Connection) -> list[PartRow]:
            at = self._now()
            on_their_way: dict[str, PartRow] = {}
            for scope in scopes:
                connection.execute(
                    "INSERT INTO pause (id, tenant, address, network, account_id, target, reason, "
                    "created_at) VALUES (:id, :tenant, :address, :network, :account, :target, "
                    ":reason, :at) ON CONFLICT (tenant, address) DO UPDATE SET "
                    "reason = CASE WHEN :reason = '' THEN reason ELSE :reason END, "
                    "network = :network, account_id = :account, target = :target",
                    {
                        **self._values(scope),
                        "id": new_id("h"),
                        "address": scope.address,
                        "reason": reason,
                        "at": at,
                    },
                )
                paused = f"{scope.address} is paused."
                self._tell(connection, scope, at, "pause", f"{paused} {reason}".strip())
                what = "part.state IN ('SENDING', 'IN_DOUBT')"
                found = self._in_scope(connection, scope, what)
                on_their_way.update({part.id: part for part in found})
            return list(on_their_way.values())

        return self._database.write(work)

    def end(
        self,
        scopes: Sequence[Scope],
        *,
        send: bool,
        allow: Callable[[Sequence[PartRow]], None] = lambda _: None,
    ) -> tuple[list[Pause], list[PartRow]]:
        """End these pauses. Returned are those that were there, and the parts that they held:
        sent from now on with ``send``, else still held. ``allow`` is shown what would be sent,
        before anything is changed for good: what it raises leaves all as it was."""
        names = {scope.address for scope in scopes}
        ended = [pause for pause in self.all() if pause.scope.address in names]

        def work(connection: sqlite3.Connection) -> list[PartRow]:
            for pause in ended:
                self._hold_due(connection, pause.scope)
            for pause in ended:
                connection.execute(
                    "DELETE FROM pause WHERE tenant = :tenant AND address = :address",
                    {"tenant": self._tenant, "address": pause.scope.address},
                )
                over = f"The pause of {pause.scope.address} is over."
                self._tell(connection, pause.scope, self._now(), "unpause", over)
            held: dict[str, PartRow] = {}
            for scope in scopes:
                what = "part.state = 'HELD' AND part.held_reason = 'paused'"
                found = self._in_scope(connection, scope, what, whose="FALSE")
                held.update({part.id: part for part in found})
            if send:
                allow(list(held.values()))
                at = self._now()
                for part in held.values():
                    if _pause_of(connection, part) is None:
                        self._free(connection, part, at, "The pause is over.")
            return list(held.values())

        return ended, self._database.write(work)

    def _tell(
        self, connection: sqlite3.Connection, scope: Scope, at: int, event: str, reason: str
    ) -> None:
        """In the account's history, or in that of everything: the brake is quick however many
        accounts there are."""
        account_id = scope.account_id or EVERYTHING
        append(connection, self._actor, self._tenant or "", account_id, at, event, reason)

    def _hold_due(self, connection: sqlite3.Connection, scope: Scope) -> None:
        """What fell due in the pause is held, also where nobody was there to come to it."""
        at = self._now()
        what = f"part.state = 'SCHEDULED' AND part.ready_at IS NOT NULL AND part.due_at <= {at}"
        for part in self._in_scope(connection, scope, what):
            before = self._shown(connection, part.delivery_id)
            found = connection.execute(
                "UPDATE part SET state = 'HELD', held_reason = 'paused', fence = fence + 1 "
                "WHERE id = :id RETURNING *",
                {"id": part.id},
            ).fetchall()
            held = rows.part(found[0])
            why = "It fell due in a pause."
            record(connection, self._actor, held, at, "hold", part.state, held.state, why)
            refresh(connection, held)
            self._announce(connection, held, before, at)

    def release(self, parts: Sequence[PartRow]) -> None:
        """Send what is held, at a person's word. Raises InputError where it is still paused, or
        where its account was removed."""

        def work(connection: sqlite3.Connection) -> None:
            for part in parts:
                not_removed(connection, part.delivery_id)
                still = _pause_of(connection, part)
                if still is not None:
                    raise InputError(
                        f"{still} is paused; nothing of it is sent before `postkit unpause`."
                    )
                self._free(connection, part, self._now(), "A person released it.")

        self._database.write(work)

    def _free(self, connection: sqlite3.Connection, part: PartRow, at: int, reason: str) -> None:
        after = transition(part, "free")
        before = self._shown(connection, part.delivery_id)
        found = connection.execute(
            "UPDATE part SET state = :after, held_reason = NULL, not_before = :at, failures = 0, "
            "failing_since = NULL, uncapped = max(uncapped, :uncapped), "
            "expires_at = CASE WHEN expires_at IS NULL THEN NULL ELSE max(expires_at, :late) END "
            "WHERE id = :id AND state = 'HELD' AND fence = :fence RETURNING *",
            {
                "after": after,
                "at": at,
                "late": at + FRESHNESS // timedelta(microseconds=1),
                "id": part.id,
                "fence": part.fence,
                "uncapped": part.held_reason == "cap",
            },
        ).fetchall()
        if found and part.held_reason == "cap":
            # One word for the whole thread, or each of its parts would ask again.
            connection.execute(
                "UPDATE part SET uncapped = 1 WHERE delivery_id = :delivery",
                {"delivery": part.delivery_id},
            )
        if found:
            moved = rows.part(found[0])
            record(connection, self._actor, moved, at, "free", part.state, after, reason)
            refresh(connection, moved)
            self._announce(connection, moved, before, at)

    def _in_scope(
        self, connection: sqlite3.Connection, scope: Scope, what: str, whose: str = EVERYBODYS
    ) -> list[PartRow]:
        sql = (
            IN_SCOPE.format(columns="part.*", what=what, whose=whose)
            + "ORDER BY part.due_at, part.id"
        )
        found = connection.execute(sql, self._values(scope)).fetchall()
        return [rows.part(row) for row in found]

    def _values(self, scope: Scope) -> dict[str, str | None]:
        return {
            "tenant": self._tenant,
            "network": scope.network,
            "account": scope.account_id,
            "target": scope.target,
        }


def _pause_of(connection: sqlite3.Connection, part: PartRow) -> str | None:
    found = connection.execute(PAUSED, {"delivery": part.delivery_id}).fetchone()
    return str(found["address"]) if found else None

"""What is to be done, and who does it: ready accounts, heads of queues, dead owners, workers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..clock import Clock, micros, moment
from ..store import rows
from ..store.database import Database
from ..store.rows import PartRow
from ..tenant import of_tenant
from .gates import HEAD, IS_PAUSED
from .moves import ACCOUNT_READY
from .owner import is_dead
from .sleepers import mend, wake

SEEN = timedelta(seconds=60)
"""A worker that has not been seen for so long is not there."""
FOR_ALL = ""
"""The tenant of a worker of all tenants, which is the default tenant's too."""
OPEN_ACCOUNTS = "state <> 'needs_login' AND removed_at IS NULL AND ready_at IS NOT NULL"
_IS_OPEN = (
    "EXISTS (SELECT 1 FROM account "  # noqa: S608 - the words above
    f"WHERE id = :account AND resume_at <= :at AND {OPEN_ACCOUNTS})"
)
NEXT_STEP = f"{HEAD} AND {_IS_OPEN}"
LATE_LOOK = (
    "SELECT * FROM part WHERE account_id = :account AND ready_at <= :at AND state = 'LIVE' "  # noqa: S608 - the words above
    f"AND {_IS_OPEN} ORDER BY ready_at LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """An account with something to do, since ``at``."""

    account_id: str
    at: datetime


class Agenda:
    """Reads what is due; frees what dead processes have left. ``owner`` is this process.

    ``tenant`` is whose posts are worked at: None for a worker of all tenants.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        tenant: str | None = None,
        *,
        is_dead: Callable[[str], bool] = is_dead,
    ) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._tenant = tenant
        self._own = of_tenant(tenant)
        self._is_dead = is_dead

    def ready(self, count: int) -> list[Ready]:
        """Accounts with something to do now, the longest waiting first."""
        found = self._database.read(
            "SELECT id, ready_at FROM account WHERE ready_at <= :now AND resume_at <= :now "  # noqa: S608
            f"AND {OPEN_ACCOUNTS}{self._own} ORDER BY ready_at LIMIT :count",
            {"now": micros(self._clock.now()), "count": count, "tenant": self._tenant},
        )
        return [Ready(row["id"], moment(row["ready_at"])) for row in found]

    def next_at(self, without: Sequence[str] = ()) -> datetime | None:
        """When the next account is ready, but for these; None where nothing is left."""
        names = {f"id{number}": name for number, name in enumerate(without)}
        others = f" AND id NOT IN ({', '.join(f':{name}' for name in names)})" if names else ""
        found = self._database.read(
            "SELECT min(max(ready_at, resume_at)) AS at FROM account "  # noqa: S608
            f"WHERE {OPEN_ACCOUNTS}{others}{self._own}",
            {**names, "tenant": self._tenant},
        )
        return moment(found[0]["at"]) if found and found[0]["at"] is not None else None

    def head(self, account_id: str) -> PartRow | None:
        """What the account has to do now: sends and looks in the order of their due time, then
        late looks at what is live. None where the account waits for a person."""
        values = {"account": account_id, "at": micros(self._clock.now())}
        found = self._database.read(NEXT_STEP, values) or self._database.read(LATE_LOOK, values)
        return rows.part(found[0]) if found else None

    def free_the_dead(self) -> int:
        """Make ready what processes hold that have certainly ended; how many parts."""
        owners = self._database.read(
            f"SELECT DISTINCT owner FROM part WHERE owner IS NOT NULL{self._own}",  # noqa: S608
            {"tenant": self._tenant},
        )
        dead = [row["owner"] for row in owners if self._is_dead(row["owner"])]
        return sum(self._free(owner) for owner in dead)

    def _free(self, owner: str) -> int:
        values = {"owner": owner, "now": micros(self._clock.now()), "tenant": self._tenant}

        def work(connection: sqlite3.Connection) -> int:
            freed = connection.execute(
                "UPDATE part SET lease_until = :now, ready_at = :now WHERE owner = :owner "  # noqa: S608
                f"AND lease_until > :now{self._own} RETURNING account_id",
                values,
            ).fetchall()
            for account in {row["account_id"] for row in freed}:
                connection.execute(ACCOUNT_READY, {"account": account})
            return len(freed)

        return self._database.write(work)

    def mend(self, delivery_ids: Sequence[str] | None = None) -> None:
        """Bring back what a clock that was wrong has put further off than anything can be: limits,
        and what is on its way (of these deliveries, or of all)."""
        mend(self._database, self._clock, delivery_ids, self._tenant)

    def wake(self, delivery_ids: Sequence[str] | None = None) -> int:
        """The same for what waits to be sent or looked at late (of these deliveries, or of all);
        how many parts. Reads all that is to come: not for every turn of a worker."""
        return wake(self._database, self._clock, delivery_ids, self._tenant)

    def stale(self) -> list[PartRow]:
        """Parts that nobody has sent in time, as of accounts that need a login. What is paused is
        held instead, when its turn comes."""
        found = self._database.read(
            "SELECT * FROM part WHERE state = 'SCHEDULED' AND ready_at IS NOT NULL "  # noqa: S608
            f"AND expires_at < :now AND doubt_at IS NULL{self._own} "
            f"AND NOT EXISTS ({IS_PAUSED}) LIMIT 1000",
            {"now": micros(self._clock.now()), "tenant": self._tenant},
        )
        return [rows.part(row) for row in found]

    def old_doubts(self, age: timedelta) -> list[str]:
        """Deliveries with a part that has been in doubt for so long, whatever its account is
        kept from: a person has to be asked."""
        found = self._database.read(
            "SELECT DISTINCT delivery_id FROM part WHERE state = 'IN_DOUBT' AND ready_at <= :now "  # noqa: S608
            f"AND doubt_at < :before{self._own} LIMIT 1000",
            {
                "now": micros(self._clock.now()),
                "before": micros(self._clock.now() - age),
                "tenant": self._tenant,
            },
        )
        return [row["delivery_id"] for row in found]

    # Workers

    def beat(self, started_at: datetime) -> None:
        """This process works for its tenant, or for all."""
        values = {
            "owner": self._owner,
            "tenant": self._tenant or FOR_ALL,
            "started": micros(started_at),
            "now": micros(self._clock.now()),
        }
        self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO worker (owner, tenant, started_at, seen_at) "
                "VALUES (:owner, :tenant, :started, :now) "
                "ON CONFLICT (owner, tenant) DO UPDATE SET seen_at = :now",
                values,
            ).close()
        )

    def leave(self) -> None:
        """This process works no more; so do those that have died."""
        found = self._database.read(
            f"SELECT DISTINCT owner FROM worker WHERE TRUE{self._own}",  # noqa: S608
            {"tenant": self._tenant},
        )
        gone = [row["owner"] for row in found if self._is_dead(row["owner"])]
        own = {"owner": self._owner, "tenant": self._tenant or FOR_ALL}

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM worker WHERE owner = :owner AND tenant = :tenant", own)
            for owner in gone:
                connection.execute(
                    f"DELETE FROM worker WHERE owner = :owner{self._own}",  # noqa: S608
                    {"owner": owner, "tenant": self._tenant},
                )

        self._database.write(work)

    def is_worked(self) -> bool:
        """Whether a worker runs that sends these posts."""
        after = self._clock.now() - SEEN
        return any(
            seen >= after and not self._is_dead(owner) for owner, seen in self._workers().items()
        )

    def _workers(self) -> dict[str, datetime]:
        """When each was seen that works for all, or for this tenant."""
        found = self._database.read(
            "SELECT owner, max(seen_at) AS seen_at FROM worker WHERE tenant IN (:all, :tenant) "
            "GROUP BY owner",
            {"all": FOR_ALL, "tenant": self._tenant},
        )
        return {row["owner"]: moment(row["seen_at"]) for row in found}

"""Keeps what is scheduled at the wall time that was meant, when the rules of a zone change."""

from __future__ import annotations

import sqlite3

from ..clock import Clock, micros
from ..errors import PostkitError
from ..logs import logger
from ..store import rows
from ..store.database import Database
from ..tenant import of_tenant
from ..walltime import resolve
from ..zones import forget_zones, rules_fingerprint
from .ledger import Ledger
from .moves import Fenced

log = logger("worker")

FACT = "zone rules"


class ZoneRules:
    """Compares the machine's rules with those by which the posts were scheduled: of one tenant,
    or of all (None)."""

    def __init__(
        self, database: Database, clock: Clock, ledger: Ledger, tenant: str | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._tenant = tenant
        self._own = of_tenant(tenant, "delivery.tenant")

    def apply(self) -> int:
        """Move what is due at another instant by today's rules; how many deliveries."""
        zones = self._zones()
        if not zones:
            return 0
        forget_zones()
        today = rules_fingerprint(zones)
        # Who works for one tenant has moved nothing of the others.
        name = FACT if self._tenant is None else f"{FACT} of {self._tenant}"
        known = self._database.read("SELECT value FROM fact WHERE name = :name", {"name": name})
        if known and known[0]["value"] == today:
            return 0
        moved = sum(self._apply(zone) for zone in zones)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO fact (name, value) VALUES (:name, :value) "
                "ON CONFLICT (name) DO UPDATE SET value = :value",
                {"name": name, "value": today},
            )

        self._database.write(work)
        return moved

    def _zones(self) -> list[str]:
        found = self._database.read(
            "SELECT DISTINCT zone FROM delivery WHERE zone IS NOT NULL AND local IS NOT NULL"  # noqa: S608
            f"{self._own}",
            {"tenant": self._tenant},
        )
        return sorted(row["zone"] for row in found)

    def _apply(self, zone: str) -> int:
        found = self._database.read(
            "SELECT part.*, delivery.local AS local FROM delivery JOIN part "  # noqa: S608
            "ON part.delivery_id = delivery.id AND part.position = 1 WHERE delivery.zone = :zone "
            "AND delivery.local IS NOT NULL "
            "AND part.state = 'SCHEDULED' AND part.attempts = 0 AND part.not_before = part.due_at "
            f"AND part.due_at > :now{self._own}",
            {"zone": zone, "now": micros(self._clock.now()), "tenant": self._tenant},
        )
        moved = 0
        for row in found:
            part = rows.part(row)
            try:
                at = resolve(row["local"], zone, strict=False)
                if at != part.due_at:
                    self._ledger.shift(part, at, f"The rules of {zone} have changed.")
                    moved += 1
            except Fenced as fenced:
                log.info("%s: %s", part.id, fenced.message)
            except PostkitError as error:
                log.warning("%s stays at %s: %s", part.id, part.due_at, error.message)
        return moved

"""A late look at what is live: is there one of it?"""

from __future__ import annotations

from datetime import timedelta

from ..errors import NeedsLogin, PluginError, PostkitError, StoreBusy, Throttled
from ..network import Outgoing
from ..store.rows import DeliveryRow, PartRow
from .doubt import LOOK_BACK, Doubt
from .gates import resume_at
from .ledger import Fenced
from .lookup import CLOCK_SKEW
from .steps import AUDITS, Run

AGAIN = timedelta(hours=1)
"""After this time a network that could not be asked is asked again."""
TRIES = timedelta(days=3)
"""A network that cannot be asked for so long is not asked any more."""


class Audit(Doubt):
    """Counts the posts of a part. A second one is reported, never deleted."""

    def audit(self, delivery: DeliveryRow, part: PartRow) -> None:
        """Ask the network how many there are, and write it down. Raises StoreError."""
        account = self._accounts.by_id(delivery.account_id)
        now = self._clock.now()
        run = Run(delivery, account, now, self._clock.monotonic(), None)
        try:
            self._count(run, part)
        finally:
            if run.connection is not None:
                self._clients.give(run.connection)

    def _count(self, run: Run, part: PartRow) -> None:
        now = self._clock.now()
        if part.outgoing is None or part.sending_at is None or part.live_at is None:
            self._ledger.audited(part, "There is no request to compare with.", [], None)
            return
        try:
            outgoing = Outgoing.from_json(part.outgoing, self._media)
            found = self._looked_up(run, outgoing, part.sending_at - LOOK_BACK)
        except (StoreBusy, Fenced):
            raise
        except Exception as broken:  # noqa: BLE001 - one that cannot be read keeps no other waiting
            error = (
                broken
                if isinstance(broken, PostkitError)
                else PluginError(f"It cannot be read ({type(broken).__name__}).")
            )
            if isinstance(error, NeedsLogin):
                self._drop(run)
            if now >= part.live_at + TRIES:
                self._ledger.audited(part, f"It cannot be looked up: {error.message}", [], None)
            else:
                again, also = now + AGAIN, None
                if isinstance(error, Throttled):
                    again = max(again, self._next_try(part, error.retry_at))
                    also = resume_at(part.account_id, again)
                self._ledger.audit_later(part, error.message, again, also)
            return
        own = next((c for c in found if c.receipt.id == part.remote_id), None)
        # By the network's clock, where ours was ahead when the request left.
        earliest = min(part.sending_at, own.at if own else part.sending_at) - CLOCK_SKEW
        ours = self._ledger.settled_by(run.account.id, [c.receipt.id for c in found])
        others = [c for c in found if c.receipt.id not in ours and c.receipt.id != part.remote_id]
        copies = {c.receipt.id: c.receipt.url or c.receipt.id for c in others if c.at >= earliest}
        number = part.audits + 1
        later = part.live_at + AUDITS[number] if number < len(AUDITS) else None
        if copies:
            reason = f"{len(copies) + 1} posts look like it."
        elif own is None:
            reason = "It is not among the posts that the network lists now."
        elif others:
            reason = "There is one of it, and what else looks like it is older."
        else:
            reason = "There is one of it."
        self._ledger.audited(part, reason, sorted(copies.values()), later)

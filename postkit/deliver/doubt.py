"""From doubt to certainty: look, wait, look again, and ask a person where nothing else can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..errors import (
    Duplicate,
    InputError,
    NeedsLogin,
    NetworkError,
    PluginError,
    PostkitError,
    Refused,
    StoreBusy,
    StoreError,
    Throttled,
    VaultError,
)
from ..network import Candidate, Guarantee, Outgoing
from ..store.rows import PartRow
from .failures import PATIENCE
from .gates import resume_at
from .ledger import Taken
from .lookup import decide
from .steps import BACKOFF, Run
from .waiting import Waiting

LOOK_BACK = timedelta(minutes=2)
KEPT = "The receipt was kept beside the store."
NO = frozenset({Duplicate.kind, Refused.kind, PluginError.kind, InputError.kind})
"""Errors of a repeat that a third one would meet again."""


class Doubt(Waiting):
    """Settles what may be live."""

    def _find_out(self, run: Run, part: PartRow, parts: Sequence[PartRow]) -> bool:
        if part.not_before > self._clock.now():
            if not self._pause(run, part.not_before):
                self._ledger.let_go(part)
                return False
            return True
        spooled = self._spool.get(part.id, part.attempts)
        if spooled is not None:
            try:
                self._ledger.live(part, "found", spooled, KEPT, audit=self._audit(run))
            except Taken as taken:
                return self._ask(run, part, taken.message)
            self._tell(run, part, "live", spooled.url or spooled.id)
            return True
        if part.outgoing is None or part.sending_at is None or part.doubt_at is None:
            return self._ask(run, part, "There is no request left to compare with.")
        outgoing = Outgoing.from_json(part.outgoing, self._media)
        since = part.sending_at - LOOK_BACK
        guarantee = self.guarantee(run.account, outgoing.part)
        is_refused_twice = part.error is not None and part.error.get("kind") in NO
        is_cancelled = any(p.state == "CANCELLED" for p in parts)
        if is_refused_twice or is_cancelled:
            # The repeat was refused; a third one would be refused too.
            guarantee = replace(guarantee, resend_when_absent=False)
        try:
            found = [] if guarantee.kind == "blind" else self._looked_up(run, outgoing, since)
        except (NetworkError, PluginError, VaultError) as error:
            return self._look_failed(run, part, guarantee, error)
        verdict = decide(
            found,
            guarantee=guarantee,
            sending_at=part.sending_at,
            doubt_at=part.doubt_at,
            now=self._clock.now(),
            looks=part.looks + 1,
            taken=self._ledger.settled_by(run.account.id, [c.receipt.id for c in found]),
        )
        if verdict.kind == "live" and verdict.receipt is not None:
            try:
                self._ledger.live(
                    part,
                    "found",
                    verdict.receipt,
                    verdict.reason,
                    audit=self._audit(run),
                    detail=self._answer(run),
                )
            except Taken as taken:
                # Another part was settled by it this very moment: look again, without it.
                self._ledger.looked(part, taken.message, self._clock.now() + BACKOFF)
                return True
            self._tell(run, part, "live", verdict.receipt.url or verdict.receipt.id)
            return True
        if verdict.kind == "wait" and verdict.again is not None:
            stays = verdict.again <= run.deadline
            self._ledger.looked(
                part, verdict.reason, verdict.again, detail=self._answer(run), leave=not stays
            )
            self._tell(run, part, "checking", verdict.reason)
            return stays
        if verdict.kind == "absent":
            self._ledger.absent(part, verdict.reason)
            self._tell(run, part, "sending", verdict.reason)
            return True
        reason = verdict.reason
        if is_refused_twice and not verdict.links and part.error is not None:
            reason = (
                "The network refuses a repeat as a duplicate, so it may well be live, but it "
                "does not list it."
                if part.error["kind"] == Duplicate.kind
                else f"A repeat was refused ({part.error['message']}), which says nothing of the "
                "first request; the network does not list it."
            )
        return self._ask(run, part, reason, verdict.links)

    def _looked_up(self, run: Run, outgoing: Outgoing, since: datetime) -> list[Candidate]:
        connection = self._connection(run)
        # Another account's posts would prove the wrong thing, and their absence too.
        self._prove(run, connection)
        try:
            found = connection.ask(
                lambda: connection.network.find(connection.client, outgoing, since)
            )
        except StoreBusy:
            raise
        except StoreError as gone:
            # A picture of this one post, not the store of all of them.
            raise PluginError(gone.message) from gone
        if not isinstance(found, Sequence) or not all(
            isinstance(c, Candidate) and isinstance(c.receipt.id, str) and c.at.tzinfo is not None
            for c in found
        ):
            raise PluginError(f"The plugin {run.account.network} found what are no candidates.")
        return list(found)

    def _look_failed(
        self, run: Run, part: PartRow, guarantee: Guarantee, error: PostkitError
    ) -> bool:
        """A look that failed tells nothing. One that will always fail needs a person."""
        now = self._clock.now()
        will_fail = isinstance(error, Refused | PluginError)
        patience = timedelta(seconds=guarantee.quiet) if will_fail else PATIENCE
        if part.doubt_at is not None and now >= part.doubt_at + patience:
            return self._ask(run, part, f"It cannot be looked up: {error.message}")
        again = self._next_try(part, getattr(error, "retry_at", None))
        also = resume_at(part.account_id, again) if isinstance(error, Throttled) else None
        part = self._ledger.look_failed(part, error, again, detail=self._answer(run), also=also)
        self._tell(run, part, "checking", error.message)
        if isinstance(error, NeedsLogin):
            if self._is_replaced(run, error):
                self._drop(run)
                return True
            if not self._disconnect(run, error):
                return True
            self._ledger.let_go(part)
            return False
        return True

"""Every step of a part on its way: one durable transaction each, checked against the states."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..clock import micros
from ..errors import PostkitError, StoreError
from ..network import Outgoing, Receipt
from ..store import rows
from ..store.rows import PartRow
from ..tenant import of_tenant
from .decisions import Decisions
from .failures import PATIENT, waiting
from .gates import its_turn, not_expired, not_paused
from .history import error_json
from .journal import PreparedJournal
from .moves import ACCOUNT_READY, Fenced, Gate
from .states import Event

__all__ = ["LEASE", "Fenced", "Ledger", "Taken"]

LEASE = timedelta(seconds=120)
"""How long a claim holds without a sign of life: longer than any single request may take."""
Detail = Mapping[str, Any] | None


class Taken(StoreError):
    """The remote post settles another part already; nothing was changed."""


class Ledger(Decisions):
    """Reads parts and takes them from scheduled to live, or to a question.

    An account's lease is its one part that is CLAIMED or SENDING: nobody else can claim another.
    """

    def parts(self, delivery_id: str) -> list[PartRow]:
        """All parts of a delivery, in order; none of another tenant's."""
        found = self._database.read(
            f"SELECT * FROM part WHERE delivery_id = :id{of_tenant(self._tenant)} "  # noqa: S608
            "ORDER BY position",
            {"id": delivery_id, "tenant": self._tenant},
        )
        return [rows.part(row) for row in found]

    def claim(
        self, part: PartRow, key: str, *, ordered: bool = False, count: Gate | None = None
    ) -> PartRow:
        """Take a scheduled part. ``key`` is kept only where the part has none yet.

        Raises NotYet, Paused or Expired where a gate is shut, Fenced where another process was
        quicker. ``ordered``: not before what is due earlier on the account. ``count`` takes the
        calls of its preparation from the network's budget, and raises where none are left.
        """

        def gate(connection: sqlite3.Connection, at: int) -> None:
            not_paused(connection, part)
            not_expired(part, at)
            its_turn(connection, part, at, ordered=ordered)
            if count is not None:
                count(connection, at)

        return self._move(
            part,
            "claim",
            "This process took the part.",
            bump=True,
            gate=gate,
            owner=self._owner,
            lease_until=self._lease(),
            key=part.key or key,
        )

    def _lease(self) -> int:
        return micros(self._clock.now() + LEASE)

    def journal(self, part: PartRow, dropped: Gate | None = None) -> PreparedJournal:
        """``dropped`` counts an upload that has to be made once more, and raises where no call is
        left for it."""
        return PreparedJournal(self, self._clock, part, dropped)

    def prepared(
        self,
        part: PartRow,
        name: str,
        values: Mapping[str, Any],
        *,
        line: bool = True,
        gate: Gate | None = None,
    ) -> None:
        """Keep all that ``prepare`` has so far; ``name`` is what has changed. Without ``line`` it
        is as durable, and the history is not told."""
        self._move(
            part,
            "prepared",
            f"Prepared: {name}.",
            line=line,
            gate=gate,
            prepared=json.dumps(dict(values)),
            lease_until=self._lease(),
        )

    def renew(self, part: PartRow) -> None:
        """A sign of life: the claim holds for another lease. No change of state, no history."""
        values = {
            "id": part.id,
            "account": part.account_id,
            "owner": self._owner,
            "fence": part.fence,
            "lease": self._lease(),
        }

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE part SET lease_until = :lease, ready_at = :lease WHERE id = :id "
                "AND owner = :owner AND fence = :fence AND lease_until < :lease",
                values,
            )
            connection.execute(ACCOUNT_READY, values)

        self._database.write(work)

    def release(
        self,
        part: PartRow,
        error: PostkitError,
        not_before: datetime,
        *,
        detail: Detail = None,
        also: Gate | None = None,
        at_work_since: datetime | None = None,
    ) -> PartRow:
        """Give a claim back: nothing was sent. ``at_work_since``: the network is at work on it."""
        return self._move(
            part,
            "release",
            error.message,
            detail=detail,
            also=also,
            owner=None,
            lease_until=None,
            **waiting(part, error, not_before, self._clock.now(), at_work_since),
        )

    def send(self, part: PartRow, outgoing: Outgoing, count: Gate | None = None) -> PartRow:
        """Write SENDING with everything the request is made of. Only then the socket.

        Raises Paused or Expired where a gate was shut meanwhile. ``count`` takes the call from
        the network's budget in the same transaction, and raises where there is none left.
        """
        now = self._clock.now()

        def gate(connection: sqlite3.Connection, at: int) -> None:
            not_paused(connection, part)
            not_expired(part, at)
            if count is not None:
                count(connection, at)

        # A repeat keeps the time of the first request: it is the first that may be live.
        first = part.sending_at if part.doubt_at and part.sending_at else now
        return self._move(
            part,
            "send",
            "The request is written down and may leave.",
            gate=gate,
            outgoing=json.dumps(outgoing.to_json()),
            sending_at=micros(first),
            lease_until=self._lease(),
            attempts=part.attempts + 1,
            looks=0,
            error=None,
        )

    def live(
        self,
        part: PartRow,
        event: Event,
        receipt: Receipt,
        reason: str,
        *,
        audit: timedelta | None = None,
        detail: Detail = None,
        also: Gate | None = None,
    ) -> PartRow:
        """It is live; ``audit`` from now it is looked at once more. Raises Taken where that post
        settles another part."""
        now = self._clock.now()
        try:
            return self._move(
                part,
                event,
                reason,
                rest="free",
                detail=detail,
                also=also,
                owner=None,
                lease_until=None,
                audit_at=micros(now + audit) if audit is not None else None,
                held_reason=None,
                receipt=json.dumps(receipt.to_json()),
                remote_id=receipt.id or None,
                url=receipt.url,
                live_at=micros(now),
                **PATIENT,
                question=None,
                error=None,
            )
        except StoreError as error:
            if "part.remote_id" not in error.message:
                raise
            found = self._database.read(
                "SELECT id FROM part WHERE account_id = :account AND remote_id = :remote",
                {"account": part.account_id, "remote": receipt.id},
            )
            name = found[0]["id"] if found else "another post"
            raise Taken(f"The network names the post that is {name} already.") from error

    def failed(
        self,
        part: PartRow,
        event: Event,
        error: PostkitError,
        *,
        detail: Detail = None,
        also: Gate | None = None,
    ) -> PartRow:
        """A definite no. What follows in the thread is held."""
        return self._move(
            part, event, error.message, rest="hold", detail=detail, also=also, owner=None,
            lease_until=None, question=None, error=error_json(error),
        )  # fmt: skip

    def unsent(
        self,
        part: PartRow,
        error: PostkitError,
        not_before: datetime,
        *,
        detail: Detail = None,
        also: Gate | None = None,
    ) -> PartRow:
        """It was not accepted for certain: it may be sent again under the same key."""
        return self._move(
            part,
            "unsent",
            error.message,
            detail=detail,
            also=also,
            owner=None,
            lease_until=None,
            **waiting(part, error, not_before, self._clock.now()),
        )

    def audited(
        self, part: PartRow, reason: str, copies: list[str], next_at: datetime | None
    ) -> PartRow:
        """The network was asked once more how many there are; ``copies`` are links of others."""
        return self._move(
            part,
            "duplicate" if copies else "audit",
            reason,
            bump=True,
            audit_at=micros(next_at) if next_at is not None else None,
            audits=part.audits + 1,
            copies=json.dumps(sorted({*part.copies, *copies})),
        )

    def audit_later(
        self, part: PartRow, reason: str, at: datetime, also: Gate | None = None
    ) -> PartRow:
        """The network could not be asked now."""
        return self._move(part, "audit", reason, bump=True, also=also, audit_at=micros(at))

    def doubt(
        self,
        part: PartRow,
        error: PostkitError,
        *,
        detail: Detail = None,
        also: Gate | None = None,
    ) -> PartRow:
        return self._move(
            part,
            "doubt",
            error.message,
            detail=detail,
            also=also,
            owner=self._owner,
            lease_until=self._lease(),
            doubt_at=micros(self._clock.now()),
            failing_since=None,
            error=error_json(error),
        )

    def looked(
        self,
        part: PartRow,
        reason: str,
        next_at: datetime,
        *,
        detail: Detail = None,
        leave: bool = False,
    ) -> PartRow:
        """Nothing is known yet. With ``leave`` whoever comes first looks next."""
        return self._move(
            part,
            "look",
            reason,
            detail=detail,
            looks=part.looks + 1,
            failures=0,
            not_before=micros(next_at),
            owner=None if leave else self._owner,
            lease_until=None if leave else self._lease(),
        )

    def look_failed(
        self,
        part: PartRow,
        error: PostkitError,
        next_at: datetime,
        *,
        detail: Detail = None,
        also: Gate | None = None,
    ) -> PartRow:
        """The network could not be asked; that is no look."""
        return self._move(
            part,
            "look",
            error.message,
            detail=detail,
            also=also,
            failures=part.failures + 1,
            not_before=micros(next_at),
            lease_until=self._lease(),
        )

    def absent(self, part: PartRow, reason: str) -> PartRow:
        """Nothing is live, or a repeat is harmless: send again, same key, same bytes."""
        return self._move(
            part,
            "absent",
            reason,
            owner=None,
            lease_until=None,
            not_before=micros(self._clock.now()),
        )

    def let_go(self, part: PartRow) -> PartRow:
        """Stop finding out for now, so that another process can go on at once."""
        return self._move(part, "look", "Left to a later look.", owner=None, lease_until=None)

    def ask(self, part: PartRow, question: Mapping[str, Any]) -> PartRow:
        """Nobody but a person can tell. What follows in the thread is held."""
        return self._move(
            part,
            "ask",
            str(question["text"]),
            rest="hold",
            owner=None,
            lease_until=None,
            question=json.dumps(question),
        )

    def expired(self, part: PartRow) -> PartRow:
        """A repeat that waited until its key had died: nothing makes it harmless any more."""
        now = self._clock.now()
        return self._move(
            part,
            "expired",
            "The repeat waited for too long; looking first.",
            bump=True,
            owner=self._owner,
            lease_until=self._lease(),
            doubt_at=micros(now),
            looks=0,
            failing_since=None,
        )

    def take_over(self, part: PartRow) -> PartRow:
        """A dead owner's part: unsent if it was only claimed, in doubt if it was sending."""
        if part.state == "CLAIMED":
            return self._move(
                part, "release", "Its process ended before anything was sent.", bump=True,
                owner=None, lease_until=None,
            )  # fmt: skip
        if part.state == "SENDING":
            return self._move(
                part,
                "doubt",
                "Its process ended while the request was on its way.",
                bump=True,
                owner=self._owner,
                lease_until=self._lease(),
                doubt_at=micros(self._clock.now()),
                failing_since=None,
            )
        return self._move(
            part,
            "look",
            "This process goes on finding out.",
            bump=True,
            owner=self._owner,
            lease_until=self._lease(),
        )

    def settled_by(self, account_id: str, remote_ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids settle a part already: no other part can be settled by them."""
        ids = list(remote_ids)
        marks = ", ".join(f":id{number}" for number in range(len(ids)))
        found = self._database.read(
            f"SELECT remote_id FROM part WHERE account_id = :account{of_tenant(self._tenant)} "  # noqa: S608
            f"AND remote_id IN ({marks})",
            {
                "account": account_id,
                "tenant": self._tenant,
                **{f"id{n}": name for n, name in enumerate(ids)},
            },
        )
        return frozenset(row["remote_id"] for row in found)

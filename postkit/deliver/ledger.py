"""Every change of a part's state: one durable transaction, checked against the table of states.

Each change is a compare-and-set on (state, fence): who lost the claim changes nothing and is
told so by ``Fenced``. Each appends to the account's history, which is chained by hash.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from ..clock import Clock, micros
from ..errors import PostkitError, StoreError
from ..network import Outgoing, Receipt
from ..store import rows
from ..store.database import Database
from ..store.rows import PartRow
from .history import error_json, record
from .journal import PreparedJournal
from .states import TRANSITIONS, Event, PartState

LEASE = timedelta(seconds=120)
"""How long a claim holds without a sign of life: longer than any single request may take."""


class Fenced(PostkitError):
    """Another process has taken this part over; nothing was changed."""


class Taken(StoreError):
    """The remote post settles another part already; nothing was changed."""


class Ledger:
    """Reads and changes parts. ``owner`` names this process in every claim."""

    def __init__(self, database: Database, clock: Clock, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner

    @property
    def owner(self) -> str:
        return self._owner

    def parts(self, delivery_id: str) -> list[PartRow]:
        """All parts of a delivery, in order."""
        found = self._database.read(
            "SELECT * FROM part WHERE delivery_id = :id ORDER BY position", {"id": delivery_id}
        )
        return [rows.part(row) for row in found]

    def claim(self, part: PartRow, key: str) -> PartRow:
        """Take a scheduled part. ``key`` is kept only where the part has none yet."""
        now = self._clock.now()
        return self._move(
            part,
            "claim",
            "This process took the part.",
            bump=True,
            owner=self._owner,
            lease_until=micros(now + LEASE),
            key=part.key or key,
        )

    def journal(self, part: PartRow) -> PreparedJournal:
        return PreparedJournal(self, part)

    def prepared(self, part: PartRow, name: str, values: Mapping[str, Any]) -> None:
        """Keep all that ``prepare`` has so far; ``name`` is what has changed."""
        self._move(
            part,
            "prepared",
            f"Prepared: {name}.",
            prepared=json.dumps(dict(values)),
            lease_until=micros(self._clock.now() + LEASE),
        )

    def renew(self, part: PartRow) -> None:
        """A sign of life: the claim holds for another lease. No change of state, no history."""
        values = {
            "id": part.id,
            "owner": self._owner,
            "fence": part.fence,
            "lease": micros(self._clock.now() + LEASE),
        }
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE part SET lease_until = :lease WHERE id = :id AND owner = :owner "
                "AND fence = :fence AND lease_until < :lease",
                values,
            ).close()
        )

    def release(self, part: PartRow, error: PostkitError, not_before: datetime) -> PartRow:
        """Give a claim back: nothing was sent."""
        return self._move(
            part,
            "release",
            error.message,
            owner=None,
            lease_until=None,
            not_before=micros(not_before),
            error=error_json(error),
        )

    def send(self, part: PartRow, outgoing: Outgoing) -> PartRow:
        """Write SENDING with everything the request is made of. Only then the socket."""
        now = self._clock.now()
        # A repeat keeps the time of the first request: it is the first that may be live.
        first = part.sending_at if part.doubt_at and part.sending_at else now
        return self._move(
            part,
            "send",
            "The request is written down and may leave.",
            outgoing=json.dumps(outgoing.to_json()),
            sending_at=micros(first),
            lease_until=micros(now + LEASE),
            attempts=part.attempts + 1,
            looks=0,
            error=None,
        )

    def live(self, part: PartRow, event: Event, receipt: Receipt, reason: str) -> PartRow:
        """It is live. Raises Taken where that post settles another part."""
        try:
            return self._move(
                part,
                event,
                reason,
                rest="free",
                owner=None,
                lease_until=None,
                receipt=json.dumps(receipt.to_json()),
                remote_id=receipt.id or None,
                url=receipt.url,
                live_at=micros(self._clock.now()),
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

    def failed(self, part: PartRow, event: Event, error: PostkitError) -> PartRow:
        """A definite no. What follows in the thread is held."""
        return self._move(
            part, event, error.message, rest="hold", owner=None, lease_until=None, question=None,
            error=error_json(error),
        )  # fmt: skip

    def unsent(self, part: PartRow, error: PostkitError, not_before: datetime) -> PartRow:
        """It was not accepted for certain: it may be sent again under the same key."""
        return self._move(
            part,
            "unsent",
            error.message,
            owner=None,
            lease_until=None,
            not_before=micros(not_before),
            error=error_json(error),
        )

    def doubt(self, part: PartRow, error: PostkitError) -> PartRow:
        return self._move(
            part,
            "doubt",
            error.message,
            owner=self._owner,
            lease_until=micros(self._clock.now() + LEASE),
            doubt_at=micros(self._clock.now()),
            error=error_json(error),
        )

    def looked(self, part: PartRow, reason: str, next_at: datetime) -> PartRow:
        return self._move(
            part,
            "look",
            reason,
            looks=part.looks + 1,
            not_before=micros(next_at),
            lease_until=micros(self._clock.now() + LEASE),
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

    def resend(self, part: PartRow, reason: str) -> PartRow:
        """A person says that it is not live: a new attempt, with a new key."""
        return self._move(
            part,
            "resend",
            reason,
            rest="free",
            question=None,
            outgoing=None,
            key=None,
            prepared="{}",
            not_before=micros(self._clock.now()),
        )

    def retry(self, part: PartRow) -> PartRow:
        """A person has mended what was refused: a new attempt. What was ever in doubt keeps its
        key and its bytes, so that the network still knows both for one."""
        fresh: dict[str, Any] = (
            {} if part.doubt_at else {"outgoing": None, "key": None, "prepared": "{}"}
        )
        return self._move(
            part,
            "retry",
            "A person asks for another attempt.",
            rest="free",
            error=None,
            not_before=micros(self._clock.now()),
            **fresh,
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
            lease_until=micros(now + LEASE),
            doubt_at=micros(now),
            looks=0,
        )

    def deleted(self, part: PartRow) -> PartRow:
        return self._move(part, "deleted", "Deleted at the network.")

    def cancelled(self, part: PartRow, reason: str) -> PartRow:
        return self._move(part, "cancel", reason, held_reason=None)

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
                lease_until=micros(self._clock.now() + LEASE),
                doubt_at=micros(self._clock.now()),
            )
        return self._move(
            part,
            "look",
            "This process goes on finding out.",
            bump=True,
            owner=self._owner,
            lease_until=micros(self._clock.now() + LEASE),
        )

    def known_remote_ids(self, account_id: str) -> frozenset[str]:
        """Ids that settle a part already: no other part can be settled by them."""
        found = self._database.read(
            "SELECT remote_id FROM part WHERE account_id = :id AND remote_id IS NOT NULL",
            {"id": account_id},
        )
        return frozenset(row["remote_id"] for row in found)

    def _move(
        self,
        part: PartRow,
        event: Event,
        reason: str,
        *,
        bump: bool = False,
        rest: Literal["hold", "free"] | None = None,
        **columns: Any,
    ) -> PartRow:
        try:
            after = TRANSITIONS[part.state, event]
        except KeyError:
            raise Fenced(
                f"{part.id} is {part.state}, so it cannot be changed by {event!r} now."
            ) from None
        fence = part.fence + 1 if bump else part.fence
        sets = ["state = :after", "fence = :fence", *(f"{name} = :{name}" for name in columns)]
        values = {
            **columns,
            "id": part.id,
            "state": part.state,
            "old_fence": part.fence,
            "after": after,
            "fence": fence,
        }
        sql = (
            f"UPDATE part SET {', '.join(sets)} "  # noqa: S608 - names come from this module
            "WHERE id = :id AND state = :state AND fence = :old_fence RETURNING *"
        )
        at = micros(self._clock.now())

        def work(connection: sqlite3.Connection) -> PartRow:
            # All rows are fetched: RETURNING must run to its end before the savepoint is released.
            found = connection.execute(sql, values).fetchall()
            if not found:
                raise Fenced(f"{part.id} was taken over by another process.")
            moved = rows.part(found[0])
            record(connection, moved, at, event, part.state, after, moved.attempts, reason)
            if rest is not None:
                _move_rest(connection, moved, rest, at)
            return moved

        return self._database.write(work)


def _move_rest(
    connection: sqlite3.Connection, part: PartRow, event: Literal["hold", "free"], at: int
) -> None:
    """Hold or free what follows in the thread, in the transaction of the part itself: a crash in
    between would leave parts that nothing frees."""
    before: PartState = "SCHEDULED" if event == "hold" else "HELD"
    after = TRANSITIONS[before, event]
    found = connection.execute(
        "UPDATE part SET state = :after, held_reason = :reason WHERE delivery_id = :delivery "
        "AND position > :position AND state = :before AND coalesce(held_reason, :earlier) = "
        ":earlier RETURNING *",
        {
            "after": after,
            "reason": "earlier_part" if event == "hold" else None,
            "earlier": "earlier_part",
            "delivery": part.delivery_id,
            "position": part.position,
            "before": before,
        },
    ).fetchall()
    reason = "The part before it is not live." if event == "hold" else "It may go on."
    for row in sorted(found, key=lambda row: int(row["position"])):
        moved = rows.part(row)
        record(connection, moved, at, event, before, after, moved.attempts, reason)

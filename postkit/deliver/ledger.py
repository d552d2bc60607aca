"""Every change of a part's state: one durable transaction, checked against the table of states.

Each change is a compare-and-set on (state, fence): who lost the claim changes nothing and is
told so by ``Fenced``. Each appends to the account's history, which is chained by hash.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any

from ..accounts.secret import Redactor
from ..clock import Clock, micros
from ..errors import NetworkError, PostkitError
from ..network import Outgoing, Receipt
from ..store import rows
from ..store.database import Database
from ..store.rows import PartRow
from .states import TRANSITIONS, Event, PartState

LEASE = timedelta(seconds=120)
"""How long a claim holds without a sign of life: longer than any single request may take."""


class Fenced(PostkitError):
    """Another process has taken this part over; nothing was changed."""


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

    def prepared(self, part: PartRow, name: str, value: Any) -> None:
        """Keep one id that ``prepare`` got, before anything else happens."""
        text = json.dumps({name: value})
        self._move(
            part,
            "prepared",
            f"Prepared: {name}.",
            extra_sql="prepared = json_patch(prepared, :patch)",
            extra={"patch": text},
            lease_until=micros(self._clock.now() + LEASE),
        )

    def release(self, part: PartRow, error: NetworkError, not_before: datetime) -> PartRow:
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
        return self._move(
            part,
            event,
            reason,
            owner=None,
            lease_until=None,
            receipt=json.dumps(receipt.to_json()),
            remote_id=receipt.id or None,
            url=receipt.url,
            live_at=micros(self._clock.now()),
            question=None,
            error=None,
        )

    def failed(self, part: PartRow, event: Event, error: PostkitError) -> PartRow:
        """A definite no. What follows in the thread is held."""
        moved = self._move(
            part, event, error.message, owner=None, lease_until=None, question=None,
            error=error_json(error),
        )  # fmt: skip
        self._hold_rest(part)
        return moved

    def unsent(self, part: PartRow, error: NetworkError, not_before: datetime) -> PartRow:
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
        moved = self._move(
            part,
            "ask",
            str(question["text"]),
            owner=None,
            lease_until=None,
            question=json.dumps(question),
        )
        self._hold_rest(part)
        return moved

    def resend(self, part: PartRow, reason: str) -> PartRow:
        """A person says that it is not live: a new attempt, with a new key."""
        moved = self._move(
            part,
            "resend",
            reason,
            question=None,
            outgoing=None,
            key=None,
            prepared="{}",
            attempts=0,
            not_before=micros(self._clock.now()),
        )
        self.free_rest(part)
        return moved

    def free_rest(self, part: PartRow) -> None:
        for later in self.parts(part.delivery_id):
            if later.state == "HELD" and later.held_reason == "earlier_part":
                self._move(later, "free", "The part before it is settled.", held_reason=None)

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

    def _hold_rest(self, part: PartRow) -> None:
        for later in self.parts(part.delivery_id):
            if later.position > part.position and later.state == "SCHEDULED":
                self._move(
                    later, "hold", "The part before it is not live.", held_reason="earlier_part"
                )

    def _move(
        self,
        part: PartRow,
        event: Event,
        reason: str,
        *,
        bump: bool = False,
        extra_sql: str = "",
        extra: Mapping[str, Any] | None = None,
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
        if extra_sql:
            sets.append(extra_sql)
        values = {
            **columns,
            **(extra or {}),
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
            return moved

        return self._database.write(work)


class PreparedJournal(MutableMapping[str, Any]):
    """The ids that ``prepare`` has so far; each assignment is on the disk when it returns."""

    def __init__(self, ledger: Ledger, part: PartRow) -> None:
        self._ledger = ledger
        self._part = part
        self._values = dict(part.prepared)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._ledger.prepared(self._part, name, value)
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self._ledger.prepared(self._part, name, None)
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def record(
    connection: sqlite3.Connection,
    part: PartRow,
    at: int,
    event: str,
    before: PartState | None,
    after: PartState | None,
    attempt: int,
    reason: str,
) -> None:
    """Append one line to the account's history, chained to the line before it."""
    last = connection.execute(
        "SELECT hash FROM history WHERE account_id = :id ORDER BY id DESC LIMIT 1",
        {"id": part.account_id},
    ).fetchone()
    line: dict[str, Any] = {
        "tenant": part.tenant,
        "account_id": part.account_id,
        "delivery_id": part.delivery_id,
        "part_id": part.id,
        "at": at,
        "event": event,
        "before": before,
        "after": after,
        "attempt": attempt,
        "reason": Redactor.redact(reason),
        "previous": last["hash"] if last else "",
    }
    line["hash"] = hashlib.sha256(
        json.dumps(line, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ).hexdigest()
    names = ", ".join(line)
    marks = ", ".join(f":{name}" for name in line)
    connection.execute(f"INSERT INTO history ({names}) VALUES ({marks})", line)  # noqa: S608


def error_json(error: PostkitError) -> str:
    """An error as the report shows it."""
    return json.dumps(
        {
            "kind": error.kind,
            "message": Redactor.redact(error.message),
            "code": getattr(error, "code", None),
            "status": getattr(error, "status", None),
            "request_id": getattr(error, "request_id", None),
        }
    )

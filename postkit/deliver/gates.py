"""What must hold in the very transaction that claims a part or lets its request leave."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from ..clock import micros, moment
from ..errors import InputError, PostkitError
from ..store import rows
from ..store.rows import PartRow

BUSY = """
SELECT * FROM part WHERE account_id = :account AND state IN ('CLAIMED', 'SENDING')
  AND id <> :id LIMIT 1
"""
PAUSED = """
SELECT pause.address, CASE WHEN pause.tenant = delivery.tenant THEN pause.reason ELSE '' END
  AS reason
FROM pause JOIN delivery ON delivery.id = :delivery
WHERE (pause.tenant = delivery.tenant OR (pause.tenant = '' AND pause.account_id IS NULL))
  AND (pause.network IS NULL OR pause.network = delivery.network)
  AND (pause.account_id IS NULL OR pause.account_id = delivery.account_id)
  AND (pause.target IS NULL OR pause.target = delivery.target COLLATE NOCASE)
ORDER BY pause.created_at LIMIT 1
"""
"""A pause of the Kit of all tenants that names no account is everybody's; its reason is not."""
OWN_PAUSE = PAUSED.replace("WHERE", "WHERE delivery.tenant = :tenant AND")
"""For who asks by an id that may be another tenant's."""
IS_PAUSED = PAUSED.replace(":delivery", "part.delivery_id")
"""For the parts of a query."""
HEAD = """
SELECT * FROM part WHERE id = (
  SELECT id FROM part WHERE account_id = :account AND ready_at <= :at AND state <> 'LIVE'
  ORDER BY +due_at, delivery_id, position LIMIT 1)
"""
"""The plus keeps SQLite from walking everything that is scheduled ahead in its order."""


class Paused(PostkitError):
    """A person has paused the address; nothing was sent."""


class Expired(PostkitError):
    """It is too late for this post; nothing was sent."""


class NotYet(PostkitError):
    """It is not this part's turn. ``at`` is when it may be, ``blocker`` the part that the
    account is busy with."""

    def __init__(
        self, message: str, at: datetime | None = None, blocker: PartRow | None = None
    ) -> None:
        super().__init__(message)
        self.at = at
        self.blocker = blocker


class NoneLeft(NotYet):
    """The declared limit of the network is used up until ``at``."""


class Capped(PostkitError):
    """The account has sent as much as its own cap allows; nothing was sent."""


def is_paused(connection: sqlite3.Connection, part: PartRow) -> bool:
    return connection.execute(PAUSED, {"delivery": part.delivery_id}).fetchone() is not None


def not_paused(connection: sqlite3.Connection, part: PartRow) -> None:
    """Raises Paused."""
    found = connection.execute(PAUSED, {"delivery": part.delivery_id}).fetchone()
    if found is not None:
        why = f": {found['reason']}" if found["reason"] else ""
        raise Paused(f"{found['address']} is paused{why}.")


def not_removed(connection: sqlite3.Connection, delivery_id: str) -> None:
    """Raises InputError where the delivery's account was removed: nothing would ever send it."""
    found = connection.execute(
        "SELECT delivery.address FROM delivery JOIN account ON account.id = delivery.account_id "
        "WHERE delivery.id = :id AND account.removed_at IS NOT NULL",
        {"id": delivery_id},
    ).fetchone()
    if found is not None:
        raise InputError(
            f"{delivery_id} ({found['address']}): its account was removed, so nothing would send "
            "it; publish it again."
        )


def not_expired(part: PartRow, at: int) -> None:
    """Raises Expired. What was ever in doubt may be live, and is followed to its end."""
    if part.expires_at is not None and part.doubt_at is None and at > micros(part.expires_at):
        raise Expired(f"It was to be sent before {part.expires_at:%Y-%m-%d %H:%M} UTC or not.")


def its_turn(connection: sqlite3.Connection, part: PartRow, at: int, *, ordered: bool) -> None:
    """One part of an account at a time, none within a network's limit; with ``ordered``, none
    before what was due earlier. Raises NotYet."""
    account = {"account": part.account_id}
    busy = connection.execute(BUSY, {**account, "id": part.id}).fetchone()
    if busy is not None:
        raise NotYet("Its account is busy with another post.", blocker=rows.part(busy))
    resume = connection.execute(
        "SELECT resume_at FROM account WHERE id = :account", account
    ).fetchone()
    if resume is not None and resume["resume_at"] > at:
        raise NotYet("The network's limit is reached.", moment(resume["resume_at"]))
    if ordered:
        head = connection.execute(HEAD, {**account, "at": at}).fetchone()
        if head is not None and head["id"] != part.id:
            raise NotYet("An earlier post is to be sent first.")


def resume_at(account_id: str, at: datetime) -> Callable[[sqlite3.Connection, int], None]:
    """Keep the whole account waiting until then, with the change of the part."""

    def also(connection: sqlite3.Connection, _: int) -> None:
        connection.execute(
            "UPDATE account SET resume_at = max(resume_at, :at) WHERE id = :account",
            {"at": micros(at), "account": account_id},
        )

    return also

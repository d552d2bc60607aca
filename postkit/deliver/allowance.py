"""What the calls of one account cost, by the network's declared rates and its own answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from ..clock import micros, moment
from ..limits.model import Limits
from ..network import Account, RenderedPart
from ..store.budgets import EVERYTHING, Budgets, Holder
from ..store.rows import PartRow
from ..transport import Exchange
from .caps import Caps
from .gates import Capped, NoneLeft, resume_at
from .moves import Gate
from .rates import Action, needed, observed, scopes_of, uploads_of


class Allowance:
    """Gates for the transactions of a part: take, give back, learn, wait; by the network's rates
    and the account's own caps."""

    def __init__(self, account: Account, limits: Limits, caps: Caps) -> None:
        self._caps = caps
        self._scopes = scopes_of(account)
        self._budgets = Budgets(
            account.tenant, common=(self._scopes["app"], self._scopes["address"])
        )
        # Without the network's blocks, which would make a wait look like a cap.
        self._own: dict[Holder, str] = {"account": f"caps:{account.id}"}
        self._rates = limits.rates
        self._account = account

    def preparation(self, row: PartRow, part: RenderedPart) -> Gate:
        """Count the uploads of a part, but for one that has them. Raises NoneLeft, and Capped
        where all of it would be for nothing."""
        uploads = self._take({} if row.prepared else uploads_of(part))

        def gate(connection: sqlite3.Connection, at: int) -> None:
            self._cap(connection, row, at, counting=False)
            uploads(connection, at)

        return gate

    def upload_again(self, part: RenderedPart) -> Gate:
        """Count one upload that was of no use any more, with its alt text. Raises NoneLeft."""
        return self._take({what: min(number, 1) for what, number in uploads_of(part).items()})

    def create(self, row: PartRow) -> Gate:
        """Count one create. Raises NoneLeft, or Capped over the daily cap."""
        call = self._take({"post": 1})

        def gate(connection: sqlite3.Connection, at: int) -> None:
            self._cap(connection, row, at, counting=True)
            call(connection, at)

        return gate

    def _cap(
        self, connection: sqlite3.Connection, row: PartRow, at: int, *, counting: bool
    ) -> None:
        if _is_exempt(row):
            return
        take = self._budgets.take_all if counting else self._budgets.would_wait
        day, rush = self._caps.day(), self._caps.rush()
        if day is not None and take(connection, self._own, [day], at) is not None:
            raise Capped(
                f"{self._account.label} has sent {_posts(day.calls)} in 24 hours, as many as its "
                f"own cap allows: `postkit release {row.delivery_id}` sends this one all the same, "
                "cap_per_day in postkit.toml raises the cap."
            )
        until = take(connection, self._own, [rush], at) if rush is not None else None
        if rush is not None and until is not None:
            raise NoneLeft(
                f"{self._account.label} has sent {_posts(rush.calls)} in {rush.seconds // 60} "
                "minutes, as many as its own cap allows (cap_burst in postkit.toml).",
                moment(until),
            )

    def give_back(self, row: PartRow, *, call: bool) -> Gate:
        """A create that was counted has provably not been accepted; ``call``: nor sent, so that
        it does not count for the network either."""
        needs = needed(self._rates, {"post": 1}) if call else ()
        caps = () if _is_exempt(row) else self._caps.needs()
        taken = micros(row.sending_at) if row.sending_at is not None else None

        def gate(connection: sqlite3.Connection, at: int) -> None:
            if taken is not None:
                self._budgets.refund_all(connection, self._scopes, needs, taken, at)
                self._budgets.refund_all(connection, self._own, caps, taken, at)

        return gate

    def mend_caps(self) -> Gate:
        """Of what a clock that was wrong has left in them: a hold rolls its own mending back."""

        def gate(connection: sqlite3.Connection, at: int) -> None:
            self._budgets.mend(connection, self._own, self._caps.needs(), at)

        return gate

    def wait(self, until: datetime) -> Gate:
        """The whole account waits, so that its posts stay in order."""
        needs = needed(self._rates, {"post": 1, "upload": 1, "alt": 1})
        hold = resume_at(self._account.id, until)

        def gate(connection: sqlite3.Connection, at: int) -> None:
            self._budgets.mend(connection, self._scopes, needs, at)
            self._budgets.mend(connection, self._own, self._caps.needs(), at)
            hold(connection, at)

        return gate

    def learnt(self, exchange: Exchange | None, now: datetime) -> Gate | None:
        """What the headers of a success say of the calls that are left. A refusal has told its
        time already, as the network's plugin understands it."""
        if exchange is None or exchange.status is None or exchange.status >= 400:
            return None
        until = observed(exchange.status, exchange.headers, now).retry_at
        if until is None:
            return None

        def gate(connection: sqlite3.Connection, at: int) -> None:
            scope = self._scopes["account"]
            self._budgets.block(connection, scope, EVERYTHING, micros(until), at)

        return gate

    def _take(self, actions: Mapping[Action, int]) -> Gate:
        needs = needed(self._rates, actions)

        def gate(connection: sqlite3.Connection, at: int) -> None:
            until = self._budgets.take_all(connection, self._scopes, needs, at)
            if until is not None:
                raise NoneLeft("The network's declared limit is used up.", moment(until))

        return gate


def _is_exempt(row: PartRow) -> bool:
    """A repeat of what may have left is no further post, and a person's word goes first."""
    return row.uncapped or row.doubt_at is not None


def _posts(number: int) -> str:
    return "1 post" if number == 1 else f"{number:,} posts"


def both(one: Gate, other: Gate) -> Gate:
    """Both in one transaction."""

    def gate(connection: sqlite3.Connection, at: int) -> None:
        one(connection, at)
        other(connection, at)

    return gate

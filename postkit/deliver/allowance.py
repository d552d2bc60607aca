"""What the calls of one account cost, by the network's declared rates and its own answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from ..clock import micros, moment
from ..limits.model import Limits
from ..network import Account, RenderedPart
from ..store.budgets import EVERYTHING, Budgets
from ..transport import Exchange
from .gates import NoneLeft, resume_at
from .moves import Gate
from .rates import Action, needed, observed, scopes_of, uploads_of


class Allowance:
    """Gates for the transactions of a part: take, give back, learn, wait."""

    def __init__(self, account: Account, limits: Limits) -> None:
        self._scopes = scopes_of(account)
        self._budgets = Budgets(
            account.tenant, common=(self._scopes["app"], self._scopes["address"])
        )
        self._rates = limits.rates
        self._account = account

    def preparation(self, part: RenderedPart, *, is_prepared: bool) -> Gate:
        """Count the uploads of a part, but for one that has them. Raises NoneLeft."""
        return self._take({} if is_prepared else uploads_of(part))

    def upload_again(self, part: RenderedPart) -> Gate:
        """Count one upload that was of no use any more, with its alt text. Raises NoneLeft."""
        return self._take({what: min(number, 1) for what, number in uploads_of(part).items()})

    def create(self) -> Gate:
        """Count one create. Raises NoneLeft."""
        return self._take({"post": 1})

    def give_back(self, taken_at: datetime) -> Gate:
        """A create that was counted at ``taken_at`` has provably not been sent."""
        needs = needed(self._rates, {"post": 1})
        taken = micros(taken_at)

        def gate(connection: sqlite3.Connection, at: int) -> None:
            self._budgets.refund_all(connection, self._scopes, needs, taken, at)

        return gate

    def wait(self, until: datetime) -> Gate:
        """The whole account waits, so that its posts stay in order."""
        needs = needed(self._rates, {"post": 1, "upload": 1, "alt": 1})
        hold = resume_at(self._account.id, until)

        def gate(connection: sqlite3.Connection, at: int) -> None:
            self._budgets.mend(connection, self._scopes, needs, at)
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


def both(one: Gate, other: Gate) -> Gate:
    """Both in one transaction."""

    def gate(connection: sqlite3.Connection, at: int) -> None:
        one(connection, at)
        other(connection, at)

    return gate

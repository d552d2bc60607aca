"""What is decided about a part that is not on its way: held, missed, put off, sent anew."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from ..clock import micros
from ..errors import PostkitError
from ..store.rows import PartRow
from .failures import PATIENT, waiting
from .gates import is_paused
from .moves import Fenced, Gate, Moves


class Decisions(Moves):
    """Changes that need no claim."""

    def hold(
        self, part: PartRow, held_reason: str, why: str, *, also: Gate | None = None
    ) -> PartRow:
        """Keep it for a person; what follows in the thread waits behind it. Raises Fenced where
        the pause has ended meanwhile: nobody would be told of what it holds now."""

        def gate(connection: sqlite3.Connection, _: int) -> None:
            if held_reason == "paused" and not is_paused(connection, part):
                raise Fenced("The pause has ended meanwhile.")

        return self._move(
            part, "hold", why, gate=gate, also=also, owner=None, lease_until=None,
            held_reason=held_reason,
        )  # fmt: skip

    def missed(self, part: PartRow, why: str) -> PartRow:
        """Too late to be sent. What follows in the thread is held."""
        return self._move(part, "miss", why, rest="hold", owner=None, lease_until=None)

    def put_off(
        self, part: PartRow, error: PostkitError, not_before: datetime, *, also: Gate | None = None
    ) -> PartRow:
        """Nobody can send it before then."""
        return self._move(
            part,
            "put_off",
            error.message,
            also=also,
            **waiting(part, error, not_before, self._clock.now()),
        )

    def shift(self, part: PartRow, at: datetime, why: str) -> PartRow:
        """The zone's rules have changed: the wall time that was meant is another instant."""
        freshness = part.expires_at - part.due_at if part.expires_at is not None else None

        def also(connection: sqlite3.Connection, _: int) -> None:
            connection.execute(
                "UPDATE part SET due_at = :at, not_before = :at WHERE delivery_id = :delivery "
                "AND position > :position AND state = 'SCHEDULED'",
                {"at": micros(at), "delivery": part.delivery_id, "position": part.position},
            )

        return self._move(
            part,
            "shift",
            why,
            bump=True,
            also=also,
            due_at=micros(at),
            not_before=micros(at),
            expires_at=micros(at + freshness) if freshness is not None else None,
        )

    def resend(self, part: PartRow, reason: str) -> PartRow:
        """A person says that it is not live: a new attempt, with a new key. The request of before
        stays until there is another one: it may have to be looked for once more."""
        return self._move(
            part,
            "resend",
            reason,
            rest="free",
            question=None,
            key=None,
            prepared="{}",
            **PATIENT,
            not_before=micros(self._clock.now()),
            expires_at=None,
        )

    def retry(self, part: PartRow) -> PartRow:
        """A person has mended what was refused: a new attempt. What was ever in doubt keeps its
        key and its bytes, so that the network still knows both for one."""
        if part.doubt_at is not None and part.outgoing is not None:
            # It was given up before anybody knew: nothing is sent before a look.
            return self._move(
                part, "reopen", "A person asks for another attempt; looking first.", bump=True,
                rest="free", looks=0, error=None, not_before=micros(self._clock.now()), **PATIENT,
            )  # fmt: skip
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
            expires_at=None,
            **PATIENT,
            **fresh,
        )

    def deleted(self, part: PartRow) -> PartRow:
        return self._move(part, "deleted", "Deleted at the network.")

    def cancelled(self, part: PartRow, reason: str) -> PartRow:
        return self._move(part, "cancel", reason, held_reason=None, owner=None, lease_until=None)

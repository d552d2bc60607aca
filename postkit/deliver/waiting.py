"""What a part waits for: a network's limit, a network that is away, a login, a pause's end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ..errors import (
    NeedsLogin,
    NetworkError,
    PostkitError,
    Throttled,
    Unavailable,
    VaultError,
)
from ..network import CanRefresh
from ..store.rows import PartRow
from .allowance import both
from .clients import Connection
from .gates import Expired, NoneLeft, Paused, resume_at
from .steps import Run, Steps

ORDER_KEPT = timedelta(seconds=30)
"""For so long a network that cannot be reached keeps all posts of an account waiting."""


class Waiting(Steps):
    """Gives a part back with the time at which it is tried again; each returns whether this run
    goes on with it."""

    def _give_back(self, run: Run, part: PartRow, error: PostkitError) -> bool:
        """Nothing was sent, and nothing of the post is wrong; not at once again, but where a
        person has stopped us."""
        is_stopped = self._stopping.is_set()
        again = self._clock.now() if is_stopped else self._next_try(part, None)
        self._ledger.release(part, error, again)
        self._tell(run, part, "waiting", error.message)
        return False

    def _put_off(
        self,
        run: Run,
        part: PartRow,
        error: NetworkError,
        change: Callable[..., PartRow],
        *,
        of_create: bool = False,
    ) -> bool:
        again = self._next_try(part, error.retry_at)
        # A limit is the account's; a network that is away keeps its other posts for a moment,
        # so that they stay in order, but not for as long as one part cannot be prepared.
        now = self._clock.now()
        held = again if isinstance(error, Throttled) else min(again, now + ORDER_KEPT)
        detail = self._answer(run, of_create=of_create)
        also = resume_at(part.account_id, held)
        if of_create and isinstance(error, Unavailable) and part.sending_at is not None:
            # It was counted, and provably not sent.
            also = both(also, self._allowance(run).give_back(part.sending_at))
        change(part, error, again, detail=detail, also=also)
        self._tell(run, part, "waiting", error.message)
        return again <= run.deadline

    def _needs_login(
        self,
        run: Run,
        part: PartRow,
        error: NeedsLogin,
        change: Callable[..., PartRow],
        connection: Connection | None = None,
    ) -> bool:
        detail = self._answer(run, of_create=connection is not None)
        part = change(part, error, self._clock.now(), detail=detail)
        if self._is_replaced(run, error):
            self._drop(run)
            return True
        can_refresh = connection is not None and isinstance(connection.network, CanRefresh)
        if connection is not None and can_refresh and not run.renewed:
            try:
                # What another process had left may have ended too: then it is our turn to ask.
                run.renewed = connection.renew()
            except (Unavailable, Throttled) as away:
                # Out of reach is not out of access: the account keeps its state.
                again = self._next_try(part, away.retry_at)
                self._ledger.put_off(part, away, again)
                self._tell(run, part, "waiting", away.message)
                return self._pause(run, again)
            except VaultError as shut:
                # The key or the disk of this machine: no access was lost by it.
                self._ledger.put_off(part, shut, self._next_try(part, None))
                self._tell(run, part, "waiting", shut.message)
                return False
            except NeedsLogin as still:
                error = still
                run.renewed = True
                part = self._ledger.put_off(part, error, self._clock.now())
            else:
                return True
        if not self._disconnect(run, error):
            return True
        self._tell(run, part, "waiting", error.message)
        return False

    def _wait_for_calls(
        self, run: Run, part: PartRow, none: NoneLeft, change: Callable[..., PartRow]
    ) -> bool:
        until = none.at or self._clock.now()
        change(part, none, until, also=self._allowance(run).wait(until))
        self._tell(run, part, "waiting", none.message)
        return self._pause(run, until)

    def _shut(self, run: Run, part: PartRow, shut: Paused | Expired) -> bool:
        if isinstance(shut, Paused):
            self._ledger.hold(part, "paused", shut.message)
            self._tell(run, part, "held", shut.message)
        else:
            self._ledger.missed(part, shut.message)
            self._tell(run, part, "missed", shut.message)
        return False

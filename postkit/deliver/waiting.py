"""What a part waits for: a network's limit, a network that is away, a login, a pause's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

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
from .failures import failing_since, is_over
from .gates import Capped, Expired, NoneLeft, Paused, resume_at
from .steps import Run, Steps

ORDER_KEPT = timedelta(seconds=30)
"""For so long a network that cannot be reached keeps all posts of an account waiting."""
LOOKS = 8
"""A network that is at work on an upload is left alone for this part of the time that it has
taken so far, or for longer where it says so: an hour has some 40 looks, a day some 70."""


class Waiting(Steps):
    """Gives a part back with the time at which it is tried again; each returns whether this run
    goes on with it."""

    def _give_back(self, run: Run, part: PartRow, error: PostkitError) -> bool:
        """Nothing was sent, and nothing of the post is wrong; not at once again, but where a
        person has stopped us."""
        is_stopped = self._stopping.is_set()
        again = self._clock.now() if is_stopped else self._next_try(part, None)
        part = self._ledger.release(part, error, again)
        self._tell(run, part, "waiting", error.message)
        self._lose_patience(run, part, error)
        return False

    def _lose_patience(self, run: Run, part: PartRow, error: PostkitError) -> bool:
        """After a day of nothing but failures a person has to see it: held, or asked about where
        an earlier request may have made it live. Whether it came to that."""
        if not is_over(part, self._clock.now()):
            return False
        said = error.message.rstrip(".")
        if part.doubt_at is not None:
            reason = f"For a day it could not be sent again: {said}."
            self._ask(run, self._ledger.expired(part), reason)
            return True
        why = (
            f"For a day nothing of it could be sent: {said}. `postkit release {run.delivery.id}` "
            "tries it again."
        )
        self._tell(run, self._ledger.hold(part, "cannot_be_sent", why), "held", why)
        return True

    def _at_work(self, run: Run, part: PartRow, error: Unavailable, began: datetime) -> bool:
        """The network is at work on what was uploaded: that is no failure, and other posts of the
        account go first once it has taken ORDER_KEPT in all. ``began``: when this look did."""
        now = self._clock.now()
        since = failing_since(part, error, began) or began
        named = self._next_try(replace(part, failures=0), error.retry_at)
        again = max(named, now + (now - since) / LOOKS)
        held = min(again, since + ORDER_KEPT)
        part = self._ledger.release(
            part,
            error,
            again,
            detail=self._answer(run),
            also=resume_at(part.account_id, held),
            at_work_since=since,
        )
        self._tell(run, part, "waiting", error.message)
        return not self._lose_patience(run, part, error) and again <= run.deadline

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
        if of_create:
            # It was counted, and provably not accepted; what was throttled was a call all the same.
            unsent = isinstance(error, Unavailable)
            also = both(also, self._allowance(run).give_back(part, call=unsent))
        part = change(part, error, again, detail=detail, also=also)
        self._tell(run, part, "waiting", error.message)
        return not self._lose_patience(run, part, error) and again <= run.deadline

    def _needs_login(
        self,
        run: Run,
        part: PartRow,
        error: NeedsLogin,
        change: Callable[..., PartRow],
        connection: Connection | None = None,
    ) -> bool:
        detail = self._answer(run, of_create=connection is not None)
        also = None
        if connection is not None:
            also = self._allowance(run).give_back(part, call=False)
        part = change(part, error, self._clock.now(), detail=detail, also=also)
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
                part = self._ledger.put_off(part, away, again)
                self._tell(run, part, "waiting", away.message)
                return not self._lose_patience(run, part, away) and self._pause(run, again)
            except VaultError as shut:
                # The key or the disk of this machine: no access was lost by it.
                part = self._ledger.put_off(part, shut, self._next_try(part, None))
                self._tell(run, part, "waiting", shut.message)
                self._lose_patience(run, part, shut)
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

    def _shut(self, run: Run, part: PartRow, shut: Paused | Expired | Capped) -> bool:
        if isinstance(shut, Paused):
            self._ledger.hold(part, "paused", shut.message)
            self._tell(run, part, "held", shut.message)
        elif isinstance(shut, Capped):
            mended = self._allowance(run).mend_caps()
            self._ledger.hold(part, "cap", shut.message, also=mended)
            self._tell(run, part, "held", shut.message)
        else:
            self._ledger.missed(part, shut.message)
            self._tell(run, part, "missed", shut.message)
        return False

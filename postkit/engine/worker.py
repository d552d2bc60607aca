"""Sends what is due: a thread for each account that has something to do, and rest in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

from ..clock import Clock
from ..deliver.agenda import Agenda
from ..deliver.courier import Courier
from ..deliver.failures import PATIENCE
from ..deliver.ledger import Fenced, Ledger
from ..deliver.outbox import Outbox
from ..deliver.rules import ZoneRules
from ..deliver.steps import Progress, Watch
from ..errors import PostkitError, StoreError
from ..logs import logger
from ..store.publications import PublicationRows
from ..store.rows import DeliveryRow, PartRow

log = logger("worker")

THREADS = 16
POLL = 0.2
"""Seconds: how soon the worker sees what another process has scheduled for now."""
CHORES = 10.0
TOLD = 2.0
"""Seconds that a worker waits for observers at its end; what is left is told later."""
AGAIN = 0.25
"""An account that another process is busy with is looked at again after this time."""
AFTER_FAILURE = 60.0
SET_BACK = timedelta(hours=1)
"""A clock that goes back by more was wrong before."""
TOO_LATE = "Nothing could send it in time."
LONGEST_REST = 30.0
"""Seconds between two tries at a store that refuses."""


class Worker:
    """One process that sends what is due, until it is stopped. The store is the truth: a worker
    that is killed leaves nothing that another one does not find."""

    def __init__(
        self,
        courier: Courier,
        ledger: Ledger,
        agenda: Agenda,
        publications: PublicationRows,
        rules: ZoneRules,
        outbox: Outbox,
        clock: Clock,
        *,
        threads: int = THREADS,
        watch: Watch | None = None,
        sweep: Callable[[], object] | None = None,
        renewals: Callable[[], object] | None = None,
    ) -> None:
        self._aside = {"media": sweep, "access": renewals}
        self._under_way: set[str] = set()
        self._courier = courier
        self._ledger = ledger
        self._agenda = agenda
        self._publications = publications
        self._rules = rules
        self._outbox = outbox
        self._clock = clock
        self._threads = threads
        self._watch = watch
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._busy: set[str] = set()
        self._later: dict[str, float] = {}
        self._failure: StoreError | None = None
        self._began: datetime | None = None

    def stop(self) -> None:
        """Begin nothing more; what is on its way still gets its answer."""
        self._stopping.set()
        self._courier.stop()
        with self._changed:
            self._changed.notify_all()

    def run(self, *, drain: bool = False, wait: float = 30.0) -> None:
        """Work until ``stop``; with ``drain`` until nothing is due, nor will be due again within
        ``wait`` seconds (a look at what is in doubt, a network's short limit).

        Raises StoreError with ``drain`` where the store refuses; without, it rests and tries
        again.
        """
        started = self._clock.now()
        # Spans by the monotonic clock: the other one may be set back.
        end = self._clock.monotonic() + wait
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="postkit-worker")
        rest = POLL
        chores = self._clock.monotonic()
        try:
            while not self._stopping.is_set():
                try:
                    if self._clock.monotonic() >= chores:
                        self._do_chores(started, pool)
                        chores = self._clock.monotonic() + CHORES
                    begun = self._begin(pool)
                    if drain and not begun and self._is_drained(end):
                        return
                    self._raise_failure()
                    self._rest()
                    if rest > POLL:
                        log.warning("The store can be used again.")
                    rest = POLL
                except StoreError as error:
                    if drain:
                        raise
                    # Said once: who refuses for an hour would else fill a log.
                    if rest == POLL:
                        why = error.message.rstrip(".")
                        log.error("%s. It is tried again until it works.", why)
                    self._stopping.wait(rest)
                    rest = min(rest * 2, LONGEST_REST)
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            # An observer may hang: it is waited for, but not for ever.
            self._outbox.tell(TOLD)
            try:
                self._agenda.leave()
            except StoreError as error:
                log.warning("%s", error.message)
        self._raise_failure()

    def turn(self, account_id: str) -> None:
        """Everything that one account has to do now, in order."""
        part = self._agenda.head(account_id)
        while part is not None and not self._stopping.is_set():
            delivery = self._publications.delivery(part.delivery_id)
            if part.state == "LIVE":
                try:
                    self._courier.audit(delivery, part)
                    self._tell_copies(delivery, part)
                except Fenced as fenced:
                    log.info("%s: %s", part.id, fenced.message)
                    return
                part = self._agenda.head(account_id)
                continue
            self._courier.run(delivery, self._clock.now(), self._watch, ordered=True)
            now = self._agenda.head(account_id)
            if now is not None and (now.id, now.state, now.fence, now.ready_at) == (
                part.id, part.state, part.fence, part.ready_at,
            ):  # fmt: skip
                # Another process is at this account: come back in a moment.
                self._put_off(account_id, AGAIN)
                return
            part = now

    # Inside

    def _begin(self, pool: ThreadPoolExecutor) -> bool:
        now = self._clock.monotonic()
        with self._changed:
            self._later = {name: at for name, at in self._later.items() if at > now}
        begun = False
        for ready in self._agenda.ready(self._threads * 4 + len(self._later)):
            name = ready.account_id
            with self._changed:
                if name in self._busy or name in self._later or len(self._busy) >= self._threads:
                    continue
                self._busy.add(name)
            pool.submit(self._run, name, self.turn)
            begun = True
        return begun

    def _run(self, name: str, work: Callable[[str], object]) -> None:
        try:
            work(name)
        except StoreError as error:
            self._failure = error
        except PostkitError as error:
            log.error("%s: %s", name, error.message)
            self._put_off(name, AFTER_FAILURE)
        except Exception:
            log.exception("%s: a defect of postkit", name)
            self._put_off(name, AFTER_FAILURE)
        finally:
            with self._changed:
                self._busy.discard(name)
                self._changed.notify_all()

    def _put_off(self, name: str, seconds: float) -> None:
        with self._changed:
            self._later[name] = self._clock.monotonic() + seconds

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _is_drained(self, end: float) -> bool:
        """Nothing is due before ``end``; after it, what still is cannot be sent now."""
        with self._changed:
            if self._busy:
                return False
        left = end - self._clock.monotonic()
        if left <= 0:
            return True
        next_at = self._agenda.next_at()
        return next_at is None or next_at > self._clock.now() + timedelta(seconds=left)

    def _rest(self) -> None:
        """Until the next account is ready, a thread has ended, or it is time to look again."""
        with self._changed:
            idle = not self._busy
            later = list(self._later)
        next_at = self._agenda.next_at(later)
        now = self._clock.now()
        seconds = POLL if next_at is None else (next_at - now).total_seconds()
        seconds = min(max(seconds, 0.001 if idle else 0.02), POLL)
        if idle:
            self._clock.sleep(seconds)
            return
        with self._changed:
            self._changed.wait(seconds)

    def _do_chores(self, started: datetime, pool: ThreadPoolExecutor) -> None:
        self._agenda.beat(started)
        self._agenda.mend()
        self._wake()
        self._agenda.free_the_dead()
        self._rules.apply()
        for part in self._agenda.stale():
            try:
                self._ledger.missed(part, TOO_LATE)
                self._tell_missed(part)
            except Fenced as fenced:
                log.info("%s: %s", part.id, fenced.message)
        for name in self._agenda.old_doubts(PATIENCE):
            with self._changed:
                if name in self._busy or name in self._later:
                    continue
                self._busy.add(name)
            pool.submit(self._run, name, self._ask)
        self._outbox.start()
        for name, chore in self._aside.items():
            # One of them may take longer than a round of chores, as where a network is slow.
            if chore is not None and name not in self._under_way:
                self._under_way.add(name)
                pool.submit(self._run, name, partial(self._do_aside, chore))

    def _do_aside(self, chore: Callable[[], object], name: str) -> None:
        try:
            chore()
        finally:
            self._under_way.discard(name)

    def _wake(self) -> None:
        """What a wrong clock has put to sleep, where the clock was set back since the last time;
        also at the first one, since nobody knows. A store that refuses is asked again."""
        # When the monotonic clock began, by the wall clock: it moves where that one is set.
        began = self._clock.now() - timedelta(seconds=self._clock.monotonic())
        if self._began is None or began < self._began - SET_BACK:
            self._agenda.wake()
        self._began = began

    def _ask(self, delivery_id: str) -> None:
        """Of an account that nothing is sent for, say because it needs a login."""
        self._courier.run(self._publications.delivery(delivery_id), self._clock.now(), self._watch)
        self._put_off(delivery_id, AFTER_FAILURE)

    def _tell_missed(self, part: PartRow) -> None:
        delivery = self._publications.delivery(part.delivery_id)
        self._tell_of(delivery, part, 0, "missed", TOO_LATE)

    def _tell_copies(self, delivery: DeliveryRow, before: PartRow) -> None:
        """What a late look has found that none before it had."""
        if self._watch is None:
            return
        parts = self._ledger.parts(delivery.id)
        after = next(part for part in parts if part.id == before.id)
        links = [link for link in after.copies if link not in before.copies]
        if links:
            self._tell_of(delivery, after, len(parts), "copy", ", ".join(links))

    def _tell_of(
        self, delivery: DeliveryRow, part: PartRow, parts: int, state: str, text: str
    ) -> None:
        if self._watch is None:
            return
        progress = Progress(
            delivery.id, delivery.address, part.position, parts, state, text, delivery.tenant
        )
        try:
            self._watch(progress)
        except Exception as error:  # noqa: BLE001 - who only watches must not end the work
            log.warning("%s: the watcher failed (%s)", progress.delivery_id, type(error).__name__)

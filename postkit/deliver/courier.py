"""Takes one delivery as far as it goes: part by part, from scheduled to live or to a question."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from ..errors import (
    Duplicate,
    InDoubt,
    InputError,
    NeedsLogin,
    NetworkError,
    PluginError,
    PostkitError,
    Refused,
    StoreBusy,
    StoreError,
    Throttled,
    Unavailable,
    VaultError,
)
from ..logs import logger
from ..network import Outgoing, Receipt, RenderedPart
from ..store.media import MediumBusy
from ..store.rows import DeliveryRow, PartRow
from ..walltime import resolve
from . import ledger
from .attempt import create
from .audit import Audit
from .clients import Connection
from .doubt import KEPT
from .failures import PATIENCE
from .gates import Capped, Expired, NoneLeft, NotYet, Paused
from .ledger import Fenced, Taken
from .states import TRANSITIONS
from .steps import Run, Watch

log = logger("deliver")

_busy: set[tuple[str, str]] = set()
"""Owner and delivery that a thread works at: the threads of a process share one owner's name."""
_busy_guard = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_busy.clear)


class Courier(Audit):
    """Runs deliveries. One instance serves all threads."""

    def run(
        self,
        delivery: DeliveryRow,
        deadline: datetime,
        watch: Watch | None = None,
        *,
        ordered: bool = False,
    ) -> None:
        """Work until every part is settled, a person is needed, or ``deadline`` has come.

        Idempotent: what is live is never sent again, and what another process holds is left
        to it. ``ordered``: what is due earlier on the account goes first. Raises StoreError where
        a step could not be written down.
        """
        account = self._accounts.by_id(delivery.account_id)
        left = (deadline - self._clock.now()).total_seconds()
        run = Run(delivery, account, deadline, self._clock.monotonic() + left, watch, ordered)
        if not self._enter(run):
            return
        try:
            self._go(run)
        finally:
            with _busy_guard:
                _busy.discard(self._busy_as(delivery.id))
            if run.connection is not None:
                self._clients.give(run.connection)

    def _enter(self, run: Run) -> bool:
        """Wait until no other thread of this process works at the delivery."""
        while True:
            with _busy_guard:
                if self._busy_as(run.delivery.id) not in _busy:
                    _busy.add(self._busy_as(run.delivery.id))
                    return True
            if not self._pause(run, self._clock.now() + timedelta(milliseconds=50)):
                return False

    def _busy_as(self, delivery_id: str) -> tuple[str, str]:
        return self._ledger.owner, delivery_id

    def _go(self, run: Run) -> None:
        while not self._stopping.is_set():
            parts = self._ledger.parts(run.delivery.id)
            part = next((p for p in parts if p.state != "LIVE"), None)
            run.parts = len(parts)
            if part is None:
                return
            try:
                if not self._step(run, part, parts):
                    return
            except Fenced as fenced:
                log.info("%s: %s", part.id, fenced.message)
                if not self._pause(run, self._clock.now() + timedelta(milliseconds=50)):
                    return
            except StoreError:
                raise
            except Exception as error:
                if not (run.ordered and self._set_aside(run, part, error)):
                    raise
                return

    def _set_aside(self, run: Run, part: PartRow, error: Exception) -> bool:
        """What breaks before anything can be asked must not keep the account waiting."""
        part = self._ledger.parts(run.delivery.id)[part.position - 1]
        if not isinstance(error, PostkitError):
            log.error("%s: a defect of postkit or of a plugin", part.id, exc_info=error)
            error = PluginError(f"It cannot be read ({type(error).__name__}).")
        again = self._next_try(part, None)
        if part.state == "SCHEDULED":
            self._lose_patience(run, self._ledger.put_off(part, error, again), error)
        elif part.state == "CLAIMED" and part.owner == self._ledger.owner:
            self._lose_patience(run, self._ledger.release(part, error, again), error)
        elif part.state == "IN_DOUBT":
            if part.doubt_at is not None and self._clock.now() >= part.doubt_at + PATIENCE:
                self._ask(run, part, f"It cannot be looked up: {error.message}")
            else:
                self._ledger.let_go(self._ledger.look_failed(part, error, again))
        else:
            return False
        return True

    def _step(self, run: Run, part: PartRow, parts: list[PartRow]) -> bool:
        """One step of the part. False: nothing more to do in this run."""
        if part.state == "SCHEDULED":
            if part.not_before > self._clock.now():
                return self._pause(run, part.not_before)
            if self._comes_later(run, part):
                return True
            return self._send(run, part, parts)
        if part.state in ("CLAIMED", "SENDING", "IN_DOUBT"):
            if part.state == "IN_DOUBT" and part.owner == self._ledger.owner:
                return self._find_out(run, part, parts)
            if self._is_free(run, part):
                self._ledger.take_over(part)
                return True
            return self._pause(run, self._clock.now() + timedelta(milliseconds=200))
        return False

    def _is_free(self, run: Run, part: PartRow) -> bool:
        if part.owner == self._ledger.owner:
            # Our own name on it, and no thread of ours at it: a thread that broke off.
            with _busy_guard:
                return (
                    part.delivery_id == run.delivery.id
                    or self._busy_as(part.delivery_id) not in _busy
                )
        if part.owner is None or self._is_dead(part.owner):
            return True
        return part.lease_until is None or part.lease_until < self._clock.now()

    # From scheduled to the answer

    def _send(self, run: Run, part: PartRow, parts: list[PartRow]) -> bool:
        if self._came_late(run, part):
            return True
        rendered = RenderedPart.from_json(part.rendition, self._media)
        network = self._clients.network(run.account)
        if self._key_has_died(run, part, rendered):
            self._ledger.expired(part)
            return True
        allowance = self._allowance(run)
        try:
            part = self._ledger.claim(
                part,
                network.new_key(rendered),
                ordered=run.ordered,
                count=allowance.preparation(part, rendered),
            )
        except NoneLeft as none:
            return self._wait_for_calls(run, part, none, self._ledger.put_off)
        except NotYet as wait:
            return self._wait_for_turn(run, part, wait)
        except (Paused, Expired, Capped) as shut:
            return self._shut(run, part, shut)
        self._tell(run, part, "preparing" if rendered.media else "sending")
        try:
            connection = self._connection(run)
            # Before anything is uploaded, and not within the time in which a claim is quiet.
            with self._heartbeat.over(part):
                self._prove(run, connection)
        except (Unavailable, Throttled) as error:
            return self._put_off(run, part, error, self._ledger.release)
        except NeedsLogin as error:
            return self._needs_login(run, part, error, self._ledger.release)
        except (VaultError, InputError) as error:
            # The key or the configuration, not the post: nothing that is settled by it.
            return self._give_back(run, part, error)
        except StoreError:
            raise
        except PostkitError as error:
            return self._refused(run, part, error)
        began = self._clock.now()
        try:
            journal = self._ledger.journal(part, allowance.upload_again(rendered))
            with self._heartbeat.over(part):
                # Before a repeat too: what was uploaded may have been dropped meanwhile.
                connection.ask(
                    lambda: connection.network.prepare(connection.client, rendered, journal)
                )
                # It may have taken over access that another process had renewed.
                self._prove(run, connection)
            if part.outgoing is not None and _is_repeat(part):
                outgoing = Outgoing.from_json(part.outgoing, self._media)
            else:
                outgoing = self._outgoing(run, part, parts, rendered, journal)
        except NoneLeft as none:
            return self._wait_for_calls(run, part, none, self._ledger.release)
        except (Unavailable, Throttled) as error:
            if _is_at_work(error):
                return self._at_work(run, part, error, began)
            return self._put_off(run, part, error, self._ledger.release)
        except NeedsLogin as error:
            return self._needs_login(run, part, error, self._ledger.release)
        except (VaultError, MediumBusy) as error:
            return self._give_back(run, part, error)
        except (StoreBusy, Fenced):
            raise
        except PostkitError as error:
            return self._refused(run, part, error)
        if self._stopping.is_set():
            return self._give_back(run, part, Unavailable("Stopped before anything was sent."))
        # By the socket's clock, which is not injected.
        send_by = time.monotonic() + _sendable()
        try:
            part = self._ledger.send(part, outgoing, allowance.create(part))
        except NoneLeft as none:
            return self._wait_for_calls(run, part, none, self._ledger.release)
        except (Paused, Expired, Capped) as shut:
            return self._shut(run, part, shut)
        self._tell(run, part, "sending")
        return self._create(run, part, connection, outgoing, send_by)

    def _came_late(self, run: Run, part: PartRow) -> bool:
        """Whether the answer to an earlier request has come after all, while the store refused or
        the part was another's; before the claim, so that a pause does not hold what is live."""
        receipt = self._spool.get(part.id, part.attempts) if part.doubt_at is not None else None
        if receipt is None:
            return False
        try:
            self._ledger.live(part, "found", receipt, KEPT, audit=self._audit(run))
        except Taken:
            self._ledger.expired(part)  # in doubt it becomes a question
        else:
            self._tell(run, part, "live", receipt.url or receipt.id)
        return True

    def _refused(self, run: Run, part: PartRow, error: PostkitError) -> bool:
        """It cannot be sent at all. What was in doubt once may still be live: look again."""
        if part.doubt_at is not None:
            self._ledger.doubt(part, error)
            self._tell(run, part, "checking", error.message)
            return True
        self._ledger.failed(part, "refuse", error)
        self._tell(run, part, "failed", error.message)
        return False

    def _comes_later(self, run: Run, part: PartRow) -> bool:
        """Whether the zone's rules have changed so that the wall time meant is still to come."""
        local, zone = run.delivery.local, run.delivery.zone
        if part.position > 1 or part.attempts or local is None or zone is None:
            return False
        if part.due_at != part.not_before:
            return False  # put off since: its time has come once
        try:
            at = resolve(local, zone, strict=False)
        except InputError as error:
            log.warning("%s is due by the rules of before: %s", part.id, error.message)
            return False
        if at <= self._clock.now():
            return False
        self._ledger.shift(part, at, f"The rules of {zone} have changed; it is due later.")
        return True

    def _wait_for_turn(self, run: Run, part: PartRow, wait: NotYet) -> bool:
        blocker = wait.blocker
        if blocker is not None and self._is_free(run, blocker):
            taken = self._ledger.take_over(blocker)
            if taken.state == "IN_DOUBT":
                self._ledger.let_go(taken)
            return True
        if run.ordered and blocker is None:
            return False
        self._tell(run, part, "waiting", wait.message)
        return self._pause(run, wait.at or self._clock.now() + timedelta(milliseconds=50))

    def _key_has_died(self, run: Run, part: PartRow, rendered: RenderedPart) -> bool:
        """Whether this would be a repeat that only its key makes harmless, and that is too old."""
        if part.outgoing is None or not _is_repeat(part):
            return False
        guarantee = self.guarantee(run.account, rendered)
        if guarantee.key_ttl is None or not guarantee.resend_when_absent:
            return False
        first = datetime.fromisoformat(part.outgoing["created_at"])
        return not 0 <= (self._clock.now() - first).total_seconds() < guarantee.key_ttl

    def _create(
        self,
        run: Run,
        part: PartRow,
        connection: Connection,
        outgoing: Outgoing,
        send_by: float,
    ) -> bool:
        try:
            with self._heartbeat.over(part):
                receipt = create(
                    connection.network, connection.client, connection.session, outgoing, send_by
                )
        except InDoubt as error:
            self._ledger.doubt(part, error, detail=self._answer(run, of_create=True))
            self._tell(run, part, "checking", error.message)
            return True
        except Duplicate as error:
            if part.doubt_at is not None:
                # The network refuses the repeat because the first one is live: look for it.
                self._ledger.doubt(part, error, detail=self._answer(run, of_create=True))
                return True
            self._ledger.failed(part, "rejected", error, detail=self._answer(run, of_create=True))
            self._tell(run, part, "failed", error.message)
            return False
        except (Unavailable, Throttled) as error:
            return self._put_off(run, part, error, self._ledger.unsent, of_create=True)
        except NeedsLogin as error:
            return self._needs_login(run, part, error, self._ledger.unsent, connection)
        except (Refused, PluginError, NetworkError) as error:
            if part.doubt_at is not None:
                # A no to the repeat says nothing of the first request: it may still come.
                self._ledger.doubt(part, error, detail=self._answer(run, of_create=True))
                return True
            self._ledger.failed(part, "rejected", error, detail=self._answer(run, of_create=True))
            self._tell(run, part, "failed", error.message)
            return False
        if not self._settle(run, part, receipt):
            return False
        run.renewed = False
        if run.account.state != "ok":
            self._accounts.set_state(run.account.id, "ok")
            run.account = replace(run.account, state="ok")
        self._tell(run, part, "live", receipt.url or receipt.id)
        return True

    def _settle(self, run: Run, part: PartRow, receipt: Receipt) -> bool:
        """Write the receipt down, whatever has happened to part and store meanwhile."""
        try:
            self._ledger.live(
                part,
                "accepted",
                receipt,
                "The network accepted it.",
                audit=self._audit(run),
                detail=self._answer(run, of_create=True),
                also=self._learnt(run),
            )
        except Taken as taken:
            doubtful = self._ledger.doubt(part, InDoubt(taken.message))
            return self._ask(run, doubtful, taken.message)
        except Fenced as fenced:
            log.info("%s: %s", part.id, fenced.message)
            # Another process gave us up while the answer was on its way, and looks for the post.
            self._keep(part, receipt)
            now = self._ledger.parts(part.delivery_id)[part.position - 1]
            if now.attempts == part.attempts and (now.state, "found") in TRANSITIONS:
                self._ledger.live(
                    now, "found", receipt, "Its answer came after all.", audit=self._audit(run)
                )
        except StoreError:
            self._keep(part, receipt)
            raise
        return True

    def _keep(self, part: PartRow, receipt: Receipt) -> None:
        try:
            self._spool.add(part.id, part.attempts, receipt)
        except OSError as error:
            raise StoreBusy(
                f"{part.id} is live as {receipt.url or receipt.id}, and neither the store nor the "
                f"file beside it could take that down ({error.strerror}); make room and run "
                "`postkit finish`."
            ) from error

    def _outgoing(
        self,
        run: Run,
        part: PartRow,
        parts: list[PartRow],
        rendered: RenderedPart,
        journal: Mapping[str, Any],
    ) -> Outgoing:
        before = [p for p in parts if p.position < part.position]
        receipts = [Receipt(**p.receipt) for p in before if p.receipt is not None]
        return Outgoing(
            part=rendered,
            prepared=dict(journal),
            key=part.key or "",
            created_at=self._clock.now(),
            target=run.delivery.target,
            parent=receipts[-1] if receipts else None,
            root=receipts[0] if receipts else None,
        )


def _is_at_work(error: PostkitError) -> TypeGuard[Unavailable]:
    """Whether the plugin has learnt that the network is at work on an upload, and until when; a
    status would be the answer of a server in trouble."""
    if not isinstance(error, Unavailable):
        return False
    return isinstance(error.retry_at, datetime) and error.status is None


def _is_repeat(part: PartRow) -> bool:
    """Whether the next request repeats one that may have left: only that one must be the same to
    the byte. After a person's word there is a new key, and another request."""
    return (
        part.doubt_at is not None and part.outgoing is not None and part.outgoing["key"] == part.key
    )


def _sendable() -> float:
    """Seconds after SENDING in which its request may leave: well within the claim."""
    return 0.75 * ledger.LEASE.total_seconds()

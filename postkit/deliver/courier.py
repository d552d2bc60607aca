"""Takes one delivery as far as it goes: part by part, from scheduled to live or to a question."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

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
from ..network import CanRefresh, Outgoing, Receipt, RenderedPart
from ..store.rows import DeliveryRow, PartRow
from .attempt import create
from .clients import Connection
from .doubt import Doubt
from .ledger import Fenced, Taken
from .owner import is_dead
from .steps import Run, Watch

log = logging.getLogger("postkit.deliver")

_busy: set[str] = set()
"""Deliveries that a thread of this process works at: two threads share one owner's name."""
_busy_guard = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_busy.clear)


class Courier(Doubt):
    """Runs deliveries. One instance serves all threads."""

    def run(self, delivery: DeliveryRow, deadline: datetime, watch: Watch | None = None) -> None:
        """Work until every part is settled, a person is needed, or ``deadline`` has come.

        Idempotent: what is live is never sent again, and what another process holds is left
        to it. Raises StoreError where a step could not be written down.
        """
        account = self._accounts.by_id(delivery.account_id)
        left = (deadline - self._clock.now()).total_seconds()
        run = Run(delivery, account, deadline, self._clock.monotonic() + left, watch)
        if not self._enter(run):
            return
        try:
            self._go(run)
        finally:
            with _busy_guard:
                _busy.discard(delivery.id)
            if run.connection is not None:
                self._clients.give(run.connection)

    def _enter(self, run: Run) -> bool:
        """Wait until no other thread of this process works at the delivery."""
        while True:
            with _busy_guard:
                if run.delivery.id not in _busy:
                    _busy.add(run.delivery.id)
                    return True
            if not self._pause(run, self._clock.now() + timedelta(milliseconds=50)):
                return False

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

    def _step(self, run: Run, part: PartRow, parts: list[PartRow]) -> bool:
        """One step of the part. False: nothing more to do in this run."""
        if part.state == "SCHEDULED":
            if part.not_before > self._clock.now():
                return self._pause(run, part.not_before)
            return self._send(run, part, parts)
        if part.state in ("CLAIMED", "SENDING", "IN_DOUBT"):
            if part.state == "IN_DOUBT" and part.owner == self._ledger.owner:
                return self._find_out(run, part)
            if self._is_free(part):
                self._ledger.take_over(part)
                return True
            return self._pause(run, self._clock.now() + timedelta(milliseconds=200))
        return False

    def _is_free(self, part: PartRow) -> bool:
        # Our own name on it, and no other thread of ours at it: a thread that broke off.
        if part.owner is None or part.owner == self._ledger.owner or is_dead(part.owner):
            return True
        return part.lease_until is None or part.lease_until < self._clock.now()

    # From scheduled to the answer

    def _send(self, run: Run, part: PartRow, parts: list[PartRow]) -> bool:
        rendered = RenderedPart.from_json(part.rendition, self._media.get)
        network = self._clients.network(run.account)
        if self._key_has_died(run, part, rendered):
            self._ledger.expired(part)
            return True
        part = self._ledger.claim(part, network.new_key(rendered))
        self._tell(run, part, "preparing" if rendered.media else "sending")
        try:
            connection = self._connection(run)
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
            self._ledger.failed(part, "refuse", error)
            self._tell(run, part, "failed", error.message)
            return False
        try:
            journal = self._ledger.journal(part)
            with self._heartbeat.over(part):
                # Before a repeat too: what was uploaded may have been dropped meanwhile.
                connection.ask(
                    lambda: connection.network.prepare(connection.client, rendered, journal)
                )
            if part.outgoing is None:
                outgoing = self._outgoing(run, part, parts, rendered, journal)
            else:
                outgoing = Outgoing.from_json(part.outgoing, self._media.get)
        except (Unavailable, Throttled) as error:
            return self._put_off(run, part, error, self._ledger.release)
        except NeedsLogin as error:
            return self._needs_login(run, part, error, self._ledger.release)
        except VaultError as error:
            return self._give_back(run, part, error)
        except (StoreError, Fenced):
            raise
        except PostkitError as error:
            self._ledger.failed(part, "refuse", error)
            self._tell(run, part, "failed", error.message)
            return False
        if self._stopping.is_set():
            return self._give_back(run, part, Unavailable("Stopped before anything was sent."))
        part = self._ledger.send(part, outgoing)
        self._tell(run, part, "sending")
        return self._create(run, part, connection, outgoing)

    def _key_has_died(self, run: Run, part: PartRow, rendered: RenderedPart) -> bool:
        """Whether this would be a repeat that only its key makes harmless, and that is too old."""
        if part.outgoing is None or part.doubt_at is None:
            return False
        guarantee = self.guarantee(run.account, rendered)
        if guarantee.key_ttl is None or not guarantee.resend_when_absent:
            return False
        first = datetime.fromisoformat(part.outgoing["created_at"])
        return not 0 <= (self._clock.now() - first).total_seconds() < guarantee.key_ttl

    def _give_back(self, run: Run, part: PartRow, error: PostkitError) -> bool:
        self._ledger.release(part, error, self._clock.now())
        self._tell(run, part, "waiting", error.message)
        return False

    def _create(self, run: Run, part: PartRow, connection: Connection, outgoing: Outgoing) -> bool:
        try:
            with self._heartbeat.over(part):
                receipt = create(
                    connection.network, connection.client, connection.session, outgoing
                )
        except InDoubt as error:
            self._ledger.doubt(part, error)
            self._tell(run, part, "checking", error.message)
            return True
        except Duplicate as error:
            if part.doubt_at is not None:
                # The network refuses the repeat because the first one is live: look for it.
                self._ledger.doubt(part, error)
                return True
            self._ledger.failed(part, "rejected", error)
            self._tell(run, part, "failed", error.message)
            return False
        except (Unavailable, Throttled) as error:
            return self._put_off(run, part, error, self._ledger.unsent)
        except NeedsLogin as error:
            return self._needs_login(run, part, error, self._ledger.unsent, connection)
        except (Refused, PluginError, NetworkError) as error:
            self._ledger.failed(part, "rejected", error)
            self._tell(run, part, "failed", error.message)
            return False
        if not self._settle(run, part, receipt):
            return False
        run.failures = 0
        if run.account.state != "ok":
            self._accounts.set_state(run.account.id, "ok")
            run.account = replace(run.account, state="ok")
        self._tell(run, part, "live", receipt.url or receipt.id)
        return True

    def _settle(self, run: Run, part: PartRow, receipt: Receipt) -> bool:
        """Write the receipt down, whatever has happened to part and store meanwhile."""
        try:
            self._ledger.live(part, "accepted", receipt, "The network accepted it.")
        except Taken as taken:
            doubtful = self._ledger.doubt(part, InDoubt(taken.message))
            return self._ask(run, doubtful, taken.message)
        except Fenced:
            # Another process gave us up while the answer was on its way, and looks for the post.
            self._keep(part, receipt)
            now = self._ledger.parts(part.delivery_id)[part.position - 1]
            if now.attempts == part.attempts and now.state in ("IN_DOUBT", "UNCERTAIN"):
                self._ledger.live(now, "found", receipt, "Its answer came after all.")
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

    def _put_off(
        self,
        run: Run,
        part: PartRow,
        error: NetworkError,
        change: Callable[[PartRow, PostkitError, datetime], PartRow],
    ) -> bool:
        again = self._next_try(run, error.retry_at)
        change(part, error, again)
        self._tell(run, part, "waiting", error.message)
        return again <= run.deadline

    def _needs_login(
        self,
        run: Run,
        part: PartRow,
        error: NeedsLogin,
        change: Callable[[PartRow, PostkitError, datetime], PartRow],
        connection: Connection | None = None,
    ) -> bool:
        change(part, error, self._clock.now())
        can_refresh = connection is not None and isinstance(connection.network, CanRefresh)
        if connection is not None and can_refresh and not run.renewed:
            run.renewed = True
            try:
                connection.renew()
            except (Unavailable, Throttled) as away:
                # Out of reach is not out of access: the account keeps its state.
                run.renewed = False
                self._tell(run, part, "waiting", away.message)
                return self._pause(run, self._next_try(run, away.retry_at))
            except StoreError:
                raise
            except PostkitError as still:
                error = NeedsLogin(still.message, network=connection.network.name)
            else:
                return True
        self._drop(run)
        self._accounts.set_state(run.account.id, "needs_login")
        self._tell(run, part, "waiting", error.message)
        return False

"""Takes one delivery as far as it goes: part by part, from scheduled to live or to a question."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..clock import Clock
from ..errors import (
    Duplicate,
    InDoubt,
    NeedsLogin,
    NetworkError,
    PluginError,
    PostkitError,
    Refused,
    StoreError,
    Throttled,
    Unavailable,
)
from ..network import Account, CanRefresh, Guarantee, Outgoing, Receipt, RenderedPart
from ..store.accounts import AccountRows
from ..store.media import MediaFiles
from ..store.rows import DeliveryRow, PartRow
from .attempt import create
from .clients import Clients, Connection
from .ledger import Fenced, Ledger
from .lookup import decide
from .owner import is_dead
from .spool import Spool

log = logging.getLogger("postkit.deliver")

BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(minutes=5)
LOOK_BACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Progress:
    """What just happened to one delivery; ``part`` counts from 1."""

    delivery_id: str
    address: str
    part: int
    parts: int
    state: str
    text: str


Watch = Callable[[Progress], None]


class Courier:
    """Runs deliveries. One instance serves all threads."""

    def __init__(
        self,
        ledger: Ledger,
        clients: Clients,
        accounts: AccountRows,
        media: MediaFiles,
        spool: Spool,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._clients = clients
        self._accounts = accounts
        self._media = media
        self._spool = spool
        self._clock = clock

    def run(self, delivery: DeliveryRow, deadline: datetime, watch: Watch | None = None) -> None:
        """Work until every part is settled, a person is needed, or ``deadline`` has come.

        Idempotent: what is live is never sent again, and what another process holds is left
        to it. Raises StoreError where a step could not be written down.
        """
        account = self._accounts.by_id(delivery.account_id)
        run = _Run(delivery, account, deadline, watch)
        try:
            self._go(run)
        finally:
            if run.connection is not None:
                self._clients.give(run.connection)

    def _go(self, run: _Run) -> None:
        while True:
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

    def _step(self, run: _Run, part: PartRow, parts: list[PartRow]) -> bool:
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
        if part.owner is None or is_dead(part.owner):
            return True
        return part.lease_until is None or part.lease_until < self._clock.now()

    # From scheduled to the answer

    def _send(self, run: _Run, part: PartRow, parts: list[PartRow]) -> bool:
        rendered = RenderedPart.from_json(part.rendition, self._media.get)
        network = self._clients.network(run.account)
        part = self._ledger.claim(part, network.new_key(rendered))
        self._tell(run, part, "preparing" if rendered.media else "sending")
        try:
            connection = self._connection(run)
            if part.outgoing is None:
                journal = self._ledger.journal(part)
                connection.ask(
                    lambda: connection.network.prepare(connection.client, rendered, journal)
                )
                outgoing = self._outgoing(run, part, parts, rendered, journal)
            else:
                outgoing = Outgoing.from_json(part.outgoing, self._media.get)
        except (Unavailable, Throttled) as error:
            return self._put_off(run, part, error, self._ledger.release)
        except NeedsLogin as error:
            return self._needs_login(run, part, error, self._ledger.release)
        except StoreError:
            raise
        except PostkitError as error:
            self._ledger.failed(part, "refuse", error)
            self._tell(run, part, "failed", error.message)
            return False
        part = self._ledger.send(part, outgoing)
        self._tell(run, part, "sending")
        return self._create(run, part, connection, outgoing)

    def _create(self, run: _Run, part: PartRow, connection: Connection, outgoing: Outgoing) -> bool:
        try:
            receipt = create(connection.network, connection.client, connection.session, outgoing)
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
        self._settle(part, receipt)
        if run.account.state != "ok":
            self._accounts.set_state(run.account.id, "ok")
            run.account = replace(run.account, state="ok")
        self._tell(run, part, "live", receipt.url or receipt.id)
        return True

    def _settle(self, part: PartRow, receipt: Receipt) -> None:
        try:
            self._ledger.live(part, "accepted", receipt, "The network accepted it.")
        except StoreError:
            self._spool.add(part.id, part.attempts, receipt)
            raise

    def _outgoing(
        self,
        run: _Run,
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
        run: _Run,
        part: PartRow,
        error: NetworkError,
        change: Callable[[PartRow, NetworkError, datetime], PartRow],
    ) -> bool:
        now = self._clock.now()
        run.failures += 1
        again = error.retry_at or now + min(BACKOFF * 2 ** (run.failures - 1), LONGEST_BACKOFF)
        change(part, error, again)
        self._tell(run, part, "waiting", error.message)
        return again <= run.deadline

    def _needs_login(
        self,
        run: _Run,
        part: PartRow,
        error: NeedsLogin,
        change: Callable[[PartRow, NetworkError, datetime], PartRow],
        connection: Connection | None = None,
    ) -> bool:
        change(part, error, self._clock.now())
        can_refresh = connection is not None and isinstance(connection.network, CanRefresh)
        if connection is not None and can_refresh and not run.renewed:
            run.renewed = True
            try:
                connection.renew()
            except (Unavailable, Throttled):
                return True
            except NeedsLogin as still:
                error = still
            else:
                return True
        self._drop(run)
        self._accounts.set_state(run.account.id, "needs_login")
        self._tell(run, part, "waiting", error.message)
        return False

    # From doubt to certainty

    def _find_out(self, run: _Run, part: PartRow) -> bool:
        if part.not_before > self._clock.now():
            if not self._pause(run, part.not_before):
                self._ledger.let_go(part)
                return False
            return True
        spooled = self._spool.get(part.id, part.attempts)
        if spooled is not None:
            self._ledger.live(part, "found", spooled, "The receipt was kept beside the store.")
            self._tell(run, part, "live", spooled.url or spooled.id)
            return True
        if part.outgoing is None or part.sending_at is None or part.doubt_at is None:
            raise PluginError(
                f"{part.id} is in doubt without a request; this is a defect of postkit."
            )
        outgoing = Outgoing.from_json(part.outgoing, self._media.get)
        since = part.sending_at - LOOK_BACK
        try:
            connection = self._connection(run)
            guarantee = self.guarantee(run.account, outgoing.part)
            if part.error is not None and part.error.get("kind") == Duplicate.kind:
                # The repeat was refused; a third one would be refused too.
                guarantee = replace(guarantee, resend_when_absent=False)
            found = connection.ask(
                lambda: connection.network.find(connection.client, outgoing, since)
            )
        except (NetworkError, PluginError) as error:
            run.failures += 1
            pause = min(BACKOFF * 2 ** (run.failures - 1), LONGEST_BACKOFF)
            again = getattr(error, "retry_at", None) or self._clock.now() + pause
            # A look that failed tells nothing, so it does not count as one.
            self._ledger.looked(replace(part, looks=part.looks - 1), error.message, again)
            self._tell(run, part, "checking", error.message)
            if isinstance(error, NeedsLogin):
                self._drop(run)
                self._accounts.set_state(run.account.id, "needs_login")
                self._ledger.let_go(self._ledger.parts(part.delivery_id)[part.position - 1])
                return False
            return True
        verdict = decide(
            found,
            guarantee=guarantee,
            sending_at=part.sending_at,
            doubt_at=part.doubt_at,
            now=self._clock.now(),
            looks=part.looks + 1,
            taken=self._ledger.known_remote_ids(run.account.id),
        )
        if verdict.kind == "live" and verdict.receipt is not None:
            self._ledger.live(part, "found", verdict.receipt, verdict.reason)
            self._tell(run, part, "live", verdict.receipt.url or verdict.receipt.id)
            return True
        if verdict.kind == "wait" and verdict.again is not None:
            self._ledger.looked(part, verdict.reason, verdict.again)
            self._tell(run, part, "checking", verdict.reason)
            return True
        if verdict.kind == "absent":
            self._ledger.absent(part, verdict.reason)
            self._tell(run, part, "sending", verdict.reason)
            return True
        self._ledger.ask(part, self._question(run, part, verdict.reason, verdict.links))
        self._tell(run, part, "uncertain", verdict.reason)
        return False

    def guarantee(self, account: Account, part: RenderedPart) -> Guarantee:
        """The network's guarantee, with the account's own quiet window where it has one."""
        guarantee = self._clients.network(account).guarantee(part, account)
        quiet = account.settings.get("quiet")
        return replace(guarantee, quiet=float(quiet)) if quiet is not None else guarantee

    def _question(
        self, run: _Run, part: PartRow, reason: str, links: tuple[str, ...]
    ) -> dict[str, Any]:
        profile = run.account.identity.url if run.account.identity else None
        look = links or ((profile,) if profile else ())
        name = f"part {part.position} of {run.parts}" if run.parts > 1 else "the post"
        return {
            "text": f"Is {name} live on {run.delivery.address}? {reason}",
            "links": list(look),
            "part": part.position,
            "answers": [
                f"postkit resolve {run.delivery.id} --is-live URL",
                f"postkit resolve {run.delivery.id} --resend",
                f"postkit resolve {run.delivery.id} --give-up",
            ],
        }

    def _connection(self, run: _Run) -> Connection:
        if run.connection is None:
            run.connection = self._clients.take(run.account)
        return run.connection

    def _drop(self, run: _Run) -> None:
        if run.connection is not None:
            run.connection.close()
            run.connection = None

    def _pause(self, run: _Run, until: datetime) -> bool:
        """Wait until then, or say that the run's time is over first."""
        if until > run.deadline:
            return False
        self._clock.sleep((until - self._clock.now()).total_seconds())
        return True

    def _tell(self, run: _Run, part: PartRow, state: str, text: str = "") -> None:
        if run.watch is not None:
            run.watch(
                Progress(
                    run.delivery.id, run.delivery.address, part.position, run.parts, state, text
                )
            )


@dataclass(slots=True)
class _Run:
    delivery: DeliveryRow
    account: Account
    deadline: datetime
    watch: Watch | None
    parts: int = 0
    failures: int = 0
    renewed: bool = False
    connection: Connection | None = None

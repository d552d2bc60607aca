"""What every step of a delivery needs: a connection, patience, and somebody to tell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ..accounts.secret import Redactor
from ..classify import moment_told
from ..clock import Clock
from ..errors import NeedsLogin, PostkitError
from ..logs import logger
from ..network import Account, Guarantee, Network, RenderedPart
from ..store.accounts import AccountRows
from ..store.media import MediaFiles
from ..store.rows import DeliveryRow, PartRow
from .allowance import Allowance
from .caps import caps_of
from .clients import Access, Clients, Connection
from .evidence import evidence
from .heartbeat import Heartbeat
from .history import storable
from .identity import prove
from .ledger import Ledger
from .moves import Gate
from .owner import is_dead
from .spool import Spool

log = logger("deliver")

BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(minutes=5)
LONGEST_WAIT = timedelta(days=1)
"""No network's limit is longer; who says so is asked again after this time."""

AUDITS = (timedelta(minutes=15), timedelta(hours=24))
"""How long after a part is live the network is asked whether there is one of it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What just happened to one delivery of ``tenant``; ``part`` counts from 1."""

    delivery_id: str
    address: str
    part: int
    parts: int
    state: str
    text: str
    tenant: str = ""


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class Run:
    """One run of one delivery."""

    delivery: DeliveryRow
    account: Account
    deadline: datetime
    ends: float
    """The deadline on the monotonic clock: a wall clock may go back."""
    watch: Watch | None
    ordered: bool = False
    """Whether nothing is sent before what is due earlier on the account."""
    parts: int = 0
    renewed: bool = False
    connection: Connection | None = None


class Steps:
    """The tools of a courier."""

    def __init__(
        self,
        ledger: Ledger,
        clients: Clients,
        accounts: AccountRows,
        media: MediaFiles,
        spool: Spool,
        clock: Clock,
        *,
        heartbeat: Heartbeat | None = None,
        is_dead: Callable[[str], bool] = is_dead,
    ) -> None:
        self._ledger = ledger
        self._clients = clients
        self._accounts = accounts
        self._media = media
        self._spool = spool
        self._clock = clock
        self._heartbeat = heartbeat or Heartbeat(ledger.renew)
        self._is_dead = is_dead
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin nothing more; a request that is on its way still gets its answer."""
        self._stopping.set()

    def guarantee(self, account: Account, part: RenderedPart) -> Guarantee:
        """The network's guarantee, with the account's own quiet window where it has one."""
        guarantee = self._clients.network(account).guarantee(part, account)
        quiet = account.settings.get("quiet")
        return replace(guarantee, quiet=float(quiet)) if quiet is not None else guarantee

    def _ask(self, run: Run, part: PartRow, reason: str, links: tuple[str, ...] = ()) -> bool:
        self._ledger.ask(part, self._question(run, part, reason, links))
        self._tell(run, part, "uncertain", reason)
        return False

    def _question(
        self, run: Run, part: PartRow, reason: str, links: tuple[str, ...]
    ) -> dict[str, Any]:
        profile = run.account.identity.url if run.account.identity else None
        reason = storable(Redactor.redact(reason))
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

    def _answer(self, run: Run, *, of_create: bool = False) -> dict[str, Any] | None:
        """The newest request of this run and what came back; or the newest create."""
        if run.connection is None:
            return None
        session = run.connection.session
        return evidence(session.created if of_create else session.last)

    def _allowance(self, run: Run) -> Allowance:
        network = self._clients.network(run.account)
        return Allowance(run.account, network.limits_for(run.account), caps_of(run.account))

    def _learnt(self, run: Run) -> Gate | None:
        """What the answer to the newest create says of the calls that are left."""
        if run.connection is None:
            return None
        return self._allowance(run).learnt(run.connection.session.created, self._clock.now())

    def _audit(self, run: Run) -> timedelta | None:
        """When a live part is looked at again; None where the network cannot be asked."""
        can_find = type(self._clients.network(run.account)).find is not Network.find
        return AUDITS[0] if can_find else None

    def _next_try(self, part: PartRow, told: object) -> datetime:
        """After a failure. The network's word counts, but for a time that is over, for one that
        has proved wrong, and for one that would never come."""
        now: datetime = self._clock.now()
        pause: timedelta = min(BACKOFF * 2 ** min(part.failures, 9), LONGEST_BACKOFF)
        retry_at = moment_told(told)
        if retry_at is None:
            return now + pause
        if retry_at <= now or part.failures:
            retry_at = max(retry_at, now + pause)
        return min(retry_at, now + LONGEST_WAIT)

    def _connection(self, run: Run) -> Connection:
        """Of the account as it is now: it may be given other access while a thread is sent."""
        run.account = self._accounts.by_id(run.account.id)
        if run.connection is not None:
            if self._clients.is_current(run.connection, run.account):
                return run.connection
            self._drop(run)
        run.connection = self._clients.take(run.account)
        return run.connection

    def _prove(self, run: Run, connection: Connection) -> None:
        """Ask the network whose access this is. Raises NetworkError, and Stranger."""
        run.account = prove(connection, run.account, self._clients, self._accounts)

    def _is_replaced(self, run: Run, error: NeedsLogin, account: Account | None = None) -> bool:
        """Whether the access that was refused is not the account's any more."""
        refused = error.access if run.connection is None else run.connection.access
        try:
            account = account or self._accounts.by_id(run.account.id)
            return isinstance(refused, Access) and self._clients.is_replaced(refused, account)
        except PostkitError:
            return False

    def _disconnect(self, run: Run, error: NeedsLogin) -> bool:
        """The network refuses our access: the account waits for a person. False where it has been
        given other access meanwhile."""
        tell = partial(self._ledger.account_needs_login, run.account, error.message)
        is_news = run.account.state != "needs_login"
        # Within the transaction: whoever replaces it writes the vault first and the account after.
        is_refused = self._accounts.set_state(
            run.account.id,
            "needs_login",
            tell if is_news else None,
            unless=lambda account: self._is_replaced(run, error, account),
        )
        self._drop(run)
        if is_refused:
            run.account = replace(run.account, state="needs_login")
        return is_refused

    def _drop(self, run: Run) -> None:
        if run.connection is not None:
            run.connection.close()
            run.connection = None

    def _pause(self, run: Run, until: datetime) -> bool:
        """Wait until then, or say that the run's time is over first."""
        if until > run.deadline or self._clock.monotonic() >= run.ends:
            return False
        seconds = (until - self._clock.now()).total_seconds()
        end = min(self._clock.monotonic() + seconds, run.ends)
        while not self._stopping.is_set():
            left = end - self._clock.monotonic()
            if left <= 0:
                return True
            self._clock.sleep(min(left, 0.5))
        return False

    def _tell(self, run: Run, part: PartRow, state: str, text: str = "") -> None:
        if run.watch is None:
            return
        text = storable(Redactor.redact(text))
        name, address, tenant = run.delivery.id, run.delivery.address, run.delivery.tenant
        try:
            run.watch(Progress(name, address, part.position, run.parts, state, text, tenant))
        except Exception as error:  # noqa: BLE001
            # Who only watches (a closed pipe, say) must not break off what is on its way.
            log.warning("%s: the watcher failed (%s)", part.id, type(error).__name__)

"""A simulated process: the real courier and worker, which can be killed, stopped and continued."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..deliver.agenda import Agenda
from ..deliver.clients import Clients, Connection
from ..deliver.courier import Courier
from ..deliver.heartbeat import EVERY, Heartbeat
from ..deliver.ledger import Fenced, Ledger
from ..deliver.outbox import Outbox
from ..deliver.rules import ZoneRules
from ..deliver.spool import Spool
from ..engine.worker import Worker
from ..errors import PostkitError, StoreError, Unavailable
from ..network import Account, Network, Receipt
from ..store.accounts import AccountRows
from ..store.publications import PublicationRows
from ..store.rows import PartRow
from .baton import Hand
from .clock import SECOND, SimClock
from .faults import PointName
from .network import Client, SimSession
from .store import Gate, SimDatabase

if TYPE_CHECKING:
    from .world import World

CHORES = 10 * SECOND
AGAIN = SECOND // 4
AFTER_FAILURE = 60 * SECOND


class Killed(KeyboardInterrupt):
    """The process is no more. What the product never handles ends its stack, and nothing that it
    does on its way out reaches the store, the disk or the network."""


class Process:
    """Works at what is due, turn by turn; or takes one delivery as far as it goes in 30 seconds
    (``delivery``) and ends."""

    def __init__(self, world: World, number: int, delivery: str | None = None) -> None:
        self.world = world
        self.number = number
        self.owner = f"process {number}"
        self.delivery = delivery
        self.hand: Hand | None = None
        self.dead = False
        self.wake: int | None = None
        """When it goes on, where it waits in the middle of something."""
        self.rest_until = world.time.now
        self.chores = world.time.now
        self.beating: PartRow | None = None
        self.may_send: dict[str, int] = {}
        """Requests of a part that it has announced (SENDING is committed) and not made yet."""
        self._later: dict[str, int] = {}
        self._rest = SECOND // 5
        clock = SimClock(world.time, self.sleep)
        self.clock = clock
        self.gate = Gate(world.store, self, world.time)
        self.database = SimDatabase(self.gate)
        self.ledger = Ledger(self.database, clock, self.owner)
        self.agenda = Agenda(self.database, clock, self.owner, is_dead=world.is_dead)
        self.publications = PublicationRows(self.database, clock)
        self.courier = Courier(
            self.ledger,
            SimClients(self),
            AccountRows(self.database, clock),
            world.media,
            SimSpool(self),
            clock,
            heartbeat=SimHeartbeat(self),
            is_dead=world.is_dead,
        )
        self._worker = Worker(
            self.courier,
            self.ledger,
            self.agenda,
            self.publications,
            ZoneRules(self.database, clock, self.ledger),
            Outbox(self.database, clock, lambda _: []),
            clock,
        )

    # What the simulation calls

    def run(self) -> None:
        """One turn, to its end or to the process's."""
        self.wake = None
        try:
            if self.delivery is not None:
                self._finish(self.delivery)
            else:
                self._turn()
            self._rest = SECOND // 5
        except Killed:
            pass
        except StoreError as error:
            self.world.note(self.owner, "the store: {}", error.message)
            self.rest_until = self.world.time.now + self._rest
            self._rest = min(self._rest * 2, 30 * SECOND)
        except Exception:  # noqa: BLE001 - whatever comes out of a turn is what we look for
            self.world.violated("defect", self.owner, traceback.format_exc())
            self.world.over = True

    def _turn(self) -> None:
        time = self.world.time
        if time.now >= self.chores:
            self.chores = time.now + CHORES
            self.agenda.free_the_dead()
            for part in self.agenda.stale():
                with contextlib.suppress(Fenced):
                    self.ledger.missed(part, "Nothing could send it in time.")
        soon = time.now + AGAIN
        for ready in self.agenda.ready(4):
            name = ready.account_id
            if self._later.get(name, 0) > time.now:
                soon = min(soon, self._later[name])
                continue
            try:
                self._worker.turn(name)
            except StoreError:
                raise
            except PostkitError as error:
                self.world.note(self.owner, "account {}: {}", name, error.message)
                self._later[name] = time.now + AFTER_FAILURE
            else:
                self._later[name] = time.now + AGAIN
        self.rest_until = max(soon, time.now + int(self.world.dice.random() * SECOND / 5))

    def _finish(self, delivery: str) -> None:
        row = self.publications.delivery(delivery)
        try:
            self.courier.run(row, self.clock.now() + timedelta(seconds=30))
        finally:
            self.dead = True

    def is_due(self, ready: int | None) -> int | None:
        """When it has something to do: ``ready`` is when an account is."""
        if self.dead and self.hand is None:
            return None
        if self.wake is not None:
            return self.wake
        if self.delivery is not None:
            return self.rest_until
        if self.world.left_behind > self.chores - CHORES:
            ready = self.chores if ready is None else min(ready, self.chores)
        return None if ready is None else max(self.rest_until, ready)

    # What the product calls

    def check(self) -> None:
        if self.dead or self.world.over:
            raise Killed

    def committed(self, changes: list[tuple[str, str, int]]) -> None:
        for state, name, _ in changes:
            if state == "SENDING":
                self.may_send[name] = self.may_send.get(name, 0) + 1
        self.world.committed(self.owner, changes)

    def point(self, name: PointName) -> float:
        if self.dead or self.world.over:
            raise Killed
        found = self.world.interruption(name)
        if found is None:
            return 0.0
        self.world.note(self.owner, "{} at: {} ({} s)", found.action, name, found.seconds)
        match found.action:
            case "kill":
                self.die()
                raise Killed
            case "stall" | "switch":
                self.world.watch.was_stopped |= found.action == "stall"
                if name == "before COMMIT":
                    return found.seconds
                self.stop(found.seconds)
            case "jump":
                self.world.jump(found.seconds)
            case "busy" | "busy_after":
                return -1.0
        return 0.0

    def die(self) -> None:
        self.dead = True
        self.gate.abandon()
        self.world.died(self)

    def sleep(self, seconds: float) -> None:
        """Time passes, and others work meanwhile; a claim that is held is renewed."""
        while self.beating is not None and seconds > EVERY:
            self.stop(EVERY)
            seconds -= EVERY
            with contextlib.suppress(PostkitError):
                self.ledger.renew(self.beating)
        self.stop(seconds)

    def stop(self, seconds: float) -> None:
        """Time passes without a sign of life."""
        self.check()
        self.wake = self.world.time.now + max(1, int(seconds * SECOND))
        self.world.stage.wait(self)
        self.wake = None
        self.check()


class SimHeartbeat(Heartbeat):
    """Beats while its process sleeps, and not while it is stopped."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @contextlib.contextmanager
    def over(self, part: PartRow) -> Iterator[None]:
        self._process.beating = part
        try:
            yield
        finally:
            self._process.beating = None


class SimConnection(Connection):
    """Its patience is the simulation's."""

    def ask(self, call: Any, *, patient: bool = True) -> Any:
        for number in range(2 if patient else 0):
            try:
                return super().ask(call, patient=False)
            except Unavailable as error:
                if error.retry_at is not None:
                    raise
                self.client.process.sleep(0.1 + number)
        return super().ask(call, patient=False)


class SimClients(Clients):
    """Connections over the simulated wire."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._connections: dict[str, SimConnection] = {}

    def network(self, account: Account) -> Network[Any]:  # noqa: ARG002 - the interface decides
        return self._process.world.network

    def is_proved(self, connection: Connection, account: Account) -> bool:  # noqa: ARG002 - as above
        return True  # nobody swaps access here

    def take(self, account: Account) -> Connection:
        found = self._connections.pop(account.id, None)
        if found is None:
            session = SimSession()
            client = Client(session, account, self._process)
            found = SimConnection(self._process.world.network, account, session, client)
        return found

    def give(self, connection: Connection) -> None:
        if isinstance(connection, SimConnection):
            self._connections[connection.account.id] = connection


class SimSpool(Spool):
    """The file beside the store: one for all processes, and nothing of it is lost."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def add(self, part_id: str, attempt: int, receipt: Receipt) -> None:
        self._process.check()
        self._process.world.note(self._process.owner, "spooled {} of {}", receipt.id, part_id)
        self._process.world.spooled[part_id, attempt] = receipt

    def get(self, part_id: str, attempt: int) -> Receipt | None:
        spooled = self._process.world.spooled
        return next(
            (spooled[part_id, n] for n in range(attempt, 0, -1) if (part_id, n) in spooled), None
        )

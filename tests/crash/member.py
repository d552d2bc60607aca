"""One worker of a crowd: a process as far as the store can tell.

It has a connection, a name, and a death after which nothing that it does reaches the disk or the
network.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from postkit.deliver.agenda import Agenda
from postkit.deliver.clients import Clients, Connection
from postkit.deliver.courier import Courier
from postkit.deliver.failures import PATIENCE
from postkit.deliver.heartbeat import Heartbeat
from postkit.deliver.ledger import Fenced, Ledger
from postkit.deliver.outbox import Outbox
from postkit.deliver.rules import ZoneRules
from postkit.deliver.spool import Spool
from postkit.engine.worker import TOO_LATE, Worker
from postkit.errors import PostkitError, StoreError, VaultError
from postkit.network import Account, Network, Outgoing
from postkit.store.accounts import AccountRows
from postkit.store.media import MediaFiles
from postkit.store.publications import PublicationRows
from postkit.store.rows import PartRow
from postkit.transport import Session

from .toy import Client, Toy

if TYPE_CHECKING:
    from .crowd import Crowd

MOST_COMMITS = 2000
MOST_REQUESTS = 12
"""In one turn, and of one part in it; who needs more goes round in circles."""
Trouble = str
"""``kill before``/``kill after``/``fail before``/``fail after`` a COMMIT, ``locked`` at a BEGIN."""


class Killed(KeyboardInterrupt):
    """The process is no more; what the product never handles ends its stack."""


class Wire:
    """A member's way to the store: the real connection, until it dies."""

    def __init__(self, raw: sqlite3.Connection, member: Member) -> None:
        self._raw = raw
        self._member = member

    @property
    def in_transaction(self) -> bool:
        return self._raw.in_transaction

    def close(self) -> None:
        self._raw.close()

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        member = self._member
        if member.dead:
            raise Killed
        if sql not in ("COMMIT", "BEGIN IMMEDIATE"):
            return self._raw.execute(sql, values)
        trouble = member.trouble_at(sql)
        if trouble == "locked":
            raise sqlite3.OperationalError("database is locked")
        if trouble == "fail before":
            raise sqlite3.OperationalError("disk I/O error")
        if trouble == "kill before":
            self._raw.execute("ROLLBACK")
            member.die()
        cursor = self._raw.execute(sql, values)
        if sql == "COMMIT":
            member.crowd.clock.move(0.001)
            member.commits += 1
            if member.commits > MOST_COMMITS:
                member.crowd.wrong(f"I8: {member.owner} finds no end")
                member.die()
        if trouble == "kill after":
            member.die()
        if trouble == "fail after":
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


class Still(Heartbeat):
    """No sign of life: what lasts for longer than a lease here is a stopped process."""

    def __init__(self) -> None:
        pass

    @contextlib.contextmanager
    def over(self, part: PartRow) -> Iterator[None]:
        yield


class Once(Connection):
    """Without the patience that takes real seconds."""

    def ask(self, call: Any, *, patient: bool = True) -> Any:
        return super().ask(call, patient=False)


class Hall(Clients):
    """Connections of one member to the toy network."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._mine: dict[str, Connection] = {}

    def network(self, account: Account) -> Network[Any]:
        return self._member.crowd.toy

    def is_proved(self, connection: Connection, account: Account) -> bool:
        return True  # whose access it is has tests of its own

    def take(self, account: Account) -> Connection:
        crowd = self._member.crowd
        if crowd.shut:
            crowd.shut = False
            raise VaultError("The vault is shut.")
        found = self._mine.pop(account.id, None)
        if found is None:
            session = Session(Toy.hosts)
            found = Once(crowd.toy, account, session, Client(session, account, self._member))
        return found

    def give(self, connection: Connection) -> None:
        self._mine[connection.account.id] = connection

    def idle(self) -> list[Connection]:
        return list(self._mine.values())


class Member:
    """One worker."""

    def __init__(self, crowd: Crowd, owner: str) -> None:
        self.crowd = crowd
        self.owner = owner
        self.dead = False
        self.trouble: Trouble | None = None
        self.countdown = 0
        self.commits = 0
        self.requests: Counter[str] = Counter()
        self.turns = 0
        self.is_alone = True
        """Whether nothing has happened beside this turn."""
        self.database = crowd.open(self)
        self.ledger = Ledger(self.database, crowd.clock, owner)
        self.agenda = Agenda(self.database, crowd.clock, owner, is_dead=crowd.is_dead)
        self.publications = PublicationRows(self.database, crowd.clock)
        self.hall = Hall(self)
        self.courier = Courier(
            self.ledger,
            self.hall,
            AccountRows(self.database, crowd.clock),
            MediaFiles(crowd.folder / "media"),
            Spool(crowd.folder / "receipts.jsonl"),
            crowd.clock,
            heartbeat=Still(),
            is_dead=crowd.is_dead,
        )
        self.worker = Worker(
            self.courier,
            self.ledger,
            self.agenda,
            self.publications,
            ZoneRules(self.database, crowd.clock, self.ledger),
            Outbox(self.database, crowd.clock, lambda _: []),
            crowd.clock,
        )

    def die(self) -> None:
        self.dead = True
        self.crowd.dead.add(self.owner)
        raise Killed

    def trouble_at(self, sql: str) -> Trouble | None:
        """What goes wrong here, if it is time."""
        trouble = self.trouble
        if trouble is None or (trouble == "locked") != (sql == "BEGIN IMMEDIATE"):
            return None
        self.countdown -= 1
        if self.countdown > 0:
            return None
        self.trouble = None
        return trouble

    # What a worker does

    def turn(self) -> None:
        """Everything that is ready, and the chores; then it is over, one way or the other."""
        self.commits = 0
        self.requests.clear()
        self.turns += 1
        self.is_alone = True
        try:
            if self.turns % 3 == 1:
                self._chores()
            for ready in self.agenda.ready(4):
                try:
                    self.worker.turn(ready.account_id)
                except StoreError as error:
                    self.crowd.heard(error)
        except Killed:
            self.crowd.replace(self)
        except PostkitError as error:
            self.crowd.heard(error)

    def _chores(self) -> None:
        self.agenda.beat(self.crowd.clock.now())
        self.agenda.free_the_dead()
        for part in self.agenda.stale():
            with contextlib.suppress(Fenced):
                self.ledger.missed(part, TOO_LATE)
        for name in self.agenda.old_doubts(PATIENCE):
            self.courier.run(self.publications.delivery(name), self.crowd.clock.now())

    # What the network tells

    def prepares(self, client: Client) -> None:
        self.crowd.claimed(self, client.account.id)
        self.crowd.meanwhile("preparing", self)
        if self.dead:
            raise Killed

    def announced(self, client: Client, outgoing: Outgoing) -> str:
        """A request is about to leave. Returns the part that it is of."""
        name = self.crowd.announced(self, client.account.id, outgoing)
        self.requests[name] += 1
        if self.requests[name] > MOST_REQUESTS:
            self.crowd.wrong(f"I8: {self.owner} sends {name} again and again")
            self.die()
        return name

    def leaves(self, client: Client) -> None:
        self.crowd.meanwhile("leaving", self)

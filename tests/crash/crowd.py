"""Three workers at one store, a person, and a clock that a test owns.

Each worker is a process of its own as far as the store can tell: a connection, a name, and a
death after which nothing that it does reaches the disk or the network.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from postkit.accounts.secret import Secret
from postkit.clock import moment
from postkit.deliver.agenda import Agenda
from postkit.deliver.changes import Changes
from postkit.deliver.clients import Clients, Connection
from postkit.deliver.courier import Courier
from postkit.deliver.doubt import PATIENCE
from postkit.deliver.heartbeat import Heartbeat
from postkit.deliver.ledger import LEASE, Fenced, Ledger
from postkit.deliver.outbox import Outbox
from postkit.deliver.pauses import Pauses
from postkit.deliver.rules import ZoneRules
from postkit.deliver.spool import Spool
from postkit.engine.worker import TOO_LATE, Worker
from postkit.errors import PostkitError, StoreError, VaultError
from postkit.network import Account, Network, Outgoing
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.media import MediaFiles
from postkit.store.publications import PublicationRows
from postkit.store.rows import PartRow
from postkit.transport import Session

from .toy import TOKEN, Client, Remote, Toy

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
ACCOUNTS = ("a_1", "a_2")
WORKERS = 3
MOST_COMMITS = 2000
MOST_REQUESTS = 12
"""In one turn, and of one part in it; who needs more goes round in circles."""
Trouble = str
"""``kill before``/``kill after``/``fail before``/``fail after`` a COMMIT, ``locked`` at a BEGIN."""


class Killed(KeyboardInterrupt):
    """The process is no more; what the product never handles ends its stack."""


class HandClock:
    """Moved by hand. The monotonic one never goes back."""

    def __init__(self) -> None:
        self.time = START
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.move(max(seconds, 0.0))

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self._monotonic += max(seconds, 0.0)


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
        try:
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


class Crowd:
    """The whole: store, clock, network, workers, and what was found to be wrong."""

    def __init__(self, template: Path, kinds: dict[str, str]) -> None:
        Secret(TOKEN)
        place = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="postkit_crowd_", dir=place))
        self.path = self.folder / "postkit.db"
        shutil.copy(template, self.path)
        self.clock = HandClock()
        self.remote = Remote(self.clock.now, kinds)
        self.toy = Toy(self.remote)
        self.dead: set[str] = set()
        self.violations: list[str] = []
        self.errors: list[PostkitError] = []
        self.shut = False
        self.interlude: tuple[str, Callable[[Member], None]] | None = None
        self.announcements: dict[str, int] = {}
        self.paused: set[str] = set()
        """Accounts that a person has paused, as far as the person knows."""
        self.texts: dict[str, str] = {}
        """What was accepted or edited last, for each part."""
        self.not_before: dict[str, datetime] = {}
        """Deliveries that must not leave before then."""
        self._numbers = 0
        self.eye = sqlite3.connect(self.path, isolation_level=None)
        self.eye.row_factory = sqlite3.Row
        self.eye.execute("PRAGMA query_only=ON")
        self.database = Database(self.path)
        self.publications = PublicationRows(self.database, self.clock)
        self.accounts = AccountRows(self.database, self.clock)
        self.ledger = Ledger(self.database, self.clock, "person")
        self.changes = Changes(self.database, self.clock, "person")
        self.pauses = Pauses(self.database, self.clock, "person")
        self.members = [Member(self, self._name()) for _ in range(WORKERS)]

    def close(self) -> None:
        self.eye.close()
        self.database.close()
        for member in self.members:
            member.database.close()
        shutil.rmtree(self.folder)

    def _name(self) -> str:
        self._numbers += 1
        return f"process {self._numbers}"

    def open(self, member: Member) -> Database:
        database = Database(self.path, busy=0.5)
        database._connection = Wire(database._connection, member)  # type: ignore[assignment]
        return database

    def is_dead(self, owner: str) -> bool:
        return owner in self.dead

    def replace(self, member: Member) -> None:
        """Another process in the place of one that has died."""
        member.database.close()
        self.members[self.members.index(member)] = Member(self, self._name())

    def heard(self, error: PostkitError) -> None:
        self.errors.append(error)

    def wrong(self, text: str) -> None:
        self.violations.append(text)

    def meanwhile(self, where: str, member: Member) -> None:
        """What others do while a member is at this point."""
        if self.interlude is not None and self.interlude[0] == where:
            _, work = self.interlude
            self.interlude = None
            work(member)

    def other(self, member: Member) -> Member:
        return next(each for each in self.members if each is not member)

    def parts(self) -> list[sqlite3.Row]:
        return self.eye.execute("SELECT * FROM part ORDER BY delivery_id, position").fetchall()

    # What must hold at the moment at which a request leaves

    def announced(self, member: Member, account: str, outgoing: Outgoing) -> str:
        found = self.eye.execute(
            "SELECT * FROM part WHERE account_id = ? AND state = 'SENDING' AND owner = ?",
            (account, member.owner),
        ).fetchall()
        if len(found) != 1:
            self.wrong(f"I3: {member.owner} sends {outgoing.part.text!r} without a SENDING row")
            return ""
        row = found[0]
        name = str(row["id"])
        said = self.eye.execute(
            "SELECT count(*) FROM history WHERE part_id = ? AND event = 'send'", (name,)
        ).fetchone()[0]
        self.announcements[name] = self.announcements.get(name, 0) + 1
        if self.announcements[name] > said or row["outgoing"] is None:
            self.wrong(f"I3: request {self.announcements[name]} of {name}, {said} SENDING")
        now = self.clock.now()
        if account in self.paused:
            self.wrong(f"I4: {name} leaves while {account} is paused")
        if row["expires_at"] is not None and row["doubt_at"] is None:
            last = moment(row["expires_at"])
            # What a commit takes may pass between gate and socket.
            if now > last + timedelta(seconds=1):
                self.wrong(f"I4: {name} leaves at {now}, and expired at {last}")
        due = self.not_before.get(row["delivery_id"])
        if due is not None and now < due and not row["attempts"] > 1:
            self.wrong(f"I4: {name} leaves at {now}, and is due at {due}")
        if outgoing.part.text != self.texts.get(name):
            self.wrong(f"I5: {name} says {outgoing.part.text!r}, not {self.texts.get(name)!r}")
        self._in_order(row, outgoing)
        return name

    def _in_order(self, row: sqlite3.Row, outgoing: Outgoing) -> None:
        position = row["position"]
        if position == 1:
            if outgoing.parent is not None or outgoing.root is not None:
                self.wrong(f"I6: {row['id']} is first and has a parent")
            return
        before = [
            [post.id for post in self.remote.posts if post.part == f"{row['delivery_id']}.{number}"]
            for number in (1, position - 1)
        ]
        for what, receipt, ids in zip(
            ("root", "parent"), (outgoing.root, outgoing.parent), before, strict=True
        ):
            if receipt is None or receipt.id not in ids:
                self.wrong(f"I6: {row['id']} has the {what} {receipt}, not one of {ids}")

    # A process that is stopped for longer than its lease

    def overtake(self, stopped: Member) -> None:
        """Time passes and another worker works, while one is in the middle of something."""
        self.clock.move(STALL)
        self.other(stopped).turn()


STALL = LEASE.total_seconds() + 1

"""Three workers at one store, a person, a network, and a clock that a test owns."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postkit.accounts.secret import Secret
from postkit.clock import micros, moment
from postkit.deliver.changes import Changes
from postkit.deliver.ledger import LEASE, Ledger
from postkit.deliver.pauses import Pauses
from postkit.errors import PostkitError
from postkit.network import Outgoing
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import PublicationRows

from .member import Member, Wire
from .toy import TOKEN, Remote, Toy

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
ACCOUNTS = ("a_1", "a_2")
WORKERS = 3
A_SECOND = 1_000_000
"""Microseconds: what commits take may pass between a gate and what it lets through."""
STALL = LEASE.total_seconds() + 1
"""Seconds: for so long a process is stopped that others may take over from."""


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
            member.is_alone = False
            work(member)

    def other(self, member: Member) -> Member:
        return next(each for each in self.members if each is not member)

    def parts(self) -> list[sqlite3.Row]:
        return self.eye.execute("SELECT * FROM part ORDER BY delivery_id, position").fetchall()

    # What must hold at the moment at which a part is prepared, and at which its request leaves

    def claimed(self, member: Member, account: str) -> None:
        """Nothing is uploaded that is not to be sent, nor before its turn."""
        busy = self.eye.execute(
            "SELECT * FROM part WHERE account_id = ? AND state IN ('CLAIMED', 'SENDING')",
            (account,),
        ).fetchall()
        if [row["owner"] for row in busy] != [member.owner]:
            self.wrong(f"I3: {member.owner} works at {account}, as do {len(busy)} parts")
            return
        row, now = busy[0], micros(self.clock.now())
        if not member.is_alone:
            return
        if account in self.paused:
            self.wrong(f"I4: {row['id']} is prepared while {account} is paused")
        last = row["expires_at"] if row["doubt_at"] is None else None
        if last is not None and last < now - A_SECOND:
            self.wrong(f"I4: {row['id']} is prepared, and has expired")
        earlier = self.eye.execute(
            "SELECT id FROM part WHERE account_id = ? AND state IN ('SCHEDULED', 'IN_DOUBT') "
            "AND ready_at <= ? AND due_at < ?",
            (account, now - A_SECOND, row["due_at"]),
        ).fetchone()
        if earlier is not None:
            self.wrong(f"I6: {row['id']} is prepared before {earlier['id']}, which was due first")
        resume = self.eye.execute("SELECT resume_at FROM account WHERE id = ?", (account,))
        if resume.fetchone()["resume_at"] > now:
            self.wrong(f"I4: {row['id']} is prepared within the network's limit")

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

    def overtake(self, stopped: Member, seconds: float) -> None:
        """Time passes and another worker works, while one is in the middle of something."""
        self.clock.move(seconds)
        self.other(stopped).turn()

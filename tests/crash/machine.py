"""Everything that can happen to a crowd, as rules in any order; the invariants hold after each."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from postkit.clock import micros
from postkit.deliver.pauses import ALL, Scope
from postkit.errors import InputError, Refused
from postkit.network import Account, Receipt, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import Due, NewDelivery
from postkit.store.rows import DeliveryRow

from .crowd import ACCOUNTS, STALL, START, WORKERS, Crowd, HandClock
from .invariants import finished, problems
from .member import Member
from .toy import ANSWERS, GUARANTEES, QUIET

TROUBLES = ("kill before", "kill after", "fail before", "fail after", "locked")
FRESH = timedelta(hours=6)

some_number = st.integers(0, 63)
some_answers = st.lists(st.sampled_from(("accept", *ANSWERS)), max_size=3)
member_number = st.integers(0, WORKERS - 1)
seconds = st.sampled_from((0.0, 0.0, 1.0, 20.0, QUIET, 3 * QUIET, 1000.0, 4 * 3600.0))


def step(**given: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule, after which a worker has a turn: most orders that matter have one in between."""

    def wrap(act: Callable[..., None]) -> Any:
        @functools.wraps(act)
        def acts(self: Machine, then: int, answers: list[str], **values: Any) -> None:
            self.crowd.remote.script[:] = answers
            act(self, **values)
            if then < WORKERS:
                self.crowd.members[then].turn()

        del acts.__dict__["__wrapped__"]  # hypothesis looks at the signature
        then: Any = st.integers(0, WORKERS)
        decorate: Any = rule(then=then, answers=some_answers, **given)
        return decorate(acts)

    return wrap


def _template() -> Path:
    """A store with its accounts, made once."""
    folder = tempfile.mkdtemp(prefix="postkit_template_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "postkit.db"
    database = Database(path)
    accounts = AccountRows(database, HandClock())
    for number, name in enumerate(ACCOUNTS):
        accounts.add(Account(name, "toy", f"n{number}"))
    database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


TEMPLATE = _template()


class Machine(RuleBasedStateMachine):
    """A crowd, and everything that can happen to it."""

    crowd: Crowd

    def __init__(self) -> None:
        super().__init__()
        self.log = io.StringIO()
        self.handler = logging.StreamHandler(self.log)
        logger = logging.getLogger("postkit")
        self.level = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(self.handler)
        self.deliveries: list[str] = []
        self.sentences = 0
        self.is_broken = False

    @initialize(kinds=st.tuples(*[st.sampled_from(sorted(GUARANTEES))] * 2))
    def open(self, kinds: tuple[str, str]) -> None:
        self.crowd = Crowd(TEMPLATE, dict(zip(ACCOUNTS, kinds, strict=True)))

    def teardown(self) -> None:
        if not hasattr(self, "crowd"):
            return
        try:
            found = [] if self.is_broken else finished(self.crowd, self.log.getvalue())
        finally:
            logger = logging.getLogger("postkit")
            logger.removeHandler(self.handler)
            logger.setLevel(self.level)
            self.crowd.close()
        assert not found, found

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "crowd"):
            found = problems(self.crowd)
            self.is_broken = bool(found)
            assert not found, found

    # A person

    def _name(self, number: int) -> DeliveryRow:
        name = self.deliveries[number % len(self.deliveries)]
        return self.crowd.publications.delivery(name)

    def _parts(self, count: int) -> list[RenderedPart]:
        self.sentences += 1
        return [RenderedPart(f"Sentence {self.sentences}, {n} of {count}") for n in range(count)]

    def _new(self, name: str, account: str, parts: Sequence[RenderedPart], when: Due) -> Any:
        return NewDelivery(
            name, account, f"toy:{account}", "toy", None, parts[0].text, parts, [], [], None, when
        )

    def _wrote(self, name: str, parts: Sequence[RenderedPart]) -> None:
        for number, part in enumerate(parts, 1):
            self.crowd.texts[f"{name}.{number}"] = part.text

    @step(
        accounts=st.sampled_from((ACCOUNTS[:1], ACCOUNTS[1:], ACCOUNTS)),
        count=st.integers(1, 3),
        wait=seconds,
        fresh=st.sampled_from((None, timedelta(minutes=5), FRESH)),
    )
    def schedule(
        self, accounts: Sequence[str], count: int, wait: float, fresh: timedelta | None
    ) -> None:
        self._accept(accounts, count, wait, fresh)

    def _accept(
        self, accounts: Sequence[str], count: int, wait: float, fresh: timedelta | None
    ) -> None:
        crowd = self.crowd
        at = crowd.clock.now() + timedelta(seconds=wait)
        new = []
        for account in accounts:
            name = f"d_{len(self.deliveries) + 1:03}"
            parts = self._parts(count)
            self.deliveries.append(name)
            self._wrote(name, parts)
            crowd.not_before[name] = at
            new.append(self._new(name, account, parts, Due(at, at + fresh if fresh else None)))
        crowd.publications.accept(f"p_{len(self.deliveries)}", new, content="c", again=True)

    def _edit(self, row: DeliveryRow, count: int) -> None:
        parts = self._parts(count)
        new = self._new(row.id, row.account_id, parts, Due(START, None))
        with contextlib.suppress(InputError):
            self.crowd.changes.edit([(row, new)])
            self._wrote(row.id, parts)

    @step(count=st.integers(1, 3), number=some_number)
    def publish(self, count: int, number: int) -> None:
        """Due at once: what the others are about."""
        self._accept(ACCOUNTS[number % 2 :][:1], count, 0.0, FRESH)

    @precondition(lambda self: self.deliveries)
    @step(number=some_number, count=st.integers(1, 3))
    def edit(self, number: int, count: int) -> None:
        self._edit(self._name(number), count)

    def _reschedule(self, row: DeliveryRow, wait: float) -> None:
        at = self.crowd.clock.now() + timedelta(seconds=wait)
        with contextlib.suppress(InputError):
            self.crowd.changes.reschedule([row], Due(at, at + FRESH))
            self.crowd.not_before[row.id] = at

    @precondition(lambda self: self.deliveries)
    @step(number=some_number, wait=seconds)
    def reschedule(self, number: int, wait: float) -> None:
        self._reschedule(self._name(number), wait)

    @precondition(lambda self: self.deliveries)
    @step(number=some_number)
    def cancel(self, number: int) -> None:
        self.crowd.changes.cancel(self._name(number), "A person cancelled it.")

    def _pause(self, which: int) -> None:
        scopes = (
            (Scope("toy:n0", "toy", ACCOUNTS[0], None), ACCOUNTS[:1]),
            (Scope("toy", "toy"), ACCOUNTS),
            (ALL, ACCOUNTS),
        )
        scope, accounts = scopes[which]
        on_their_way = {part.id for part in self.crowd.pauses.add([scope], "because")}
        self.crowd.paused.update(accounts)
        there = {
            row["id"]
            for row in self.crowd.parts()
            if row["state"] in ("SENDING", "IN_DOUBT") and row["account_id"] in accounts
        }
        if on_their_way != there:
            self.crowd.wrong(f"I4: on their way are {there}, told was {on_their_way}")

    @step(which=st.integers(0, 2))
    def pause(self, which: int) -> None:
        self._pause(which)

    @precondition(lambda self: self.crowd.paused)
    @step(send=st.booleans())
    def unpause(self, send: bool) -> None:
        crowd = self.crowd
        now = micros(crowd.clock.now())
        before = {row["id"] for row in crowd.parts() if row["state"] == "HELD"}
        fell_due = {
            row["id"]
            for row in crowd.parts()
            if row["state"] == "SCHEDULED"
            and row["ready_at"] is not None
            and row["due_at"] <= now
            and row["account_id"] in crowd.paused
        }
        scopes = [pause.scope for pause in crowd.pauses.all()]
        _, held = crowd.pauses.end(scopes, send=send)
        crowd.paused.clear()
        still = {row["id"] for row in crowd.parts() if row["state"] == "HELD"}
        told = {part.id for part in held}
        if send:
            for part in held:
                crowd.not_before.pop(part.delivery_id, None)
        if not fell_due <= told <= before | fell_due:
            crowd.wrong(f"I4: {before} were held and {fell_due} fell due; told was {told}")
        if still != (before - told if send else before | fell_due):
            crowd.wrong(f"I4: of {before}, {told} were told, and {still} are still held")

    @precondition(lambda self: self.deliveries)
    @step(number=some_number)
    def release(self, number: int) -> None:
        row = self._name(number)
        held = [
            part
            for part in self.crowd.ledger.parts(row.id)
            if part.state == "HELD" and part.held_reason in ("paused", "cannot_be_sent")
        ]
        if row.account_id in self.crowd.paused and held:
            with pytest.raises(InputError):
                self.crowd.pauses.release(held)
        else:
            self.crowd.pauses.release(held)
            self.crowd.not_before.pop(row.id, None)

    @step(number=some_number, word=st.sampled_from(("resend", "give up")))
    def answer(self, number: int, word: str) -> None:
        """The truth, and what is to be done where nothing is live."""
        crowd = self.crowd
        asked = [row["id"] for row in crowd.parts() if row["state"] == "UNCERTAIN"]
        if not asked:
            return
        name = asked[number % len(asked)]
        delivery, _, position = name.rpartition(".")
        part = crowd.ledger.parts(delivery)[int(position) - 1]
        posts = [post for post in crowd.remote.posts if post.part == name]
        if posts:
            receipt = Receipt(posts[0].id)
            crowd.ledger.live(part, "is_live", receipt, "A person found it.")
        elif word == "resend":
            crowd.ledger.resend(part, "A person says that it is not live.")
        else:
            crowd.ledger.failed(part, "give_up", Refused("A person gave it up."))

    @step()
    def retry(self) -> None:
        for row in self.crowd.parts():
            if row["state"] == "FAILED":
                delivery, _, position = row["id"].rpartition(".")
                self.crowd.ledger.retry(self.crowd.ledger.parts(delivery)[int(position) - 1])

    # Workers

    @step()
    def wait(self) -> None:
        pass

    @step(number=member_number, trouble=st.sampled_from(TROUBLES), countdown=st.integers(1, 7))
    def work_in_trouble(self, number: int, trouble: str, countdown: int) -> None:
        member = self.crowd.members[number]
        member.trouble, member.countdown = trouble, countdown
        member.turn()

    @step(
        number=member_number,
        where=st.sampled_from(("preparing", "preparing", "leaving")),
        what=st.sampled_from(
            ("overtake", "side by side", "pause", "pause", "edit", "reschedule", "cancel", "die")
        ),
        other=some_number,
    )
    def work_meanwhile(self, number: int, where: str, what: str, other: int) -> None:
        """Something happens while a worker is in the middle of a part."""
        self._accept(ACCOUNTS[other % 2 :][:1], 1 + other % 3, 0.0, FRESH)
        row = self._name(-1 if other % 3 else other)

        def happens(member: Member) -> None:
            match what:
                case "overtake":
                    self.crowd.overtake(member, STALL)
                case "side by side":
                    self.crowd.overtake(member, 1.0)
                case "pause":
                    self._pause(other % 3)
                case "edit":
                    self._edit(row, 1 + other % 3)
                case "reschedule":
                    self._reschedule(row, 60.0)
                case "cancel":
                    self.crowd.changes.cancel(row, "A person cancelled it.")
                case _:
                    member.die()

        self.crowd.interlude = (where, happens)
        self.crowd.members[number].turn()
        self.crowd.interlude = None

    @step(number=member_number)
    def kill(self, number: int) -> None:
        """Between two turns."""
        member = self.crowd.members[number]
        self.crowd.dead.add(member.owner)
        self.crowd.replace(member)

    # Time

    @step(by=st.sampled_from((1.0, 20.0, QUIET, 200.0, 1000.0, 7 * 3600.0, 86_400.0)))
    def forward(self, by: float) -> None:
        self.crowd.clock.move(by)

    @step(what=st.sampled_from(("log in", "log in", "shut vault", "hidden list", "clock back")))
    def weather(self, what: str) -> None:
        crowd = self.crowd
        match what:
            case "log in":
                for account in crowd.accounts.all():
                    crowd.accounts.set_state(account.id, "ok")
            case "shut vault":
                crowd.shut = True
            case "hidden list":
                crowd.remote.blind_until = crowd.clock.now() + timedelta(seconds=200)
            case _:
                crowd.clock.move(-3600.0)

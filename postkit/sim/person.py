"""The person whose posts they are: schedules them, answers questions truthfully, connects again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ..deliver.changes import Changes
from ..deliver.ledger import Ledger
from ..deliver.pauses import ALL, Pauses, Scope
from ..errors import PostkitError, Refused
from ..network import Account, Identity, RenderedPart
from ..store.accounts import AccountRows
from ..store.publications import Due, NewDelivery, PublicationRows
from ..store.rows import PartRow
from .clock import EPOCH, SECOND, SimClock
from .faults import PointName
from .network import HOST, receipt_of
from .remote import Post
from .schedule import Thread, Visit
from .store import Gate, SimDatabase

if TYPE_CHECKING:
    from .world import World

HOUR = 3600.0


class Person:
    """Uses programs that nothing interrupts; a store that is held by others is tried again."""

    dead = False

    def __init__(self, world: World) -> None:
        self._world = world
        clock = SimClock(world.time, self.sleep)
        database = SimDatabase(Gate(world.store, self, world.time))
        self._accounts = AccountRows(database, clock)
        self._publications = PublicationRows(database, clock)
        self._ledger = Ledger(database, clock, "person")
        self._changes = Changes(database, clock, "person")
        self._pauses = Pauses(database, clock, "person")
        self._resent: dict[str, int] = {}
        self._retried: set[str] = set()
        self._away: set[str] = set()

    # As a user of the store

    def check(self) -> None:
        pass

    def point(self, name: PointName) -> float:  # noqa: ARG002 - the interface decides
        return 0.0

    def sleep(self, seconds: float) -> None:  # noqa: ARG002 - the interface decides
        raise RuntimeError("a person's program does not wait; a defect of the simulation")

    stop = sleep

    def committed(self, changes: list[tuple[str, str, int]]) -> None:
        self._world.committed("person", changes)

    # What a person does

    def schedule_all(self) -> None:
        schedule = self._world.schedule
        for number in range(schedule.accounts):
            name = f"a_{number}"
            identity = Identity(name, name, f"{HOST}/{name}")
            settings = {"quiet": schedule.quiet} if schedule.quiet is not None else {}
            self._accounts.add(
                Account(name, "simulated", name, identity=identity, settings=settings)
            )
        self._publications.accept(
            "p_1", [_delivery(thread) for thread in schedule.threads], content="", again=True
        )
        if schedule.older:
            thread = schedule.threads[0]
            content = (thread.parts[0].text, None, None)
            self._world.remote.add(f"a_{thread.account}", content, -2 * 3600 * SECOND)

    def plan(self, visit: Visit) -> None:
        """To do that when its time has come."""
        acts: dict[str, Callable[[], object]] = {
            "pause": lambda: self._pause(visit),
            "cancel": lambda: self._changes.cancel(
                self._publications.delivery(self._delivery(visit.number)), "A person cancelled it."
            ),
            "finish": lambda: self._world.start(self._delivery(visit.number)),
            "jump": lambda: self._world.jump(visit.number * HOUR),
        }
        self._at(visit.at, f"{visit.what} {visit.number}", acts[visit.what])

    def hear(self, state: str, name: str) -> None:
        """Something has changed that may need an answer."""
        dice, now = self._world.dice, self._world.time.now
        if state == "UNCERTAIN":
            after = int(dice.uniform(60.0, 3 * HOUR) * SECOND)
            self._at(now + after, f"answers for {name}", lambda: self._answer(name))
        elif state == "needs_login" and name not in self._away:
            self._away.add(name)
            after = int(dice.uniform(60.0, 2 * HOUR) * SECOND)
            self._at(now + after, f"connects {name} again", lambda: self._connect(name))
        elif state == "HELD":
            self._at(now + int(HOUR * SECOND), f"releases {name}", lambda: self._release(name))
        elif state == "FAILED" and name not in self._retried and dice.random() < 0.25:
            self._retried.add(name)
            after = int(dice.uniform(60.0, HOUR) * SECOND)
            self._at(now + after, f"tries {name} again", lambda: self._retry(name))

    def _at(self, when: int, what: str, act: Callable[[], object]) -> None:
        world = self._world

        def now() -> None:
            if world.store.holder is not None:
                world.time.at(world.time.now + 2 * SECOND, now)
                return
            world.note("person", what)
            with contextlib.suppress(PostkitError):
                act()

        world.time.at(when, now)

    def _pause(self, visit: Visit) -> None:
        scopes = [self._scope(visit.number)]
        self._pauses.add(scopes, "wait")
        end = self._world.time.now + int(visit.seconds * SECOND)
        self._at(end, f"unpause {visit.number}", lambda: self._pauses.end(scopes, send=True))

    def _scope(self, number: int) -> Scope:
        if number == self._world.schedule.accounts:
            return ALL
        return Scope(f"simulated:a_{number}", "simulated", f"a_{number}")

    def _delivery(self, number: int) -> str:
        return self._world.schedule.threads[number].id

    def _part(self, name: str) -> PartRow:
        delivery, _, position = name.rpartition(".")
        return self._ledger.parts(delivery)[int(position) - 1]

    def _connect(self, account: str) -> None:
        self._away.discard(account)
        self._world.wire.expired.discard(account)
        self._accounts.set_state(account, "ok")

    def _release(self, name: str) -> None:
        """What nothing could be sent of for a day; what is paused waits for the pause's end."""
        part = self._part(name)
        if part.state == "HELD" and part.held_reason == "cannot_be_sent":
            self._pauses.release([part])

    def _retry(self, name: str) -> None:
        part = self._part(name)
        if part.state == "FAILED":
            if self._world.watch.may_still_come(name):
                self._world.watch.resent_too_early.add(name)
            self._ledger.retry(part)

    def _answer(self, name: str) -> None:
        """The truth as it is now, as far as anybody could see it at the network."""
        part = self._part(name)
        if part.state != "UNCERTAIN":
            return
        world = self._world
        world.remote.settle(world.time.now)
        post = self._seen(part)
        times = self._resent.get(name, 0)
        if post is not None:
            self._ledger.live(part, "is_live", receipt_of(post.id), "A person found it.")
            world.note("person", "{} is live as {}", name, post.id)
        elif times >= 2 or world.dice.random() < 0.15:
            self._ledger.failed(part, "give_up", Refused("A person gave it up."))
            world.watch.given_up.add(name)
        else:
            self._resent[name] = times + 1
            if world.watch.may_still_come(name):
                world.watch.resent_too_early.add(name)
                world.note("person", "{} is not there yet, and will come", name)
            self._ledger.resend(part, "A person says that it is not live.")

    def _seen(self, part: PartRow) -> Post | None:
        """A post of ours that says the same in the same place and settles no part yet."""
        world = self._world
        wanted = world.watch.likeness(part)
        listed = [
            post
            for post in world.remote.posts
            if post.part is not None and world.watch.likeness_of(post) == wanted
        ]
        settled = self._ledger.settled_by(part.account_id, [post.id for post in listed])
        return next((post for post in listed if post.id not in settled), None)


def _delivery(thread: Thread) -> NewDelivery:
    due = EPOCH + timedelta(microseconds=thread.due)
    expires = EPOCH + timedelta(microseconds=thread.expires) if thread.expires is not None else None
    parts = [
        RenderedPart(part.text, (), {"part": f"{thread.id}.{number}", "pictures": part.pictures})
        for number, part in enumerate(thread.parts, 1)
    ]
    account = f"a_{thread.account}"
    return NewDelivery(
        thread.id, account, f"simulated:{account}", "simulated", None, thread.id, parts, (), (),
        None, Due(due, expires),
    )  # fmt: skip

"""One simulated machine with its processes, its store, a network, and a person."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..network import Receipt
from ..store.media import MediaFiles
from .baton import Stage
from .clock import SECOND
from .faults import PointName
from .network import network_of
from .person import Person
from .process import Process
from .remote import Content, Remote
from .schedule import Interruption, Schedule
from .store import Store
from .timeline import Time
from .watch import Violation, Watch
from .wire import Wire

if TYPE_CHECKING:
    from .network import SimNetwork

MOST_POINTS = 40_000
"""A schedule that comes to more of them will never come to rest."""
HOUR = 3600 * SECOND


class World:
    """Everything of one schedule. ``play`` runs it until nothing will ever happen any more."""

    def __init__(self, schedule: Schedule, store: Store, stage: Stage) -> None:
        self.schedule = schedule
        self.dice: random.Random = schedule.dice
        self.store = store
        self.stage = stage
        self.time = Time()
        self.over = False
        self.points = 0
        self.left_behind = -1
        """When a process has died last."""
        self.trace: list[tuple[int, str, str, tuple[Any, ...]]] = []
        self.violations: list[Violation] = []
        self.spooled: dict[tuple[str, int], Receipt] = {}
        self.media = MediaFiles(Path("simulated"))
        self.remote = Remote(schedule.kind, lambda text: self.note("network", text))
        self.wire = Wire(self)
        self.network: SimNetwork = network_of(self)
        self.watch = Watch(self)
        self.person = Person(self)
        self._keys = 0
        self._numbers = 0
        self._waiting = list(schedule.interruptions)
        self._live: list[Process] = []
        self._ended: set[str] = set()

    # The run

    def play(self) -> None:
        self.store.reset()
        self.person.schedule_all()
        for start in self.schedule.processes:
            self.time.at(start, self.start)
        for visit in self.schedule.visits:
            self.person.plan(visit)
        self.stage.play(self.choose)
        if not self.over:
            pending = self.remote.next_at()
            while pending is not None:
                self.time.now = max(self.time.now, pending)
                self.remote.settle(pending)
                pending = self.remote.next_at()

    def choose(self) -> Process | None:
        """Who goes on now; what happens to the world before that happens in here."""
        while True:
            if self.over:
                return next((p for p in self._live if p.hand is not None), None)
            due = self.store.next_at()
            ready = self.time.true_of(due) if due is not None else None
            first: list[Process] = []
            when: int | None = None
            for process in self._live:
                at = process.is_due(ready)
                if at is None:
                    continue
                if when is None or at < when:
                    first, when = [process], at
                elif at == when:
                    first.append(process)
            event = self.time.next()
            if event is not None and (when is None or event <= when):
                self.time.pop()()
                continue
            if when is None:
                if ready is not None and not any(
                    p.delivery is None and not p.dead for p in self._live
                ):
                    self.start()
                    continue
                return None
            self.time.now = max(self.time.now, when)
            return first[0] if len(first) == 1 else self.dice.choice(first)

    # What happens to processes

    def start(self, delivery: str | None = None) -> None:
        self._numbers += 1
        process = Process(self, self._numbers, delivery)
        self._live = [p for p in self._live if not p.dead or p.hand is not None]
        self._live.append(process)
        self.note(process.owner, "starts{}", f" to finish {delivery}" if delivery else "")

    def died(self, process: Process) -> None:
        self._ended.add(process.owner)
        self.left_behind = self.time.now
        if process.delivery is None and self.dice.random() < 0.8:
            self.time.at(self.time.now + int(self.dice.uniform(0, 600) * SECOND), self.start)

    def is_dead(self, owner: str) -> bool:
        if not self.schedule.knows_the_dead:
            return False
        return owner in self._ended or not any(p.owner == owner and not p.dead for p in self._live)

    def has_in_hand(self, part: str) -> bool:
        """Whether a process that lives has announced a request of the part and not made it."""
        return any(not p.dead and p.hand is not None and p.may_send.get(part) for p in self._live)

    def interruption(self, name: PointName) -> Interruption | None:
        """What happens at this point, once its turn has come."""
        self.points += 1
        if self.points > MOST_POINTS:
            self.violated("restless", "the schedule", "It never comes to rest.")
            self.over = True
            return None
        waiting = self._waiting
        if not waiting:
            return None
        for number, one in enumerate(waiting):
            if one.point is None or one.point == name:
                left = one.count - 1
                if left <= 0:
                    del waiting[number]
                    return one
                waiting[number] = Interruption(one.point, left, one.action, one.seconds)
        return None

    def jump(self, seconds: float) -> None:
        """The wall clock is set; never further than an hour from the truth."""
        wrong = self.time.wrong_by + int(seconds * SECOND)
        self.time.wrong_by = max(-HOUR, min(HOUR, wrong))
        self.watch.clock_was_wrong = True
        self.note("clock", "is wrong by {} s now", self.time.wrong_by // SECOND)

    # What is told

    def committed(self, who: str, changes: list[tuple[str, str, int]]) -> None:
        for state, name, fence in changes:
            self.note(who, "{} is {} (fence {})", name, state, fence)
            if state == "SENDING":
                self.watch.announced(name)
            else:
                self.person.hear(state, name)

    def foreign(self, account: str, content: Content) -> None:
        self.remote.settle(self.time.now)
        self.remote.add(account, content, self.time.now)

    def new_key(self) -> str:
        self._keys += 1
        return f"k{self._keys}"

    def note(self, who: str, what: str, *values: Any) -> None:
        self.trace.append((self.time.now, who, what, values))

    def violated(self, kind: str, about: str, text: str) -> None:
        self.violations.append(Violation(kind, about, text))
        self.note("check", "{}: {}: {}", kind, about, text)

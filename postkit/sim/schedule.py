"""One schedule out of one seed: what is posted, who works, and what goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .classes import Class
from .clock import SECOND
from .faults import CREATE_FAULTS, POINTS, READ_FAULTS, Action, CreateFault, PointName, ReadFault

LEASE = 120
PROCESSES = (60, 25, 7, 4, 4)
DELIVERIES = (78, 16, 6)
LENGTHS = (82, 11, 3, 2, 2)
"""Of a hundred schedules, how many have one, two, three of them, and so on."""


@dataclass(frozen=True, slots=True)
class Text:
    """One part as it is posted."""

    text: str
    pictures: int


@dataclass(frozen=True, slots=True)
class Thread:
    """One delivery. Times are microseconds since the start."""

    id: str
    account: int
    due: int
    expires: int | None
    parts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Interruption:
    """At the ``count``-th time that any process comes to ``point`` (None: to any)."""

    point: PointName | None
    count: int
    action: Action
    seconds: float


@dataclass(frozen=True, slots=True)
class Visit:
    """What a person does at a time: pauses an account for ``seconds``, cancels, sets the clock,
    starts a program that finishes a delivery."""

    at: int
    what: str
    number: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that is drawn before the first step; ``dice`` go on from there."""

    kind: Class
    seed: int
    accounts: int
    threads: tuple[Thread, ...]
    processes: tuple[int, ...]
    """When each of them starts."""
    interruptions: tuple[Interruption, ...]
    creates: tuple[CreateFault, ...]
    create_rate: float
    create_most: int
    reads: tuple[ReadFault, ...]
    read_rate: float
    read_most: int
    foreign_rate: float
    older: bool
    renews: bool
    knows_the_dead: bool
    visits: tuple[Visit, ...]
    quiet: float | None
    """Seconds that the account's own setting names instead of the class's quiet window."""
    rate: tuple[int, int] | None
    """Posts in seconds that the network declares."""
    dice: random.Random


def draw(kind: Class, seed: int) -> Schedule:
    """The same for the same class and seed, on every machine."""
    dice = random.Random(f"{kind.name}:{seed}")  # noqa: S311 - a schedule, not a secret
    chance = dice.random
    accounts = 1 if chance() < 0.75 else 2
    threads = _threads(dice, accounts)
    creates = tuple(f for f in CREATE_FAULTS if chance() < 0.35)
    reads = tuple(f for f in READ_FAULTS if chance() < 0.3 and (f != "forbidden" or kind.may_ask))
    return Schedule(
        kind=kind,
        seed=seed,
        accounts=accounts,
        threads=threads,
        processes=tuple(int(chance() * 5 * SECOND) for _ in range(_one_of(dice, PROCESSES))),
        interruptions=_interruptions(dice),
        creates=creates,
        create_rate=dice.choice((0.0, 0.2, 0.5, 0.9)) if creates else 0.0,
        create_most=dice.randint(1, 5),
        reads=reads,
        read_rate=dice.choice((0.0, 0.0, 0.2, 0.5)) if reads else 0.0,
        read_most=dice.randint(1, 8),
        foreign_rate=0.5 if chance() < 0.12 else 0.0,
        older=chance() < 0.05,
        renews=chance() < 0.5,
        knows_the_dead=chance() < 0.7,
        visits=_visits(dice, accounts, len(threads)),
        quiet=150.0 if kind.plain.quiet > 150 and chance() < 0.75 else None,
        rate=(dice.randint(1, 4), dice.choice((60, 900))) if chance() < 0.1 else None,
        dice=dice,
    )


def _one_of(dice: random.Random, shares: tuple[int, ...]) -> int:
    return dice.choices(range(1, len(shares) + 1), shares)[0]


def _threads(dice: random.Random, accounts: int) -> tuple[Thread, ...]:
    chance = dice.random
    repeats = chance() < 0.08
    found: list[Thread] = []
    for number in range(1, _one_of(dice, DELIVERIES) + 1):
        length = _one_of(dice, LENGTHS)
        due = int(chance() * 400) * SECOND if chance() < 0.5 else 10 * SECOND
        parts = tuple(
            Text(
                f"text {position}" if repeats else f"text {number}.{position}",
                1 if chance() < 0.25 else 0,
            )
            for position in range(1, length + 1)
        )
        fresh = chance()
        expires = due + (6 * 3600 if fresh < 0.8 else 300) * SECOND if fresh < 0.95 else None
        found.append(Thread(f"d_{number}", dice.randrange(accounts), due, expires, parts))
    return tuple(found)


def _interruptions(dice: random.Random) -> tuple[Interruption, ...]:
    found: list[Interruption] = []
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        action: Action = dice.choice(
            ("kill", "kill", "stall", "stall", "switch", "switch", "busy", "busy_after", "jump")
        )
        point: PointName | None = dice.choice(POINTS) if dice.random() < 0.7 else None
        if action == "busy":
            point = "before COMMIT"
        elif action == "busy_after":
            point = "after COMMIT"
        early = dice.random() < 0.6 and point is not None
        seconds = dice.uniform(0.5, 3.0) * LEASE
        if action == "switch":
            seconds = dice.choice((0.001, 0.1, 1.0, 20.0))
        elif action == "jump":
            seconds = dice.choice((-3600.0, 3600.0))
        found.append(Interruption(point, dice.randint(1, 4 if early else 30), action, seconds))
    return tuple(found)


def _visits(dice: random.Random, accounts: int, deliveries: int) -> tuple[Visit, ...]:
    found: list[Visit] = []
    if dice.random() < 0.2:
        number = dice.randrange(accounts + 1)
        begin = int(dice.uniform(0, 300) * SECOND)
        found.append(Visit(begin, "pause", number, dice.uniform(1, 3000)))
    if dice.random() < 0.06:
        at = int(dice.uniform(0, 1500) * SECOND)
        found.append(Visit(at, "cancel", dice.randrange(deliveries)))
    if dice.random() < 0.2:
        at = int(dice.uniform(5, 200) * SECOND)
        found.append(Visit(at, "finish", dice.randrange(deliveries)))
    if dice.random() < 0.08:
        at = int(dice.uniform(0, 1500) * SECOND)
        found.append(Visit(at, "jump", dice.choice((-1, 1))))
    return tuple(found)

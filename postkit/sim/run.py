"""One schedule: from its seed to its verdict, always by the same steps."""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass

from .baton import Stage
from .check import Counts, check
from .classes import CLASSES
from .clock import SECOND
from .schedule import draw
from .store import Store
from .watch import Violation
from .world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one schedule. ``trace`` is every step in words."""

    kind: str
    seed: int
    counts: Counts
    violations: tuple[Violation, ...]
    trace: tuple[str, ...]

    @property
    def trace_hash(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


class Simulator:
    """Runs schedules, one after another, with one store and one set of threads."""

    def __init__(self) -> None:
        self._store = Store()
        self._stage = Stage()

    def run(self, kind: str, seed: int, *, traced: bool = False) -> Outcome:
        """``kind`` is the name of a class."""
        world = World(draw(CLASSES[kind], seed), self._store, self._stage)
        try:
            world.play()
            counts = check(world)
        except Exception:  # noqa: BLE001 - a seed that breaks the simulation must be known
            world.violated("defect", "the simulation", traceback.format_exc())
            counts = Counts(schedules=1, creates=world.watch.creates)
        trace = tuple(_line(*step) for step in world.trace) if traced else ()
        return Outcome(kind, seed, counts, tuple(world.violations), trace)


def _line(at: int, who: str, what: str, values: tuple[object, ...]) -> str:
    text = what.format(*values) if values else what
    return f"{at / SECOND:12.3f}  {who:<12} {text}"

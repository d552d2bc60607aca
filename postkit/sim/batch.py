"""Many schedules, side by side in several interpreters."""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .check import Counts
from .run import Simulator
from .watch import Violation

CHUNK = 50
"""Schedules that an interpreter runs between two reports."""
Job = tuple[str, range]
_simulator: Simulator | None = None


@dataclass(slots=True)
class Tally:
    """What all schedules of one class came to. ``seconds`` is processor time."""

    kind: str
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    broken: dict[int, tuple[Violation, ...]] = field(default_factory=dict)
    """By seed."""


def run_all(
    kinds: Sequence[str],
    seeds: range,
    *,
    jobs: int = 1,
    told: Callable[[int, int], None] | None = None,
) -> list[Tally]:
    """Run each seed of each class. ``told`` hears how many schedules are done, of how many."""
    tallies = {kind: Tally(kind) for kind in kinds}
    work = [(kind, seeds[at : at + CHUNK]) for kind in kinds for at in range(0, len(seeds), CHUNK)]
    total = len(kinds) * len(seeds)
    done = 0
    with _results(work, jobs) as results:
        for part in results:
            tally = tallies[part.kind]
            tally.counts.add(part.counts)
            tally.seconds += part.seconds
            tally.broken.update(part.broken)
            done += part.counts.schedules
            if told is not None:
                told(done, total)
    return list(tallies.values())


@contextlib.contextmanager
def _results(work: Sequence[Job], jobs: int) -> Iterator[Iterator[Tally]]:
    if jobs < 2:
        with _quiet():
            yield map(_run, work)
        return
    # Threads of a simulator do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, initializer=_begin) as pool:
        yield pool.imap_unordered(_run, work)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    gc.disable()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _run(job: Job) -> Tally:
    global _simulator  # one for each interpreter: its store and threads are used again
    if _simulator is None:
        _simulator = Simulator()
    kind, seeds = job
    tally = Tally(kind)
    started = time.process_time()
    for seed in seeds:
        outcome = _simulator.run(kind, seed)
        tally.counts.add(outcome.counts)
        if outcome.violations:
            tally.broken[seed] = outcome.violations
    gc.collect()
    tally.seconds = time.process_time() - started
    return tally

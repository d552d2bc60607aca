from __future__ import annotations

import os
import subprocess
import sys

import pytest

from postkit.sim.batch import run_all
from postkit.sim.classes import CLASSES, DECLARED
from postkit.sim.run import Simulator
from postkit.sim.schedule import draw

SIZE = int(os.environ.get("POSTKIT_SIM", "120"))
PROGRAM = """
import logging, sys
from postkit.sim.run import Simulator
logging.disable(logging.CRITICAL)
simulator = Simulator()
for kind, seed in (("key", 7), ("read_back", 12), ("probe", 101)):
    print(simulator.run(kind, seed, traced=True).trace_hash)
"""


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.timeout(3600)
def test_no_promise_is_broken(kind: str) -> None:
    tally = run_all([kind], range(SIZE))[0]
    assert {seed: [str(v) for v in found] for seed, found in tally.broken.items()} == {}
    assert tally.counts.schedules == SIZE
    assert tally.counts.creates > SIZE
    assert tally.counts.live > SIZE


def test_the_same_seed_takes_the_same_steps(simulator: Simulator) -> None:
    for seed in range(40):
        one = simulator.run("read_back", seed, traced=True)
        other = Simulator().run("read_back", seed, traced=True)
        assert one.trace == other.trace
        assert one.counts == other.counts


def test_the_same_seed_takes_the_same_steps_in_another_interpreter() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": number},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for number in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0].split()) == 3


def test_schedules_differ(simulator: Simulator) -> None:
    hashes = {simulator.run("key", seed, traced=True).trace_hash for seed in range(30)}
    assert len(hashes) == 30


def test_every_fault_is_drawn() -> None:
    """A fault that no schedule has would prove nothing."""
    schedules = [draw(CLASSES["key"], seed) for seed in range(500)]
    creates = {fault for s in schedules for fault in s.creates}
    reads = {fault for s in schedules for fault in s.reads}
    actions = {(i.action, i.point) for s in schedules for i in s.interruptions}
    assert len(creates) == 16
    assert len(reads) == 7
    for point in ("before BEGIN", "before COMMIT", "after COMMIT", "before the socket"):
        assert {("kill", point), ("stall", point), ("switch", point)} <= actions
    assert {("kill", "request written"), ("kill", "answered")} <= actions
    assert {len(s.processes) for s in schedules} == {1, 2, 3, 4, 5}
    assert {len(t.parts) for s in schedules for t in s.threads} == {1, 2, 3, 4, 5}


def test_a_question_is_asked_in_the_classes_that_allow_it() -> None:
    tallies = run_all(DECLARED, range(60))
    asked = {tally.kind for tally in tallies if tally.counts.uncertain}
    assert {"read_back", "blind"} <= asked


def test_accepted_later_than_the_window_is_a_question(simulator: Simulator) -> None:
    """Where a class cannot absorb it."""
    late = 0
    for seed in range(400):
        outcome = simulator.run("read_back", seed, traced=True)
        if any(line.endswith(": too_late") for line in outcome.trace):
            late += 1
            assert not outcome.violations
            said = any(" is UNCERTAIN" in line or " is LIVE" in line for line in outcome.trace)
            assert said, outcome.trace
    assert late > 5

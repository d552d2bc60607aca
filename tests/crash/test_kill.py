"""SIGKILL at every persisted change and every step at the socket: each part ends live, once.

``POSTKIT_CRASH=full`` takes every ordered pair of kills instead of a sample; ``pytest -rP`` shows
how many there were.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator

import pytest

from .killing import FULL, NETWORKS, SEED, Scene, Stage, faults_of, staged

SHARES = 8 if FULL else 2
PAIRS = 4
"""Pairs of one share in the small size: 48 in all."""
OUT_OF_REACH = 0.05
"""A second kill may wait for a look that this run had no need of; so many at most."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


def struck(scene: Scene, *points: str) -> tuple[bool, str]:
    """Kill one process at each of the points in turn, finish, judge: was the last one killed, and
    what is wrong."""
    run = scene.begin()
    children = [run.go(point) for point in points]
    assert all(child.was_killed for child in children[:-1]), run.story
    faults = faults_of(run.settled())
    if not faults:
        run.clear()
    return children[-1].was_killed, faults


def recovery(scene: Scene, point: str) -> list[str]:
    """What the process passes that goes on after a kill."""
    run = scene.begin()
    run.go(point)
    found = run.go().points
    run.clear()
    return found


def test_the_points_are_all_there(stage: Stage) -> None:
    """Every change of a plain delivery, at all four moments, and every step at the socket."""
    points = stage("mastodon").points
    for event in ("claim", "prepared", "send", "accepted"):
        for moment in ("before", "in", "after"):
            assert f"commit {event}: {moment} 1" in points
        assert any(p.startswith(f"inside, before INSERT INTO history {event}") for p in points)
    create = "POST /mastodon/api/v1/statuses"
    steps = ("before connect", "before headers", "headers written", "body written", "first byte")
    for step in (*steps, "answered"):
        assert f"{create}: {step} 1" in points
        assert f"{create}: {step} 2" in points


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("network", NETWORKS)
def test_one_kill(stage: Stage, network: str, share: int) -> None:
    scene = stage(network)
    points = scene.points[share::SHARES]
    began = time.monotonic()
    for point in points:
        killed, faults = struck(scene, point)
        assert killed, f"{network} was not killed at {point}"
        assert not faults, f"{network}, killed at {point}: {faults}"
    _tell(f"{network}: {len(points)} kills in {time.monotonic() - began:.1f} s")


@pytest.mark.timeout(7200 if FULL else 120)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("network", NETWORKS)
def test_two_kills(stage: Stage, network: str, share: int) -> None:
    """The second one hits the process that recovers from the first."""
    scene = stage(network)
    began = time.monotonic()
    count = missed = 0
    for first, second in _pairs(scene, share):
        killed, faults = struck(scene, first, second)
        assert not faults, f"{network}, killed at {first}, then at {second}: {faults}"
        count += 1
        missed += not killed
    assert missed <= max(1, OUT_OF_REACH * count)
    _tell(
        f"{network}: {count} pairs of kills ({missed} second kills came too late) "
        f"in {time.monotonic() - began:.1f} s"
    )


def _pairs(scene: Scene, share: int) -> Iterator[tuple[str, str]]:
    if FULL:
        for first in scene.points[share::SHARES]:
            for second in recovery(scene, first):
                yield first, second
        return
    dice = random.Random(f"{SEED} {scene.name} {share}")
    # After the last commit there is nothing left to recover.
    for first in dice.sample(scene.points[:-1], PAIRS):
        yield first, dice.choice(recovery(scene, first))


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")

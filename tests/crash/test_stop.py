"""SIGSTOP of the process that holds a delivery, a takeover by others, SIGCONT: still one post.

A process that is frozen between its SENDING and the socket looks at the clock before it writes, and
sends nothing once its claim may have run out. What no program can rule out is shown as well: one
that is frozen between that look and the write still sends when it wakes. Where the network
knows the repeat (a key, an id, a refusal of duplicates) nothing comes of it. Elsewhere nobody sends
again but a person who is asked, and that person would have to answer during the pause.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .forks import Child
from .killing import (
    FULL,
    NETWORKS,
    QUICK,
    QUIET,
    SEED,
    Outcome,
    Run,
    Scene,
    Stage,
    faults_of,
    staged,
)

LEASE = 0.5
"""Seconds, in the children."""
RUNS = 1000 if FULL else 20 if QUICK else 50
SHARES = 10
ANSWERS_DURING_PAUSE = 0.5
ABSORBING = ("bluesky", "mastodon", "x")
ASKING = ("mastodon compatible", "facebook", "reddit")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    # Not workers: one is stopped whole, and its other thread may hold the store's lock just then.
    with staged(posts=2, by_worker=False) as stage:
        yield stage


@dataclass
class Stopped:
    """How a run with a stopped owner went. ``paused`` in seconds; ``resent``: a person said so
    while it was stopped."""

    outcome: Outcome
    was_stopped: bool
    paused: float
    resent: bool
    children: list[Child]

    @property
    def fenced(self) -> int:
        return sum(note.startswith("fenced ") for child in self.children for note in child.notes)


def stop(
    run: Run, point: str, pause: float | None, others: int, *, person_is_quick: bool
) -> Stopped:
    """Stop the owner at ``point`` for ``pause`` seconds (None: until the others have ended), while
    ``others`` work at the same account; a quick person answers what is asked meanwhile."""
    forks, names = run.scene.forks, run.scene.names
    owner = forks.start(run.order(at=point, strike="stop", lease=LEASE))
    forks.wait(owner, "stopped", "ended")
    was_stopped = owner.status == "stopped"
    began = time.monotonic()
    rest = [
        forks.start(run.order([names[number % len(names)]], lease=LEASE))
        for number in range(others)
    ]
    if pause is None:
        for child in rest:
            forks.wait(child)
        pause = time.monotonic() - began
    end = began + pause
    while was_stopped:
        question = run.question() if person_is_quick else None
        if question is not None:
            run.answer(question, LEASE)
        if time.monotonic() >= end:
            break
        time.sleep(max(0.0, min(0.02, end - time.monotonic())))
    resent = "resend" in run.answers
    if was_stopped:
        run.story.append("the stopped process goes on")
        forks.resume(owner)
    paused = time.monotonic() - began
    children = [owner, *rest]
    for child in children:
        forks.wait(child)
        run.story += [note for note in child.notes if note.startswith("error")]
    return Stopped(run.settled(LEASE), was_stopped, paused, resent, children)


def at_the_write(points: list[str]) -> list[str]:
    """The points between the last look at the clock and the last byte of a create."""
    found: list[str] = []
    sending = writing = False
    for point in points:
        if point.startswith("commit send: after"):
            sending = True
        elif sending and ": before headers" in point:
            writing = True
        elif ": body written" in point:
            sending = writing = False
        if writing:
            found.append(point)
    return found


def absorbs(scene: Scene) -> bool:
    """Whether the network's class makes a repeat harmless."""
    return not scene.may_ask


def assert_logged(stopped: Stopped) -> None:
    """Who was fenced off has said so."""
    for child in stopped.children:
        logged = [note for note in child.notes if note.startswith("log ")]
        for note in child.notes:
            if note.startswith("fenced "):
                text = note.removeprefix("fenced ")
                assert any(text in line for line in logged), (
                    f"The write was fenced off ({text}), and the log has only {logged}"
                )


@pytest.mark.timeout(1800 if FULL else 120)
@pytest.mark.parametrize("share", range(SHARES))
def test_a_stopped_owner(stage: Stage, share: int) -> None:
    began = time.monotonic()
    stops = fenced = doubled = 0
    for number in range(share, RUNS, SHARES):
        dice = random.Random(f"{SEED} {number}")
        scene = stage(NETWORKS[number % len(NETWORKS)])
        point = dice.choice([p for p in scene.points if ": in " not in p])
        pause = dice.uniform(0.5, 3.0) * LEASE
        others = dice.randint(1, 4)
        quick = dice.random() < ANSWERS_DURING_PAUSE
        name = f"run {number}: {scene.name}, {point}, {pause:.2f} s, {others} others, {quick}"
        run = scene.begin()
        result = stop(run, point, pause, others, person_is_quick=quick)
        at_risk = point in at_the_write(scene.points) and result.resent and not absorbs(scene)
        if at_risk and result.outcome.findings.kinds() == {"duplicate"}:
            doubled += 1
        else:
            faults = faults_of(result.outcome)
            assert not faults, f"{name}: {faults}"
        assert result.paused >= LEASE + QUIET or not result.resent, name
        assert_logged(result)
        stops += result.was_stopped
        fenced += result.fenced
        run.clear()
    runs = len(range(share, RUNS, SHARES))
    assert stops == runs
    sys.stdout.write(
        f"{runs} runs, {stops} stops, {fenced} writes fenced off, {doubled} posts that a person "
        f"sent again during the pause, {time.monotonic() - began:.1f} s\n"
    )


# The risk that stays, and no more than that


def frozen(scene: Scene, point: str, pause: float | None, *, quick: bool) -> Stopped:
    run = scene.begin()
    result = stop(run, point, pause, 1, person_is_quick=quick)
    assert result.was_stopped
    assert_logged(result)
    return result


AFTER_SENDING = "commit send: after 1"


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("network", NETWORKS)
def test_frozen_for_long_before_the_look_at_the_clock(
    stage: Stage, network: str, quick: bool
) -> None:
    """Nothing of it leaves any more, whoever has answered what meanwhile."""
    result = frozen(stage(network), AFTER_SENDING, None, quick=quick)
    assert not faults_of(result.outcome), result.outcome.told()
    assert result.fenced


@pytest.mark.parametrize("network", NETWORKS)
def test_frozen_before_the_socket_for_less_than_lease_and_window(
    stage: Stage, network: str
) -> None:
    for _ in range(5):
        scene = stage(network)
        point = at_the_write(scene.points)[0]
        result = frozen(scene, point, LEASE + QUIET / 2, quick=True)
        if result.paused < LEASE + QUIET:
            break  # else this machine was too busy to end the pause in time
    else:
        pytest.fail("No pause was as short as it had to be.")
    assert not faults_of(result.outcome), result.outcome.told()
    assert not result.resent


@pytest.mark.parametrize("network", ABSORBING)
def test_frozen_for_long_where_the_network_knows_the_repeat(stage: Stage, network: str) -> None:
    scene = stage(network)
    assert absorbs(scene)
    result = frozen(scene, at_the_write(scene.points)[0], None, quick=True)
    assert not faults_of(result.outcome), result.outcome.told()
    assert result.outcome.asked == 0
    assert result.fenced


@pytest.mark.parametrize("network", ASKING)
def test_frozen_for_long_without_an_answer_meanwhile(stage: Stage, network: str) -> None:
    """The question stays open until the late answer settles it."""
    scene = stage(network)
    result = frozen(scene, at_the_write(scene.points)[0], None, quick=False)
    assert not faults_of(result.outcome), result.outcome.told()
    assert result.outcome.asked == 0
    assert result.fenced


@pytest.mark.parametrize("network", ASKING)
def test_frozen_for_long_and_sent_again_by_a_person(stage: Stage, network: str) -> None:
    """The one way to two posts: it is seen, and nothing else goes wrong with it."""
    scene = stage(network)
    result = frozen(scene, at_the_write(scene.points)[0], None, quick=True)
    assert result.resent, result.outcome.told()
    assert result.outcome.findings.kinds() <= {"duplicate"}, result.outcome.told()
    assert set(result.outcome.states) == {"LIVE"}

"""``postkit sim``: prove by simulation that nothing is sent twice and nothing is lost."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .output import emit, json_option, say, table

if TYPE_CHECKING:
    from ..sim.batch import Tally

SCHEDULES = 1000
SHOWN = 10
"""Seeds that broke a promise and are told one by one."""
COLUMNS = (
    ("schedules", "schedules"),
    ("creates", "creates"),
    ("duplicates", "duplicates"),
    ("lost", "silent_losses"),
    ("live but failed", "recorded_failed"),
    ("other", "other"),
    ("uncertain", "uncertain"),
    ("by a person", "by_a_person"),
    ("outside", "outside"),
    ("false matches", "false_matches"),
)


@click.command("sim")
@click.option("--seed", type=click.IntRange(min=0), help="The first seed; alone: replay this one.")
@click.option("--class", "kinds", multiple=True, metavar="NAME", help="A class (default: all).")
@click.option("--schedules", type=click.IntRange(min=1), help=f"How many (default: {SCHEDULES}).")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, help="Interpreters side by side.")
@json_option
def command(
    seed: int | None, kinds: tuple[str, ...], schedules: int | None, jobs: int, as_json: bool
) -> int:
    """Run the delivery of posts over a simulated clock, store and network, with faults out of a
    seed, and check that nothing is sent twice and nothing is lost.

    ``duplicates``, ``lost``, ``live but failed`` and ``other`` are broken promises. ``uncertain``
    are questions to a person; ``by a person`` was sent again by one while the first request was
    still on its way; ``outside`` is twice because a user had chosen to send again; a ``false
    match`` is a post of somebody else that nothing tells from ours. Exit status 1 where a promise
    was broken; the seed replays it.
    """
    from ..sim.classes import CLASSES

    chosen = list(dict.fromkeys(kinds)) or list(CLASSES)
    unknown = next((name for name in chosen if name not in CLASSES), None)
    if unknown is not None:
        raise click.UsageError(f"There is no class {unknown!r}; classes: {', '.join(CLASSES)}.")
    if seed is not None and schedules is None:
        return _replay(seed, chosen, as_json)
    return _run(range(seed or 0, (seed or 0) + (schedules or SCHEDULES)), chosen, jobs, as_json)


def _replay(seed: int, kinds: list[str], as_json: bool) -> int:
    import logging

    from ..sim.run import Simulator

    logging.disable(logging.CRITICAL)
    simulator = Simulator()
    outcomes = [simulator.run(kind, seed, traced=True) for kind in kinds]
    logging.disable(logging.NOTSET)
    broken = sum(len(outcome.violations) for outcome in outcomes)
    if as_json:
        emit(
            {
                "replays": [
                    {
                        "class": outcome.kind,
                        "seed": seed,
                        "trace_hash": outcome.trace_hash,
                        **asdict(outcome.counts),
                        "violations": [str(violation) for violation in outcome.violations],
                        "trace": list(outcome.trace),
                    }
                    for outcome in outcomes
                ]
            }
        )
        return 1 if broken else 0
    for outcome in outcomes:
        say(f"class {outcome.kind}, seed {seed}")
        for line in outcome.trace:
            say(line)
        said = "; ".join(str(violation) for violation in outcome.violations)
        say(f"trace {outcome.trace_hash}: {said or 'every promise was kept'}")
    return 1 if broken else 0


def _run(seeds: range, kinds: list[str], jobs: int, as_json: bool) -> int:
    from ..sim.batch import run_all

    started = time.monotonic()
    tallies = run_all(kinds, seeds, jobs=jobs, told=_Progress())
    seconds = time.monotonic() - started
    broken = [(tally.kind, one) for tally in tallies for one in sorted(tally.broken)]
    if as_json:
        emit({"seconds": round(seconds, 1), "classes": [_json(tally) for tally in tallies]})
    else:
        table(
            ["class", *(title for title, _ in COLUMNS), "seconds"],
            [
                [
                    tally.kind,
                    *(str(getattr(tally.counts, name)) for _, name in COLUMNS),
                    f"{tally.seconds:.1f}",
                ]
                for tally in tallies
            ],
        )
    for tally in tallies:
        for one in sorted(tally.broken)[:SHOWN]:
            say(f"{tally.kind} {one}: {tally.broken[one][0]}", err=True)
            say(f"  postkit sim --class {tally.kind} --seed {one}", err=True)
    if broken:
        say(f"A promise was broken in {len(broken)} schedules.", err=True)
    return 1 if broken else 0


def _json(tally: Tally) -> dict[str, Any]:
    return {
        "class": tally.kind,
        **asdict(tally.counts),
        "cpu_seconds": round(tally.seconds, 1),
        "violations": [
            {"seed": seed, "text": str(violation)}
            for seed in sorted(tally.broken)
            for violation in tally.broken[seed]
        ],
    }


class _Progress:
    """A line a second, in place on a terminal; a line for each tenth of the way in a file."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._tenth = 0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            if now - self._last >= 1 or done == total:
                self._last = now
                click.echo(f"\r{done} of {total}", err=True, nl=done == total)
            return
        tenth = done * 10 // total
        if tenth > self._tenth:
            self._tenth = tenth
            click.echo(f"{done} of {total}", err=True)

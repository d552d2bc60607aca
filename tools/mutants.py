"""Breaks the delivery core on purpose, one small change at a time, and sees whether a test notices.

``--list`` names the mutants, ``--order`` runs every one that changes the order of commit and send
(or drops one of the two), ``--sample N --seed S`` runs some of all, ``--file F`` those of one
file. Each runs in a process of its own against a copy of the package, never in the working tree;
what survives is printed with its difference. Ends with 1 where fewer than 90 % are killed, or
where a mutant of the order survives.

The mutation tools that are maintained were tried first (checked 2026-11-23): mutmut 3.8 changes
only what is inside of functions, so neither the table of states nor the SQL of the gates, and
swaps no statements.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutations import ROOT, Maker, Mutant, original

FILES = (
    *("states", "gates", "ledger", "moves", "courier", "attempt"),
    *("doubt", "lookup", "audit", "changes", "pauses", "decisions", "waiting"),
)
TESTS = (
    "tests/unit/deliver",
    "tests/store/test_ledger.py",
    "tests/store/test_fences.py",
    "tests/store/test_pause_scopes.py",
    "tests/store/test_changes.py",
    "tests/crash/test_crowd.py",
    "tests/wire/test_attempt.py",
    "tests/crash/test_machine.py::test_any_order_of_events_keeps_the_invariants",
    "tests/wire/test_courier.py",
    "tests/wire/test_audit.py",
    "tests/wire/test_allowance.py",
    "tests/wire/test_pause.py",
    "tests/wire/test_read_back.py",
    "tests/wire/test_stopping.py",
    "tests/wire/test_observers.py",
    "tests/wire/test_kit.py",
    "tests/wire/test_processes.py",
)
SKIPPED = (
    "--deselect",
    "tests/wire/test_processes.py::test_a_kill_after_any_commit_loses_and_doubles_nothing",
    "--deselect",
    "tests/wire/test_courier.py::test_a_long_thread_is_put_off_no_longer_for_each_part",
)
"""Ten seconds and four, for what the machine does in two."""
WANTED = 0.9
LONGEST = 180.0
"""Seconds for one mutant; what takes longer goes round in circles, and counts as killed."""


def killed(mutant: Mutant, tests: Iterable[str]) -> bool:
    """Whether a test notices. The mutant lives in a copy of the package, first on the path."""
    with tempfile.TemporaryDirectory(prefix="postkit_mutant_") as place:
        folder = Path(place)
        shutil.copytree(
            ROOT / "postkit", folder / "postkit", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copytree(
            ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(ROOT / "pyproject.toml", folder)
        (folder / "postkit" / "deliver" / mutant.file).write_text(mutant.source, "utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POSTKIT_CRASH": "quick",
            "TMPDIR": place,
        }
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout=60", *SKIPPED]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                command,
                cwd=folder,
                env=environment,
                capture_output=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def chosen(given: argparse.Namespace) -> list[Mutant]:
    files = [f"{name}.py" for name in FILES if given.file in (None, f"{name}.py", name)]
    mutants = [mutant for file in files for mutant in Maker(file).all()]
    if given.order:
        mutants = [mutant for mutant in mutants if mutant.orders]
    if given.sample is not None and given.sample < len(mutants):
        mutants = random.Random(given.seed).sample(mutants, given.sample)  # noqa: S311
    return mutants


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--order", action="store_true")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="begin no mutant after that time")
    given = parser.parse_args()
    mutants = chosen(given)
    if given.list:
        for mutant in mutants:
            say(f"{'order ' if mutant.orders else '      '}{mutant.name}")
        say(f"{len(mutants)} mutants, {sum(m.orders for m in mutants)} of the order")
        return 0
    unchanged = Mutant("states.py", 0, "nothing", original("states.py"), orders=False)
    if killed(unchanged, TESTS):
        say("The tests fail without any mutant.")
        return 2
    end = time.monotonic() + (given.seconds or float("inf"))
    survivors: list[Mutant] = []
    count = 0

    def run(mutant: Mutant) -> bool | None:
        return killed(mutant, TESTS) if time.monotonic() < end else None

    with ThreadPoolExecutor(given.jobs) as pool:
        for mutant, outcome in zip(mutants, pool.map(run, mutants), strict=True):
            if outcome is None:
                continue
            count += 1
            word = "killed  " if outcome else "SURVIVED"
            say(f"{word} {'order ' if mutant.orders else ''}{mutant.name}")
            if not outcome:
                survivors.append(mutant)
                say(mutant.difference())
    share = 1 - len(survivors) / count if count else 0.0
    say(f"{count - len(survivors)} killed of {count} run ({share:.1%}), {len(mutants)} chosen")
    return 1 if share < WANTED or any(mutant.orders for mutant in survivors) else 0


if __name__ == "__main__":
    sys.exit(main())

"""What it costs to count a call in the durable budget, alone and with four processes at it.

``statement`` is one take inside an open transaction: what the budget adds to a transaction that
writes SENDING anyway. ``commit`` is one take in a transaction of its own, on the disk when it
returns. Prints medians and 99th percentiles in microseconds as JSON.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from postkit.store.budgets import Budgets, Holder, Need
from postkit.store.database import Database

PROCESSES = 4
STATEMENTS = 20_000
COMMITS = 500
SCOPES: dict[Holder, str] = {"account": "account:a_1", "app": "app:toy:1"}
NEEDS = [
    Need("account", "posts/900", 10**9, 900),
    Need("account", "posts/86400", 10**9, 86_400),
    Need("app", "posts/86400", 10**9, 86_400),
]


def one(budgets: Budgets, connection: sqlite3.Connection) -> int | None:
    now = time.time_ns() // 1000
    return budgets.take(connection, SCOPES["account"], "posts/900", 10**9, 900, now)


def refused(budgets: Budgets, connection: sqlite3.Connection) -> int | None:
    now = time.time_ns() // 1000
    return budgets.take(connection, SCOPES["account"], "full", 1, 900, now)


def three(budgets: Budgets, connection: sqlite3.Connection) -> int | None:
    return budgets.take_all(connection, SCOPES, NEEDS, time.time_ns() // 1000)


def microseconds(work: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1_000_000)
    return taken


def statements(
    database: Database, take: Callable[[Budgets, sqlite3.Connection], int | None]
) -> list[float]:
    budgets = Budgets()
    return database.write(
        lambda connection: microseconds(lambda: take(budgets, connection), STATEMENTS)
    )


def commits(path: Path) -> list[float]:
    database, budgets = Database(path), Budgets()
    try:
        return microseconds(
            lambda: database.write(lambda connection: one(budgets, connection)), COMMITS
        )
    finally:
        database.close()


def with_others(path: Path) -> tuple[list[float], float]:
    """Each take of four processes, and all their takes in a second."""
    command = [sys.executable, __file__, str(path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    started = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    taken: list[float] = []
    for process in processes:
        taken += json.loads(process.communicate()[0])
    return taken, len(taken) / (time.perf_counter() - started)


def row(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "median_us": round(statistics.median(ordered), 1),
        "p99_us": round(ordered[len(ordered) * 99 // 100], 1),
    }


def main() -> None:
    if len(sys.argv) > 1:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        sys.stdout.write(json.dumps(commits(Path(sys.argv[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "postkit.db"
        database = Database(path)
        rows = {
            "statement": row(statements(database, one)),
            "statement, refused": row(statements(database, refused)),
            "statements, three budgets at once": row(statements(database, three)),
            "commit": row(commits(path)),
        }
        together, rate = with_others(path)
        rows[f"commit, {PROCESSES} processes"] = row(together)
        database.close()
    figures = {"rows": rows, f"takes_per_second, {PROCESSES} processes": round(rate)}
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

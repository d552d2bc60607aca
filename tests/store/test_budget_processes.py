"""Four processes at one budget get together what one would get, and no more."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from postkit.store.database import Database

TAKER = """
    import json, sys, time
    from pathlib import Path
    from postkit.store.budgets import Budgets
    from postkit.store.database import Database

    path, calls, seconds, end = Path(sys.argv[1]), *map(int, sys.argv[2:])
    database, budgets, got = Database(path), Budgets(), []
    started = None

    def take(connection):
        now = time.time_ns() // 1000 if seconds == 1 else 1_800_000_000_000_000
        wait = budgets.take(connection, "account:a_1", "posts", calls, seconds, now)
        return now, wait

    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        now, wait = database.write(take)
        started = started or now
        if wait is None:
            got.append(now)
            time.sleep(0.003)  # so that no process takes all before another has its turn
        elif seconds != 1 or now > started + end:
            break
        else:
            time.sleep(0.002)
    print(json.dumps(got))
"""


def four_processes(path: Path, calls: int, seconds: int, micros: int = 0) -> list[list[int]]:
    Database(path).close()
    arguments = [str(path), str(calls), str(seconds), str(micros)]
    command = [sys.executable, "-c", textwrap.dedent(TAKER), *arguments]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda process: process.communicate("\n", 60)[0], processes))
    assert [process.returncode for process in processes] == [0] * 4
    return [json.loads(text) for text in said]


def test_four_processes_get_exactly_what_is_allowed(tmp_path: Path) -> None:
    got = four_processes(tmp_path / "postkit.db", 200, 86_400)
    assert sum(map(len, got)) == 200
    assert sum(1 for times in got if times) > 1


def test_four_processes_keep_each_sliding_window(tmp_path: Path) -> None:
    got = four_processes(tmp_path / "postkit.db", 20, 1, 2_500_000)
    times = sorted(time for times in got for time in times)
    assert len(times) >= 40
    most = max(sum(t <= time < t + 1_000_000 for time in times) for t in times)
    assert most == 20

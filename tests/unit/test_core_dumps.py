"""A process that holds secrets leaves no core dump, however it is killed."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is asked is Linux's")
"""prctl(2) and /proc/PID/limits are of Linux."""

READY = "import os; os.write({pipe}, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0).to_bytes(1, 'little'))"


def left(folder: Path, script: str, number: signal.Signals) -> tuple[str, int, bool]:
    """The limit and the mark "dumpable" of a process, and whether killing it dumped its core.

    It starts with whatever limit the system allows, in a folder of its own.
    """
    reading, writing = os.pipe()
    source = f"import ctypes, time\n{script}\n{READY.format(pipe=writing)}\ntime.sleep(60)\n"
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    pid = os.posix_spawn(
        "/bin/sh",
        [
            "sh",
            "-c",
            f'cd "$0" && ulimit -c {_spelled(most)} && exec "$@"',
            str(folder),
            sys.executable,
            "-c",
            source,
        ],
        {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, writing)],
    )
    try:
        os.close(writing)
        [dumpable] = os.read(reading, 1) or b"\xff"
        limits = Path(f"/proc/{pid}/limits").read_text("ascii")
        [line] = [row for row in limits.splitlines() if row.startswith("Max core file size")]
    finally:
        os.close(reading)
        os.kill(pid, number)
        _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == number
    for core in folder.glob("core*"):
        core.unlink()  # it is as large as an interpreter
    return line.split()[4], dumpable, os.WCOREDUMP(status)


def _spelled(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_none_is_left(tmp_path: Path, number: signal.Signals) -> None:
    script = "from postkit.core_dumps import disable_core_dumps\ndisable_core_dumps()"
    assert left(tmp_path, script, number) == ("0", 0, False)


def test_an_import_changes_nothing(tmp_path: Path) -> None:
    """The program that embeds postkit decides; and the test above is able to fail."""
    limit, dumpable, dumped = left(
        tmp_path, "import postkit, postkit.kit, postkit.cli.main", signal.SIGABRT
    )
    assert dumpable == 1
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    assert limit == _spelled(most)
    if dumped:
        assert limit != "0"

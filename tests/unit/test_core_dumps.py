"""A process that holds secrets leaves no core dump, however it is killed."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

IS_LINUX = sys.platform == "linux"
TELL = """
import ctypes, json, os, resource, sys, time
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else None
said = {"limit": resource.getrlimit(resource.RLIMIT_CORE)[0], "dumpable": dumpable}
os.write(PIPE, json.dumps(said).encode())
time.sleep(60)
"""
"""3 is PR_GET_DUMPABLE."""


def left(folder: Path, script: str, number: signal.Signals) -> dict[str, Any]:
    """What a process says of itself, and whether killing it dumped its core.

    It starts with whatever limit the system allows, in a folder of its own.
    """
    reading, writing = os.pipe()
    source = script + TELL.replace("PIPE", str(writing))
    pid = os.posix_spawn(
        "/bin/sh",
        [
            *("sh", "-c", f'cd "$0" && ulimit -c {most()[1]} && exec "$@"', str(folder)),
            *(sys.executable, "-c", source),
        ],
        {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, writing)],
    )
    try:
        os.close(writing)
        said = os.read(reading, 4096)
    finally:
        os.close(reading)
        os.kill(pid, number)
        _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == number
    for core in folder.glob("core*"):
        core.unlink()  # it is as large as an interpreter
    return {**json.loads(said), "dumped": os.WCOREDUMP(status)}


def most() -> tuple[int, str]:
    """The limit that a process may set itself here, as a number and for a shell."""
    _, limit = resource.getrlimit(resource.RLIMIT_CORE)
    return limit, "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_none_is_left(tmp_path: Path, number: signal.Signals) -> None:
    script = "from postkit.core_dumps import disable_core_dumps\ndisable_core_dumps()"
    dumpable = 0 if IS_LINUX else None
    assert left(tmp_path, script, number) == {"limit": 0, "dumpable": dumpable, "dumped": False}


def test_an_import_changes_nothing(tmp_path: Path) -> None:
    """The program that embeds postkit decides; and the test above is able to fail."""
    said = left(tmp_path, "import postkit, postkit.kit, postkit.cli.main", signal.SIGABRT)
    assert said["limit"] == most()[0]
    assert said["dumpable"] == (1 if IS_LINUX else None)

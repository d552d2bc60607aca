"""Run a program that decodes strangers' files: little memory, little time, no secrets.

The child is started through an interpreter that sets the limits and becomes the program: a
function between fork and exec would not be safe in a process with threads.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_CONFINE = """
import os, resource, sys
cpu, memory, written = map(int, sys.argv[1:4])
for what, most in (
    (resource.RLIMIT_CPU, cpu),
    (resource.RLIMIT_AS, memory),
    (resource.RLIMIT_FSIZE, written),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 64),
):
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):
        pass  # macOS knows no bound of addresses; the others hold
os.execvp(sys.argv[4], sys.argv[4:])
"""
_PASSED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
_MAX_OUTPUT = 4 * 1024 * 1024


class Failed(Exception):
    """The program ended badly. ``reason`` completes "because"; ``detail`` is its last line."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Bounds:
    """Wall and processor seconds, bytes of address space, bytes of a file it writes."""

    wall: float
    cpu: int
    memory: int = 768 * 1024 * 1024
    written: int = 1024 * 1024


def run(
    command: Sequence[str], bounds: Bounds, on_line: Callable[[str], None] | None = None
) -> bytes:
    """What ``command`` printed. Raises Failed; the program is never left running.

    ``on_line`` sees each line while the program runs; what it raises ends the program.
    """
    limits = [str(bounds.cpu), str(bounds.memory), str(bounds.written)]
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    # Every arena of glibc's takes 64 MiB of addresses, one a thread.
    environment |= {"MALLOC_ARENA_MAX": "2", "PYTHONUTF8": "1"}
    confined = [sys.executable, "-I", "-S", "-c", _CONFINE, *limits, *command]
    is_late = threading.Event()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - a list; file names follow "file:" or are JSON
            confined,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
        )

        def too_late() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(bounds.wall, too_late)
        timer.daemon = True
        timer.start()
        try:
            output = _read(process, on_line)
            status = process.wait()
        finally:
            timer.cancel()
            timer.join()
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if status:
            size = errors.seek(0, 2)
            errors.seek(max(0, size - 4096))
            raise Failed(_reason(status, is_late.is_set(), bounds), _last_line(errors.read()))
        return output


def _read(process: subprocess.Popen[bytes], on_line: Callable[[str], None] | None) -> bytes:
    output = bytearray()
    while process.stdout is not None and (line := process.stdout.readline(65_536)):
        if on_line is not None:
            on_line(line.decode("utf-8", "replace").strip())
        elif len(output) <= _MAX_OUTPUT:
            output += line
    return bytes(output)


def _reason(status: int, is_late: bool, bounds: Bounds) -> str:
    if is_late:
        return f"it took longer than {bounds.wall:.0f} s"
    if -status in (signal.SIGXCPU, signal.SIGKILL):
        return f"it took more than {bounds.cpu} s of processor time, or was killed"
    if -status == signal.SIGXFSZ:
        return "what was written grew too large"
    if status < 0:
        return f"the program ended by signal {-status}"
    return "it cannot be decoded"


def _last_line(errors: bytes) -> str:
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return "".join(char if char.isprintable() else "?" for char in last)[-200:]


def python(module: str) -> list[str]:
    """The command of a module of this package, deaf to the current folder's files."""
    return [sys.executable, "-P", "-m", f"{__package__}.{module}"]


def program(name: str) -> str | None:
    """The absolute path of a program that is installed; ``None`` where it is not."""
    found = shutil.which(name)
    return str(Path(found).resolve()) if found else None

"""Who holds a claim: a process, named so that others on the machine can tell whether it lives."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return "unknown"


def _start_time(pid: int) -> str | None:
    """The kernel's start time of a process (a pid is used again, a pair is not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields and fields[0] in ("Z", "X"):
        return None
    return fields[19] if len(fields) > 19 else "0"


def this_process() -> str:
    """``host/boot/pid/start`` of this process."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{_boot_id()}/{pid}/{_start_time(pid) or '0'}"


def is_dead(owner: str) -> bool:
    """True where the owner has certainly ended; False where it lives or cannot be known."""
    try:
        host, boot, pid, start = owner.rsplit("/", 3)
    except ValueError:
        return False
    if host != socket.gethostname():
        return False
    if boot != _boot_id():
        return True
    if not Path("/proc/self/stat").exists():
        return False
    return _start_time(int(pid)) != start

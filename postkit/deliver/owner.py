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


@functools.cache
def _namespace() -> str:
    """Process ids mean something in here alone: containers of one machine have their own."""
    try:
        return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return "0"


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
    """``host/boot.namespace/pid/start`` of this process."""
    pid = os.getpid()
    boot = f"{_boot_id()}.{_namespace()}"
    return f"{socket.gethostname()}/{boot}/{pid}/{_start_time(pid) or '0'}"


def is_dead(owner: str) -> bool:
    """True where the owner has certainly ended; False where it lives or cannot be known."""
    try:
        host, boot, pid, start = owner.rsplit("/", 3)
    except ValueError:
        return False
    if host != socket.gethostname():
        return False
    boot, _, namespace = boot.partition(".")
    if boot != _boot_id():
        return True
    if namespace != _namespace() or not Path("/proc/self/stat").exists() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # another user's, which /proc may hide
    return _start_time(int(pid)) != start

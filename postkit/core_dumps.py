"""No core dump of a process that holds secrets: its memory would lie on the disk in plain."""

from __future__ import annotations

import contextlib
import resource
import sys
from typing import Final

_SET_DUMPABLE: Final = 4
"""PR_SET_DUMPABLE of Linux's prctl(2)."""


def disable_core_dumps() -> None:
    """Let this process, and those it starts, leave no core dump when they are killed.

    The size limit is what a core file is held to; a handler of the system that core dumps are
    piped to is not bound by it (core(5)), and is told by the process being "not dumpable", which
    also keeps other processes of the same user from reading its memory (ptrace(2)). The command
    line calls this first; a program that embeds postkit decides for itself, and calls it before
    it opens a `Kit`. It cannot be undone. Where the system knows no such thing, it does nothing.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)

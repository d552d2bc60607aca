"""Work at strangers' bytes in a process that has little memory, little time and no secrets.

The child is started when it is first needed, serves one call after another, and goes when nobody
has asked it for a while or when this process ends. One that breaks a limit is replaced.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from typing import IO, Any

MEMORY = 1536 * 1024 * 1024
"""Bytes of address space: enough for the largest picture that is decoded, twice over."""
CPU = 20
"""Processor seconds of one call: the largest picture takes about a quarter of it."""
WALL = 120.0
"""Seconds of one call, on a machine that is busy with other things."""
IDLE = 30.0
"""Seconds after which a child that nobody asks ends."""
_HEAD = struct.Struct(">IQ")
_PASSED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")


class Broken(Exception):
    """The child broke a limit or crashed; the text completes "because"."""


def write_frame(file: IO[bytes], head: Any, data: bytes) -> None:
    """A message: JSON, and bytes behind it."""
    text = json.dumps(head).encode()
    file.write(_HEAD.pack(len(text), len(data)) + text)
    file.write(data)
    file.flush()


def read_frame(file: IO[bytes]) -> tuple[Any, bytes] | None:
    """The next message; None where there will be none."""
    start = file.read(_HEAD.size)
    if len(start) < _HEAD.size:
        return None
    text_size, data_size = _HEAD.unpack(start)
    text, data = file.read(text_size), file.read(data_size)
    if len(text) < text_size or len(data) < data_size:
        return None
    return json.loads(text), data


class Sandbox:
    """A child that runs ``module``, whose calls are answered one at a time."""

    def __init__(
        self, module: str, *, memory: int = MEMORY, cpu: int = CPU, wall: float = WALL
    ) -> None:
        self._command = [sys.executable, "-P", "-m", module, str(memory), str(cpu), str(IDLE)]
        self._cpu = cpu
        self._wall = wall
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        atexit.register(self.close)

    def call(self, head: Any, data: bytes) -> tuple[Any, bytes]:
        """What the child answers. Raises Broken."""
        with self._lock:
            for _ in range(2):
                child, is_new = self._running()
                try:
                    answer = self._ask(child, head, data)
                except BaseException:
                    self._end(child)
                    raise
                if answer is not None:
                    return answer
                status = self._end(child)
                # One that was idle may have gone at this very moment, having read nothing.
                if is_new or status != 0:
                    raise Broken(self._reason(status))
            raise Broken("its process ended by itself")

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            if self._child is not None and self._owner == os.getpid():
                self._end(self._child)
            self._child = None

    def _running(self) -> tuple[subprocess.Popen[bytes], bool]:
        child = self._child
        if child is not None and self._owner == os.getpid():
            if child.poll() is None:
                return child, False
            self._end(child)
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        # Where the package was found, it is found again; every arena of glibc's takes 64 MiB.
        path = os.pathsep.join(place for place in sys.path if place)
        environment |= {"PYTHONPATH": path, "MALLOC_ARENA_MAX": "2", "PYTHONUTF8": "1"}
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._owner = os.getpid()
        return self._child, True

    def _ask(
        self, child: subprocess.Popen[bytes], head: Any, data: bytes
    ) -> tuple[Any, bytes] | None:
        if child.stdin is None or child.stdout is None:
            return None
        late = threading.Timer(self._wall, child.kill)
        late.daemon = True
        late.start()
        try:
            write_frame(child.stdin, head, data)
            return read_frame(child.stdout)
        except (BrokenPipeError, ConnectionResetError):
            return None
        finally:
            late.cancel()
            late.join()

    def _end(self, child: subprocess.Popen[bytes]) -> int:
        if self._child is child:
            self._child = None
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            return child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def _reason(self, status: int) -> str:
        if status in (-24, -9):
            return f"it takes more than {self._cpu} s of processor time"
        return "its decoder crashed"


def confine(memory: int) -> None:
    """In the child: limits that hold from here on."""
    import resource

    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def allow_cpu(seconds: int) -> None:
    """In the child: so many processor seconds from now on, and no more."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(time.process_time()) + 1 + seconds
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def wait_for_call(idle: float) -> bool:
    """In the child: whether somebody asks within ``idle`` seconds."""
    return bool(select.select([sys.stdin.buffer], [], [], idle)[0])

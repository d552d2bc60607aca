"""The children: a process that has imported everything and forks one that works, in 10 ms.

A child is a process of its own: another id, other sockets, another connection to the store, and
SIGKILL or SIGSTOP hit it alone. The server (``python -m tests.crash.forks``) has no threads and
opens nothing. Orders come as JSON lines, reports go back the same way.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import IO, Any, Self

from .points import Points, Strike, install, traced

KEY = b"k" * 32
MODULES = (
    "postkit.kit",
    "postkit.engine.threads",
    "postkit.deliver.courier",
    "postkit.store.database",
    "postkit.accounts.vault",
    "postkit.accounts.keys",
    "postkit.remote",
    "cryptography.hazmat.primitives.ciphers.aead",
    "encodings.ascii",
    "encodings.utf_8_sig",
    "tomllib",
    "postkit_reddit.requestor",
)
"""What a child would import on its way; each of them costs it more than its whole work."""
PATIENCE = 60.0
"""Seconds for a child, after which a run has hung."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one child does. ``at`` names the point where it is struck; ``lease`` in seconds."""

    home: str
    trace: str
    names: list[str]
    at: str | None = None
    strike: Strike = "kill"
    lease: float | None = None
    wait: float = 30.0
    is_live: str | None = None
    resend: bool = False
    by_worker: bool = True


def work(order: Order) -> None:
    """The command of a child: the one place that says how deliveries are worked at."""
    from postkit.kit import Kit

    with Kit(home=order.home, key=KEY) as kit:
        if order.resend or order.is_live:
            for name in order.names:
                kit.resolve(name, is_live=order.is_live, resend=order.resend, wait=order.wait)
        elif order.by_worker:
            kit.work(wait=order.wait)
        else:
            for name in order.names:
                kit.finish(name, wait=order.wait)


def shorten(lease: float) -> None:
    """Leases of that many seconds, and signs of life in proportion."""
    from postkit.deliver import heartbeat, ledger

    share = ledger.LEASE.total_seconds() / heartbeat.EVERY
    ledger.LEASE = timedelta(seconds=lease)
    heartbeat.EVERY = lease / share


# The server's side


def serve() -> None:
    """Fork for every order until the orders end."""
    preload()
    wake, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _heard)
    say({"status": "ready"})
    orders = sys.stdin.fileno()
    pending = b""
    while True:
        handles: list[int] = [orders, wake]
        ready, _, _ = select.select(handles, [], [])
        if wake in ready:
            os.read(wake, 512)
        for pid, status in changes():
            say({"pid": pid, **status})
        if orders in ready:
            data = os.read(orders, 65_536)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                say({"status": "started", "pid": fork(Order(**json.loads(line)), wake, bell)})


def _heard(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe has it; without a handler there would be none."""


def preload() -> None:
    """Import what a child needs, SDKs too, and look for the installed plugins once for all."""
    from postkit import plugins as found
    from postkit.installed import installed
    from postkit.plugins import Plugins

    kept = functools.cache(installed)
    setattr(found, "installed", kept)  # noqa: B010 - mypy forbids the plain way
    for module in MODULES:
        importlib.import_module(module)

    plugins = Plugins()
    for name in plugins.network_names():
        plugins.network(name)


def fork(order: Order, *inherited: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        for handle in inherited:
            os.close(handle)
        points = Points(Path(order.trace), order.at, order.strike)
        install(points)
        if order.lease is not None:
            shorten(order.lease)
        code = 0
        try:
            work(order)
        except Exception:  # noqa: BLE001 - the parent reads what it was
            points.note("error " + traceback.format_exc().replace("\n", " | "))
            code = 1
    finally:
        os._exit(code)


def changes() -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if os.WIFSTOPPED(status):
            found.append((pid, {"status": "stopped"}))
        else:
            found.append((pid, {"status": "ended", "code": os.waitstatus_to_exitcode(status)}))


def say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


# The parent's side


@dataclass
class Child:
    pid: int
    order: Order
    status: str = "started"
    code: int | None = None

    @property
    def points(self) -> list[str]:
        return traced(Path(self.order.trace))[0]

    @property
    def notes(self) -> list[str]:
        return traced(Path(self.order.trace))[1]

    @property
    def was_killed(self) -> bool:
        return self.code in (-signal.SIGKILL, -signal.SIGXFSZ)


@dataclass
class Forks:
    """The server as its parent sees it; a context manager."""

    process: subprocess.Popen[bytes] = field(init=False)
    children: dict[int, Child] = field(default_factory=dict)

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, _path()))}
        environment.pop("POSTKIT_HOME", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        if self._hear(PATIENCE).get("status") != "ready":
            raise RuntimeError("The fork server did not start.")
        return self

    def __exit__(self, *error: object) -> None:
        for child in self.children.values():
            if child.status != "ended":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def start(self, order: Order) -> Child:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        self.process.stdin.flush()
        while True:
            message = self._hear(PATIENCE)
            if message["status"] == "started":
                child = Child(message["pid"], order)
                self.children[child.pid] = child
                return child
            self._note(message)

    def wait(self, child: Child, *statuses: str, seconds: float = PATIENCE) -> Child:
        """Until the child has ended (or has another of these statuses)."""
        end = time.monotonic() + seconds
        while child.status not in (statuses or ("ended",)):
            self._note(self._hear(end - time.monotonic()))
        return child

    def run(self, order: Order) -> Child:
        return self.wait(self.start(order))

    def resume(self, child: Child) -> None:
        child.status = "started"
        os.kill(child.pid, signal.SIGCONT)

    def _note(self, message: dict[str, Any]) -> None:
        child = self.children[message["pid"]]
        child.status = message["status"]
        child.code = message.get("code")
        if child.status == "ended":
            del self.children[child.pid]

    def _hear(self, seconds: float) -> dict[str, Any]:
        out: IO[bytes] | None = self.process.stdout
        assert out is not None
        if not select.select([out], [], [], max(0.0, seconds))[0]:
            states = [
                (child.pid, child.status, child.points[-2:]) for child in self.children.values()
            ]
            raise TimeoutError(f"No child has moved for {seconds:.0f} s: {states}")
        message: dict[str, Any] = json.loads(self._line())
        return message

    def _line(self) -> bytes:
        """One line, byte by byte: what a buffer holds, select does not see."""
        assert self.process.stdout is not None
        handle, line = self.process.stdout.fileno(), b""
        while not line.endswith(b"\n"):
            piece = os.read(handle, 1)
            if not piece:
                raise RuntimeError("The fork server has ended.")
            line += piece
        return line


def _path() -> list[str]:
    return [*sys.path, str(Path(__file__).parents[2])]


if __name__ == "__main__":
    serve()

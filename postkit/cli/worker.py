"""``postkit worker``: sends what is scheduled, until Ctrl-C."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from types import FrameType

import click

from ..adapt.scratch import SCRATCH
from ..errors import InputError
from .kit import Kit
from .output import counted, emit, json_option, say, shown
from .service import Done, Service
from .state_lines import StateLines
from .timing import spoken
from .waiting import Seconds

ENDED = 130
STOPPING = "Stopping: what is on its way gets its answer. Ctrl-C again ends it at once."


@click.command("worker")
@click.option("--drain", is_flag=True, help="End when nothing is due any more.")
@click.option(
    "--wait",
    type=Seconds(),
    help="With --drain: seconds ahead that still count as due. [default: 30]",
)
@click.option(
    "--threads", type=click.IntRange(1, 256), help="Accounts served side by side. [default: 16]"
)
@click.option("--install", is_flag=True, help="Set it up as a service of your systemd.")
@click.option("--uninstall", is_flag=True, help="Remove that service.")
@click.option("--check", is_flag=True, hidden=True, help="Only check that it could start.")
@json_option
def command(
    drain: bool,
    wait: float | None,
    threads: int | None,
    install: bool,
    uninstall: bool,
    check: bool,
    as_json: bool,
) -> int:
    """Send what is scheduled, when it is due. Ctrl-C ends it; several may run at once.

    Exit status with --drain, of what it worked at: 3 uncertain, 1 failed or missed, 4 held, 75
    not finished.
    """
    _refuse_mixtures(drain, wait, install, uninstall, check)
    with Kit() as kit:
        if uninstall:
            return _tell(Service(kit.home).uninstall(), as_json)
        if install:
            given = ["--threads", str(threads)] if threads else []
            return _tell(Service(kit.home).install(given), as_json)
        # A key that is missing or wrong is found out here, and not when the first post is due.
        kit.vault().ids()
        if check:
            return 0
        return _work(kit, drain, 30.0 if wait is None else wait, threads, as_json)


def _refuse_mixtures(
    drain: bool, wait: float | None, install: bool, uninstall: bool, check: bool
) -> None:
    if sum((drain, install, uninstall, check)) > 1:
        raise InputError("Give one of --drain, --install and --uninstall.")
    if wait is not None and not drain:
        raise InputError("--wait belongs to --drain; without it the worker runs until Ctrl-C.")


def _tell(done: Done, as_json: bool) -> int:
    if as_json:
        emit({"path": str(done.path), "running": done.running, "commands": list(done.commands)})
        return 0
    for line in (*done.lines, *(f"  {command}" for command in done.commands)):
        say(line)
    return 0


def _work(kit: Kit, drain: bool, wait: float, threads: int | None, as_json: bool) -> int:
    lines = StateLines(kit.clock, as_json=as_json)
    worker = kit.worker(threads=threads, watch=lines)
    scheduled, due = sum(astuple(kit.standing())), kit.next_due()
    if as_json:
        lines.start(str(kit.home.path), scheduled, due)
    else:
        first = f", the next one due {spoken(due.at, due.zone)}" if due is not None else ""
        end = "" if drain else " Ctrl-C ends it."
        say(f"{kit.home.path}: {counted(scheduled, 'delivery')} to send{first}.{end}", err=True)
    # In a thread, so that a signal is heard at once, whatever the worker waits for.
    with _logged(), ThreadPoolExecutor(1, thread_name_prefix="postkit-run") as pool:
        running = pool.submit(worker.run, drain=drain, wait=wait)
        with _ended_by_signals(worker.stop):
            running.result()
    if not drain:
        return 0
    return lines.end(kit)


@contextlib.contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM stops cleanly, the second one at once."""
    stopping = threading.Event()

    def heard(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            SCRATCH.clear()
            os._exit(ENDED)
        stopping.set()
        say(STOPPING, err=True)
        # Not in here: a handler interrupts whoever may hold the very lock that stop needs.
        threading.Thread(target=stop, daemon=True).start()

    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, heard) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """What the worker has to say beside its lines, on standard error."""
    handler = _Said(logging.WARNING)
    log = logging.getLogger("postkit")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            say(shown(f"{record.levelname.lower()}: {record.getMessage()}"), err=True)

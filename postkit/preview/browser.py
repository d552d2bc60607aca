"""A headless Chromium, spoken to over a pipe: no port is opened and no request can leave.

The protocol is the browser's own (DevTools, JSON with a NUL after each message, read from its
file descriptor 3 and answered on 4): chromedevtools.github.io, ``--remote-debugging-pipe``,
checked 2026-11-29.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import InputError

_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    # Nothing on this page is elsewhere; what the browser itself would like to ask finds nobody.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_START = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
PATIENCE = 60.0
"""Seconds for one answer: a busy machine takes ten to start a browser."""


class Browser:
    """One browser with a profile of its own that is gone afterwards; a context manager.

    ``flags`` are added to its command line. Raises InputError where it does not start, does not
    answer or refuses.
    """

    def __init__(self, program: str, *flags: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="postkit-", ignore_cleanup_errors=True)
        self._program = program
        inner_read, self._write = os.pipe()
        self._read, inner_write = os.pipe()
        # Chromium's sandbox cannot be used by root, and the page runs no script.
        root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        profile = f"--user-data-dir={self._folder.name}"
        ends = (str(inner_read), str(inner_write))
        start = (sys.executable, "-I", "-S", "-c", _START, *ends)
        self._process = subprocess.Popen(  # noqa: S603 - a fixed list, no shell
            [*start, program, *_FLAGS, profile, *root, *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(inner_read, inner_write),
        )
        os.close(inner_read)
        os.close(inner_write)
        self._pending = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        """What the browser told without being asked, oldest first."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._write)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        self._folder.cleanup()

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> Mapping[str, Any]:
        """One command and its result; ``session`` is a tab's."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        try:
            _write_all(self._write, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise self._failed("it ended") from None
        while (answer := self._receive()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise self._failed(f"{method}: {answer['error'].get('message', 'refused')}")
        result: Mapping[str, Any] = answer.get("result", {})
        return result

    def wait_for(self, method: str) -> Mapping[str, Any]:
        """The next event of that name, or one that was told already."""
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._receive())
        return next(event for event in self.events if event.get("method") == method)

    def open(self, path: Path, width: int, height: int) -> str:
        """Load a file in a tab of that size (CSS pixels) and return the tab's session."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        session = str(attached["sessionId"])
        self.ask("Page.enable", session)
        self.ask("Network.enable", session)
        self.resize(session, width, height)
        self.events.clear()
        self.ask("Page.navigate", session, url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired")
        return session

    def resize(self, session: str, width: int, height: int) -> None:
        """Give a tab another size in CSS pixels."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            session,
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _receive(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            while b"\0" not in self._pending:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise self._failed(f"no answer in {PATIENCE:.0f} s")
                more = os.read(self._read, 1 << 20)
                if not more:
                    raise self._failed("it ended")
                self._pending += more
        message, _, self._pending = self._pending.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _failed(self, why: str) -> InputError:
        return InputError(
            f"{self._program} made no picture ({why}); write the page with --html and open it."
        )


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]

"""Progress of a publication on standard error: one live line for each address, or plain lines."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from .output import shown

if TYPE_CHECKING:
    from ..deliver.steps import Progress


class ProgressLines:
    """Shows what each address is doing. Call it with Progress values, from any thread."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lock = threading.Lock()
        self._rows: dict[str, str] = {}
        self._live: Any = None

    def __enter__(self) -> ProgressLines:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=12)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        if self._quiet:
            return
        # A part without pictures is claimed and sent in one breath: that is one line.
        part = f" {progress.part}/{progress.parts}" if progress.parts > 1 else ""
        text = f"{progress.address}{part}: {progress.state}"
        if progress.text:
            text += f" {progress.text}"
        text = shown(text)
        with self._lock:
            if self._rows.get(progress.address) == text:
                return
            self._rows[progress.address] = text
            if self._live is None:
                click.echo(text, err=True)
                return
            from rich.text import Text

            lines = "\n".join(self._rows.values())
            self._live.update(Text(lines, no_wrap=True, overflow="ellipsis"))


class MediaLines:
    """Shows how far the work at a video is. Call it with a file's name and 0.0 to 1.0."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._shown: dict[str, int] = {}

    def __call__(self, name: str, done: float) -> None:
        if self._quiet:
            return
        on_terminal = sys.stderr.isatty()
        percent = int(done * 100)
        # In a file a line for each quarter is enough.
        step = percent if on_terminal else percent // 25 * 25
        if self._shown.get(name) == step:
            return
        self._shown[name] = step
        text = shown(f"{name}: converting, {step} %")
        click.echo(f"\r{text}" if on_terminal else text, err=True, nl=not on_terminal or done >= 1)

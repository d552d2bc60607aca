"""Children that are workers: each sends what is due until nothing is, and can be killed at a point.

``python -m tests.crash.labour`` forks one for every order, as ``forks`` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.wire.board import Board, Plugin

from . import forks
from .forks import KEY, PATIENCE, Forks, Order

ROOT = Path(__file__).parents[2]
SOON = 2.0
"""Seconds: a look at what is in doubt is due again within a few tenths."""


def work(order: Order) -> None:
    """A person's answer first, where there is one; then a worker until nothing is due."""
    from postkit.kit import Kit

    with Kit(home=order.home, key=KEY, plugins=[Plugin(Board())]) as kit:
        for name in order.names:
            if order.resend or order.is_live:
                kit.resolve(name, is_live=order.is_live, resend=order.resend, wait=0)
        kit.worker(threads=1).run(drain=True, wait=SOON)


class Labour(Forks):
    """Forks whose children are workers."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)])}
        environment.pop("POSTKIT_HOME", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.labour"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        if self._hear(PATIENCE).get("status") != "ready":
            raise RuntimeError("The fork server did not start.")
        return self


if __name__ == "__main__":
    setattr(forks, "work", work)  # noqa: B010 - mypy forbids the plain way
    setattr(forks, "MODULES", (*forks.MODULES, "postkit.engine.worker", "whenever"))  # noqa: B010
    forks.serve()

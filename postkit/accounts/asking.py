"""Whether a person can be asked for the passphrase of a vault that has one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

_ask: Callable[[], str | None] | None = None


@contextlib.contextmanager
def asking(ask: Callable[[], str | None]) -> Iterator[None]:
    """Within this, `asked` asks. ``ask`` gives None where nobody is at the terminal.

    It holds for the process, whose threads share one terminal: the command line sets it, and a
    program that embeds postkit is never stopped by a question.
    """
    global _ask
    before, _ask = _ask, ask
    try:
        yield
    finally:
        _ask = before


def asked() -> str | None:
    """What a person answers; None where none can be asked."""
    return None if _ask is None else _ask()

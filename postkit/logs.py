"""Loggers that no secret goes through, whatever level and handlers a program sets."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from .accounts.secret import RedactingFilter

_FILTER: Final = RedactingFilter()


def logger(name: str) -> logging.Logger:
    """Our own, ``postkit.NAME``. Its lines hold words of networks, and tracebacks of plugins."""
    name = f"postkit.{name}"
    redact_logs([name])
    return logging.getLogger(name)


def redact_logs(names: Iterable[str]) -> None:
    """Let no secret through these: each by its name, since a logger's filters do not see what its
    children are told."""
    for name in names:
        found = logging.getLogger(name)
        if _FILTER not in found.filters:
            found.addFilter(_FILTER)

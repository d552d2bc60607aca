"""Who acts: a person at the terminal, a worker, or a program; as each line of history names it."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Literal

from ..errors import InputError

Via = Literal["cli", "worker", "library"]
"""By what: a command, the worker, a program that embeds postkit."""
LONGEST = 200
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """``name`` is the operating system's user, or what a program calls whoever it acts for."""

    name: str
    via: Via = "library"

    @classmethod
    def here(cls, name: str | None = None, via: Via = "library") -> Actor:
        """``name`` None: the user of this process. Raises InputError for what is no name."""
        if name is None:
            return cls(this_user(), via)
        if not name.strip() or not name.isprintable() or len(name) > LONGEST:
            raise InputError(
                f"actor: {name[:40]!r} is no name; give 1 to {LONGEST} printable characters."
            )
        return cls(name, via)

    def working(self) -> Actor:
        """The same one's worker."""
        return Actor(f"worker:{self.name}", "worker")


@functools.cache
def this_user() -> str:
    """By the process's user id: an environment variable can say anything."""
    try:
        import pwd
    except ImportError:  # Windows
        import getpass

        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return f"uid:{os.getuid()}"

"""Whether a stranger's code may run: who it is of, what it brings, and the question."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from ..allowed import allow
from ..errors import InputError, NotEnabled, PostkitError
from ..home import Home
from ..installed import ALWAYS, EMULATORS, NETWORKS, Installed, installed, publisher
from .output import say, shown

WARNING = (
    "Its code will run with all your rights: it can read your files and the secrets of all "
    "accounts. Python is no sandbox, and postkit cannot hold it back. Enable it only if you trust "
    "whoever publishes it."
)
LONGEST = 200
"""Characters of one fact. What a distribution says of itself may have any length."""
KINDS = ((NETWORKS, "networks"), (EMULATORS, "emulators"), (ALWAYS, "hooks, at every command"))


def introduce(found: Installed) -> None:
    """Who it is, in its own words, and what enabling it means."""
    say(shown(f"{found} says of itself (nobody has checked it):"), err=True)
    for label, text in _facts(found):
        say(shown(f"  {label}: {text[:LONGEST]}"), err=True)
    say(WARNING, err=True)


def _facts(found: Installed) -> Iterator[tuple[str, str]]:
    said = list(publisher(found.distribution))
    yield from said or [("publisher", "nothing")]
    for group, kind in KINDS:
        if names := found.names(group):
            yield kind, ", ".join(names)
    folder = _edited_in(found)
    if folder:
        yield "editable", f"its code is in {folder}, and may change at any time"


def _edited_in(found: Installed) -> str | None:
    """The folder of an editable install."""
    try:
        origin = json.loads(found.distribution.read_text("direct_url.json") or "{}")
        return str(origin["url"]) if origin["dir_info"]["editable"] else None
    except (OSError, ValueError, TypeError, LookupError):
        return None


def is_terminal() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def enable(found: Installed, *, ask_first: bool) -> bool:
    """Put it on the list of the home; False where the answer is no. Raises InputError where
    nobody can be asked, and what `allow` raises."""
    if ask_first:
        if not is_terminal():
            raise InputError(
                f"{found.name} is code of others that would run with all your rights: look at it, "
                f"then run `postkit plugins enable {found.name} --yes`."
            )
        introduce(found)
        if not click.confirm(shown(f"Enable {found.name}?"), err=True):
            return False
    allow(Home.resolve(), found.name)
    return True


def offer(missing: NotEnabled) -> bool:
    """Ask about a plugin that a command needs; whether it is enabled now. On a terminal only, and
    only where a single one is meant."""
    meant = [found for found in installed() if found.name in missing.distributions]
    if len(meant) != 1 or not is_terminal():
        return False
    say(shown(missing.message), err=True)
    try:
        return enable(meant[0], ask_first=True)
    except (click.Abort, PostkitError):
        return False

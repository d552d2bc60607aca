"""When a post is due: the flags that say it, and how it is said back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import click

from ..errors import InputError

HELP = "When: 'tomorrow 9:00', 'fri 18:30', 'in 2h', '2027-01-04 09:00'."


ZONE = "The zone of --at, as in 'Europe/Berlin'. [default: the machine's]"
EXPIRES = "How late it may be: '90m', '2d' or 'never'. [default: 6h]"


def time_options(
    *, required: bool = False, zone: str = ZONE, expires: str = EXPIRES
) -> Callable[[Any], Any]:
    """``--at``, ``--zone`` and ``--expires``, with the words of their help."""

    def add(command: Any) -> Any:
        for option in (
            click.option("--expires", metavar="TIME", help=expires),
            click.option("--zone", help=zone),
            click.option("--at", metavar="WHEN", required=required, help=HELP),
        ):
            command = option(command)
        return command

    return add


NEW = {
    "at": "give a time, or leave it out to publish now",
    "zone": "name one, or leave it out for the machine's own",
    "expires": "give a time such as 6h, or leave it out",
}
AGAIN = {
    "at": "give a time such as 'tomorrow 9:00'",
    "zone": "name one, or leave it out for that of the time before",
    "expires": "give a time such as 6h, or leave it out to be as late as before",
}
"""What to do about a flag that is empty: of a new post, and of one that is moved."""


def empty_times(given: dict[str, Any], remedies: Mapping[str, str] = NEW) -> list[str]:
    """What is wrong with flags that are empty, as an unset variable of a script leaves them: a
    post that was to wait would go out at once."""
    return [
        f"--{name} is empty; {remedy}."
        for name, remedy in remedies.items()
        if given[name] is not None and not given[name].strip()
    ]


def check_times(given: dict[str, Any]) -> None:
    """Raises InputError where a flag of a new time is empty."""
    problems = empty_times(given, AGAIN)
    if problems:
        raise InputError(problems)


def spoken(at: datetime, zone: str | None) -> str:
    """``Mon 2027-01-04 09:00 Europe/Berlin (08:00 UTC)``; an instant in the machine's zone."""
    from ..when import When

    return When(at, zone=zone).spoken()


def fresh(at: datetime, expires_at: datetime | None, zone: str | None) -> str | None:
    """``until Mon 2027-01-04 10:30 Europe/Berlin``; None where it is as late as any post may be."""
    from ..freshness import FRESHNESS

    if expires_at is None:
        return "for ever"
    return None if expires_at - at == FRESHNESS else f"until {short(expires_at, zone)}"


def scheduled_for(at: datetime, expires_at: datetime | None, zone: str | None) -> str:
    """``Mon 2027-01-04 09:00 UTC, fresh until Mon 2027-01-04 10:30 UTC``."""
    late = fresh(at, expires_at, zone)
    return spoken(at, zone) + (f", fresh {late}" if late else "")


def short(at: datetime, zone: str | None) -> str:
    """The same without UTC."""
    return spoken(at, zone).partition(" (")[0]

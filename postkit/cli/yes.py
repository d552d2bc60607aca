"""``--yes``: nobody is asked; ``--yes NAME``: this protected account is meant."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

from ..accounts.confirm import unconfirmed
from ..network import Account
from .completing import complete_accounts
from .output import say, shown

LABEL = re.compile(r"[a-z][a-z0-9_-]{0,31}:[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What an account's name looks like, so that a post's text or file is not taken for one."""
NAMED = "--yes-account"

named_option: Callable[[Any], Any] = click.option(
    "--yes",
    "confirmed",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_accounts,
    help="The protected account that is meant, as network:name; repeat it for several.",
)
"""For commands that ask nothing else."""


def yes_options(command: Any) -> Any:
    """``--yes`` alone or with a name, for a command of the class ``Confirmed``."""
    command = click.option(
        NAMED, "confirmed", multiple=True, hidden=True, shell_complete=complete_accounts
    )(command)
    return click.option(
        "--yes",
        is_flag=True,
        help="Do not ask. A protected account needs its name: --yes network:name, for each.",
    )(command)


class Confirmed(click.Command):
    """A command whose ``--yes`` may be followed by the name of an account."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(_named(args)))


def _named(args: Iterable[str]) -> Iterator[str]:
    given = list(itertools.takewhile(lambda word: word != "--", args))
    rest = list(args)[len(given) :]
    words = iter(given)
    waiting: str | None = next(words, None)
    while waiting is not None:
        following = next(words, None)
        if waiting.startswith("--yes="):
            yield f"{NAMED}={waiting.removeprefix('--yes=')}"
        elif waiting == "--yes" and following is not None and LABEL.fullmatch(following):
            # Whoever names the account has said yes.
            yield from ("--yes", NAMED, following)
            following = next(words, None)
        else:
            yield waiting
        waiting = following
    yield from rest


def ask_for_names(
    accounts: Iterable[Account], confirmed: Iterable[str], act: str, *, as_json: bool = False
) -> tuple[str, ...]:
    """``confirmed``, and what a person on a terminal types for each protected account that is not
    among it; without a terminal nobody is asked. ``act`` is what is to be done, as a question."""
    names = tuple(confirmed)
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return names
    for account in unconfirmed(accounts, names):
        who = f" ({account.identity.name})" if account.identity is not None else ""
        say(shown(f"{account.label}{who} is protected."), err=True)
        typed = click.prompt(f"{act} Type {account.label} to say yes", default="", err=True,
                             show_default=False)  # fmt: skip
        if typed.strip() != account.label:
            say("That is not its name; nothing was done.", err=True)
            raise click.exceptions.Exit(1)
        names = (*names, account.label)
    return names

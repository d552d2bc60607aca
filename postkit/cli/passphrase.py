"""Passphrases at the command line: by reference, or typed where nobody sees them."""

from __future__ import annotations

import sys

import click

from ..accounts import passphrase
from ..accounts.secret import Secret
from ..errors import InputError
from .kit import Kit

passphrase_option = click.option(
    "--passphrase",
    metavar="FROM",
    help="Where the passphrase is: env:NAME, file:PATH, cmd:COMMAND, or - for a line of standard "
    "input. [default: asked for on a terminal]",
)


def ask_for_vault() -> str | None:
    """The passphrase of the vault, from a person at a terminal; None where there is none."""
    if not sys.stdin.isatty():
        return None
    return _hidden("Passphrase of the vault")


def old_passphrase(kit: Kit, given: str | None) -> str:
    """A passphrase that something has. Raises InputError."""
    return _typed() if given is None else _referred(kit, given)


def new_passphrase(kit: Kit, given: str | None) -> str:
    """A passphrase for something new: on a terminal it is asked for twice. Raises InputError and
    VaultError."""
    if given is not None:
        return passphrase.check_new(_referred(kit, given))
    first = passphrase.check_new(_typed())
    if _hidden("The same again") != first:
        raise InputError("The two passphrases differ; nothing was changed.")
    return first


def _typed() -> str:
    if not sys.stdin.isatty():
        raise InputError(
            "A passphrase is needed: give --passphrase env:NAME, file:PATH, cmd:COMMAND or -, or "
            "run it in a terminal."
        )
    return _hidden("Passphrase")


def _hidden(question: str) -> str:
    return Secret(str(click.prompt(question, hide_input=True, err=True))).reveal()


def _referred(kit: Kit, reference: str) -> str:
    if reference == "-":
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise InputError("--passphrase -: standard input is empty.")
        return Secret(text).reveal()
    found: str | None = kit.plugins.manager.hook.postkit_secret(reference=reference)
    if found is None:
        # It may be the passphrase itself: it is not repeated.
        raise InputError(
            "--passphrase takes env:NAME, file:PATH, cmd:COMMAND or -: a passphrase itself would "
            "stand in the list of processes."
        )
    return Secret(found).reveal()

"""``postkit vault``: where secrets are kept, by which key, and copies of them."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..accounts.keys import VARIABLE, given_key
from ..accounts.rekey import Target, new_key, rekey
from ..accounts.transfer import export_vault, import_vault
from ..accounts.vault_status import vault_status
from ..errors import InputError
from ..home import Home
from .kit import Kit
from .output import counted, emit, json_option, labelled, say, shown
from .passphrase import new_passphrase, old_passphrase, passphrase_option

NEW_KEY = "POSTKIT_NEW_KEY"
WITHIN: dict[str, Target] = {
    "key file": "file",
    "keyring": "keyring",
    "passphrase": "passphrase",
}
"""What a new key replaces where nothing is said: the same of its kind."""


@click.group("vault", invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int:
    """Where the secrets of accounts are kept, by which key; a new key, and copies."""
    if ctx.invoked_subcommand is None:
        return _status(as_json)
    if as_json:
        raise InputError(f"Give --json after {ctx.invoked_subcommand}.")
    return 0


@command.command("status")
@json_option
def status(as_json: bool) -> int:
    """Where the vault is, what its key is, and whether it opens."""
    return _status(as_json)


def _status(as_json: bool) -> int:
    found = vault_status(Home.resolve())
    if as_json:
        emit(
            {
                "path": str(found.path),
                "exists": found.exists,
                "mode": None if found.mode is None else f"{found.mode:03o}",
                "key": found.key,
                "entries": found.entries,
                "problem": found.problem,
            }
        )
    else:
        where = "" if found.exists else " (not there yet: the first account makes it)"
        labelled("vault", f"{found.path}{where}", indent=0)
        if found.mode is not None:
            labelled("mode", f"{found.mode:03o}", indent=0)
        if found.key is not None:
            labelled("key", found.key, indent=0)
        if found.entries is not None:
            labelled("entries", str(found.entries), indent=0)
        if found.problem is not None:
            labelled("problem", found.problem, indent=0)
    return 1 if found.problem is not None else 0


@command.command("rekey")
@click.option(
    "--to",
    type=click.Choice(["file", "keyring", "passphrase", "given"]),
    help="Where the new key is kept: a key file, the system's keyring, a passphrase, or given in "
    f"{NEW_KEY}. [default: as the old one]",
)
@passphrase_option
@json_option
def rekey_command(to: Target | None, passphrase: str | None, as_json: bool) -> int:
    """Encrypt the vault with a new key, in place of the old one."""
    if passphrase is not None and to not in (None, "passphrase"):
        raise InputError(f"--passphrase belongs to --to passphrase, not to --to {to}.")
    with Kit() as kit:
        vault = kit.vault()
        to = to or _default(vault.key_origin, passphrase)
        if to == "given":
            key = given_key(_given(), NEW_KEY)
        elif to == "passphrase":
            key = new_key(to, new_passphrase(kit, passphrase))
        else:
            key = new_key(to)
        before = vault.key_origin
        warnings = rekey(kit.home, vault, key)
        count = len(vault.ids())
    next_step = _next_step(to, before, kit.home)
    if as_json:
        emit({"entries": count, "to": to, "next": next_step, "warnings": warnings})
        return 0
    kept = {
        "file": f"in {kit.home.key_path}",
        "keyring": "in the system's keyring",
        "passphrase": "made of the passphrase",
        "given": f"the one of {NEW_KEY}",
    }
    say(shown(f"Encrypted {_entries(count)} anew; the key is {kept[to]}."))
    if next_step:
        say(shown(next_step))
    for warning in warnings:
        say(shown(f"warning: {warning}"), err=True)
    return 0


def _default(origin: str, passphrase: str | None) -> Target:
    if passphrase is not None:
        return "passphrase"
    if os.environ.get(NEW_KEY, "").strip():
        return "given"
    if origin in WITHIN:
        return WITHIN[origin]
    raise InputError(
        f"The key is given from outside: set {NEW_KEY} to the new one, or say where it is to be "
        "kept with --to file, keyring or passphrase."
    )


def _given() -> str:
    text = os.environ.get(NEW_KEY, "").strip()
    if not text:
        raise InputError(f"--to given takes the new key from {NEW_KEY}, which is not set.")
    return text


def _next_step(to: Target, before: str, home: Home) -> str:
    """What a person must do, so that the next command finds the new key."""
    if to == "given":
        return f"Set {VARIABLE}, or the credential, to the key of {NEW_KEY} now."
    if before == "variable":
        return f"Unset {VARIABLE} now: it holds the old key."
    if before == "credential":
        return "Take the credential postkit-key away now: it holds the old key."
    return f"Keep a copy of {home.key_path}." if to == "file" else ""


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
@json_option
def export_command(file: Path, passphrase: str | None, as_json: bool) -> int:
    """Write all entries to FILE, encrypted with a passphrase."""
    with Kit() as kit:
        vault = kit.vault()
        vault.ids()  # before a person types
        names = export_vault(vault, file, new_passphrase(kit, passphrase))
    if as_json:
        emit({"path": str(file), "entries": list(names)})
    else:
        say(shown(f"Wrote {_entries(len(names))} to {file}."))
    return 0


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put the file's entries in the place of others.")
@passphrase_option
@json_option
def import_command(file: Path, replace: bool, passphrase: str | None, as_json: bool) -> int:
    """Take all entries of FILE into the vault, or none."""
    with Kit() as kit:
        vault = kit.vault()
        vault.ids()
        done = import_vault(vault, file, old_passphrase(kit, passphrase), replace=replace)
    if as_json:
        emit(
            {
                "added": list(done.added),
                "replaced": list(done.replaced),
                "same": list(done.same),
            }
        )
        return 0
    say(
        f"Imported {_entries(len(done.added))}; replaced {len(done.replaced)}; "
        f"{len(done.same)} were here already."
    )
    return 0


def _entries(count: int) -> str:
    return counted(count, "entry")

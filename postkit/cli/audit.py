"""``postkit audit``: proves the history, and writes it out for another place."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click

from ..deliver.chain import Chain, lines_text
from ..errors import InputError
from .kit import Kit
from .output import emit, json_option, say, shown, table

EVERY = 50_000
"""Lines between two signs of life."""


@click.command("audit")
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option(
    "--json-lines",
    "target",
    metavar="FILE",
    help="Write every line as JSON into FILE (- for standard output), for another place to keep.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help="Write the lines from then on (2027-01-04 or 2027-01-04T09:00+01:00); all are proved.",
)
@json_option
def command(accounts: tuple[str, ...], target: str | None, since: str | None, as_json: bool) -> int:
    """Prove that nothing of the history was changed, removed or added behind postkit's back.

    ACCOUNT is network:name, or `everything` for what is about no single account.
    """
    if since is not None and target is None:
        raise InputError("--since chooses what --json-lines writes; give both.")
    if as_json and target == "-":
        raise InputError("Give one of --json and --json-lines -: both write to standard output.")
    first = _since(since) if since is not None else None
    with Kit() as kit, _lines(target) as each:
        # Before the first post there is no store, and a question makes none.
        there = bool(accounts) or kit.home.store_path.exists()
        chains = kit.audit(accounts, since=first, each=each, watch=_progress) if there else []
        apart = kit.audited_apart() if there else 0
    if apart:
        whose = "1 tenant has a history" if apart == 1 else f"{apart:,} tenants have histories"
        say(f"{whose} apart from this; `kit.for_tenant(ID).audit()` proves one.", err=True)
    _show(chains, as_json=as_json, err=target == "-")
    return 1 if any(chain.broken for chain in chains) else 0


def _show(chains: list[Chain], *, as_json: bool, err: bool) -> None:
    broken = [chain for chain in chains if chain.broken is not None]
    if as_json:
        emit({"whole": not broken, "chains": [chain.to_json() for chain in chains]})
    elif not err:
        rows = [
            [chain.account, f"{chain.lines:,}", "broken" if chain.broken else "whole", chain.hash]
            for chain in chains
        ]
        if rows:
            table(["account", "lines", "chain", "newest hash"], rows)
    for chain in broken:
        where = chain.broken
        if where is not None:
            at = f" ({where.at:%Y-%m-%d %H:%M:%S} UTC)" if where.at else ""
            say(shown(f"error: {chain.account}: line {where.line:,}{at}: {where.what}"), err=True)
    if not chains:
        say("Nothing has happened yet.", err=True)
    elif not broken and err:
        lines = sum(chain.lines for chain in chains)
        say(f"{lines:,} lines are as they were written.", err=True)


def _progress(done: int, total: int) -> None:
    if total > EVERY and (done == total or done % EVERY < 2000):
        say(f"{done:,} of {total:,} lines", err=True)


@contextlib.contextmanager
def _lines(target: str | None) -> Iterator[Callable[[dict[str, Any]], None] | None]:
    """Writes each line. A file is replaced once all of it is written; its owner alone reads it."""
    if target is None:
        yield None
    elif target == "-":
        yield lambda line: _write(sys.stdout, line)
    else:
        path = Path(target)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                yield lambda line: _write(file, line)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            raise InputError(
                f"--json-lines {target}: cannot be written ({error.strerror})."
            ) from error
        finally:
            part.unlink(missing_ok=True)


def _write(file: IO[str], line: dict[str, Any]) -> None:
    file.write(lines_text(line) + "\n")


def _since(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"--since {text!r} is no time; write 2027-01-04 or 2027-01-04T09:00+01:00."
        ) from None
    return moment if moment.tzinfo is not None else moment.astimezone()

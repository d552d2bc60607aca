"""``postkit guarantees``: what each network lets postkit promise."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby

import click

from ..address import Address, expand
from ..errors import PluginError
from ..guarantees import SAYS, Promise, promises, repeats, spoken
from ..network import Account
from .kit import Kit
from .output import emit, json_option, say, shown, table, wrapped


@click.command("guarantees")
@click.argument("names", metavar="[NETWORK|ADDRESS]...", nargs=-1)
@json_option
def command(names: tuple[str, ...], as_json: bool) -> int:
    """Show how a lost answer is found out at each network and account, and what can remain
    uncertain. Asks no network."""
    broken: list[dict[str, str]] = []
    with Kit() as kit:
        found = list(_promises(kit, names, broken))
    if as_json:
        emit({"guarantees": [promise.to_json() for promise in found], "broken": broken})
    elif sys.stdout.isatty():
        _print_blocks(found)
    else:
        _print_rows(found)
    for row in broken:
        say(shown(f"warning: {row['network']}: {row['message']}"), err=True)
    return 0


def _promises(kit: Kit, names: Sequence[str], broken: list[dict[str, str]]) -> Iterator[Promise]:
    """Of what is named; of everything, where nothing is. A plugin that does not load is an
    error where it is named, else a row of ``broken``."""
    # Before the first post there is no store, and a question makes none.
    accounts = kit.accounts if kit.home.store_path.exists() else []
    if not names:
        for name in kit.plugins.network_names():
            try:
                network = kit.plugins.network(name)
            except PluginError as error:
                broken.append({"network": name, "message": error.message})
                continue
            yield from promises(network)
            for account in accounts:
                if account.network == name:
                    yield from promises(network, account)
        return
    for name in expand(names, kit.config.groups):
        address = Address.parse(name)
        network = kit.plugins.network(address.network)
        if address.account is None:
            yield from promises(network)
        for account in _named(kit, address, accounts):
            yield from promises(network, account)


def _named(kit: Kit, address: Address, accounts: Sequence[Account]) -> list[Account]:
    if address.account is not None:
        return [kit.account(f"{address.network}:{address.account}")]
    return [account for account in accounts if account.network == address.network]


def _print_blocks(found: Sequence[Promise]) -> None:
    """A block for each network or account; kinds of posts that are promised alike share it."""
    for number, (name, of_name) in enumerate(groupby(found, lambda promise: promise.name)):
        if number:
            say()
        click.secho(name, bold=True)
        alike: dict[object, list[Promise]] = {}
        for promise in of_name:
            alike.setdefault(promise.guarantee, []).append(promise)
        for same in alike.values():
            kinds = ", ".join(promise.kind for promise in same)
            for line in wrapped(_facts(same[0]), f"  {kinds:20}  "):
                click.echo(line)
            for line in wrapped(same[0].uncertain, " " * 24):
                click.echo(line)


def _facts(promise: Promise) -> str:
    guarantee = promise.guarantee
    facts = [SAYS[guarantee.kind]]
    if guarantee.kind != "blind":
        facts.append(f"quiet window {spoken(guarantee.quiet)}" if guarantee.quiet else "no wait")
    if guarantee.key_ttl is not None:
        facts.append(f"a repeat is known for {spoken(guarantee.key_ttl)}")
    facts.append("sent again by itself" if repeats(guarantee) else "never sent again by itself")
    return ", ".join(facts)


def _print_rows(found: Sequence[Promise]) -> None:
    table(
        ["address", "post", "class", "quiet", "key", "repeats", "uncertain"],
        [
            [
                promise.name,
                promise.kind,
                promise.guarantee.kind,
                f"{promise.guarantee.quiet:g}",
                "-" if promise.guarantee.key_ttl is None else f"{promise.guarantee.key_ttl:g}",
                "yes" if repeats(promise.guarantee) else "no",
                promise.uncertain,
            ]
            for promise in found
        ],
    )

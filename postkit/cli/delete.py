"""``postkit delete``: take down what is live."""

from __future__ import annotations

import sys

import click

from ..errors import InputError
from .kit import Kit
from .output import counted, emit, json_option, print_report, say
from .yes import Confirmed, ask_for_names, yes_options


@click.command("delete", cls=Confirmed)
@click.argument("name", metavar="ID")
@yes_options
@json_option
def command(name: str, yes: bool, confirmed: tuple[str, ...], as_json: bool) -> int:
    """Delete every live part of a publication (p_...) or a delivery (d_...) at its network."""
    with Kit() as kit:
        report = kit.report(name)
        live = [url for delivery in report.deliveries for url in delivery.urls]
        count = sum(part.state == "LIVE" for d in report.deliveries for part in d.parts)
        if not count:
            raise InputError(f"{name} has nothing live; `postkit show {name}` tells its state.")
        if not yes and not as_json and sys.stdin.isatty():
            for url in live:
                say(url)
            click.confirm(f"Delete {counted(count, 'post')}? Nothing brings them back", abort=True)
        accounts = kit.accounts_of(name)
        confirmed = ask_for_names(accounts, confirmed, "Delete it?", as_json=as_json or yes)
        report = kit.delete(name, confirmed=confirmed)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status

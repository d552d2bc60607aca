"""``postkit delete``: take down what is live."""

from __future__ import annotations

import sys

import click

from ..errors import InputError
from .kit import Kit
from .output import counted, emit, json_option, print_report, say


@click.command("delete")
@click.argument("name", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def command(name: str, yes: bool, as_json: bool) -> int:
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
        report = kit.delete(name)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status

"""``postkit cancel``: what is not sent yet shall not be sent."""

from __future__ import annotations

import click

from .kit import Kit
from .output import emit, json_option, print_report


@click.command("cancel")
@click.argument("name", metavar="ID")
@json_option
def command(name: str, as_json: bool) -> int:
    """Cancel what is not sent of a publication (p_...) or a delivery (d_...).

    What is live stays; `postkit delete` removes it.
    """
    with Kit() as kit:
        report = kit.cancel(name)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status

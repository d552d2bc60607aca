"""``postkit finish``: complete what was interrupted; what is live is never sent again."""

from __future__ import annotations

import click

from .kit import Kit
from .output import emit, json_option, print_report
from .progress import ProgressLines
from .waiting import wait_option
from .yes import ask_for_names, named_option


@click.command("finish")
@click.argument("name", metavar="ID")
@click.option(
    "--retry", is_flag=True, help="Send again what was refused: what was wrong has been mended."
)
@wait_option
@named_option
@json_option
def command(name: str, retry: bool, wait: float, confirmed: tuple[str, ...], as_json: bool) -> int:
    """Take a publication (p_...) or a delivery (d_...) on from where it stopped."""
    with Kit() as kit, ProgressLines(quiet=as_json) as progress:
        names = confirmed
        if retry:
            names = ask_for_names(kit.accounts_of(name), names, "Send it again?", as_json=as_json)
        report = kit.finish(name, wait=wait, retry=retry, watch=progress, confirmed=names)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status

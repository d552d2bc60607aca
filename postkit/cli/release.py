"""``postkit release``: a person says that what is held shall be sent."""

from __future__ import annotations

import click

from .kit import Kit
from .output import emit, json_option, print_report
from .progress import ProgressLines
from .waiting import wait_option
from .yes import ask_for_names, named_option


@click.command("release")
@click.argument("name", metavar="ID")
@wait_option
@named_option
@json_option
def command(name: str, wait: float, confirmed: tuple[str, ...], as_json: bool) -> int:
    """Send what is held of a publication (p_...) or a delivery (d_...).

    What falls under a pause cannot be released before `postkit unpause` has ended it.
    """
    with Kit() as kit, ProgressLines(quiet=as_json) as progress:
        names = ask_for_names(kit.accounts_of(name), confirmed, "Send it?", as_json=as_json)
        kit.release(name, confirmed=names)
        report = kit.finish(name, wait=wait, watch=progress)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status

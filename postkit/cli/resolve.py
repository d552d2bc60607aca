"""``postkit resolve``: a person answers what no program can know."""

from __future__ import annotations

import click

from .kit import Kit
from .output import emit, json_option, print_report
from .progress import ProgressLines
from .waiting import wait_option
from .yes import ask_for_names, named_option


@click.command("resolve")
@click.argument("name", metavar="ID")
@click.option("--is-live", metavar="URL", help="It is live, at this address.")
@click.option("--resend", is_flag=True, help="It is not live: send it again.")
@click.option("--give-up", is_flag=True, help="It shall not be sent (again).")
@wait_option
@named_option
@json_option
def command(
    name: str,
    is_live: str | None,
    resend: bool,
    give_up: bool,
    wait: float,
    confirmed: tuple[str, ...],
    as_json: bool,
) -> int:
    """Answer the question of an uncertain delivery; look at the network first.

    --give-up also ends one that waits or is still in doubt.
    """
    with Kit() as kit, ProgressLines(quiet=as_json) as progress:
        names = confirmed
        if resend:
            names = ask_for_names(kit.accounts_of(name), names, "Send it again?", as_json=as_json)
        report = kit.resolve(
            name,
            is_live=is_live,
            resend=resend,
            give_up=give_up,
            wait=wait,
            watch=progress,
            confirmed=names,
        )
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return report.exit_status

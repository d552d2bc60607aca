"""``postkit reschedule``: another time for what is not sent yet."""

from __future__ import annotations

from typing import Any

import click

from .kit import Kit
from .output import emit, json_option, print_report
from .timing import check_times, time_options
from .yes import ask_for_names, named_option


@click.command("reschedule")
@click.argument("name", metavar="ID")
@time_options(
    required=True,
    zone="The zone of --at, as in 'Europe/Berlin'. [default: that of the time before]",
    expires="How late it may be: '90m', '2d' or 'never'. [default: as late as before]",
)
@named_option
@json_option
def command(name: str, confirmed: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Move a publication (p_...) or a delivery (d_...) that is not sent, or was missed."""
    check_times(given)
    with Kit() as kit:
        names = ask_for_names(kit.accounts_of(name), confirmed, "Move it?", as_json=as_json)
        report = kit.reschedule(name, confirmed=names, **given)
    if as_json:
        emit(report.to_json())
    else:
        print_report(report)
    return 0 if all(d.state == "scheduled" for d in report.deliveries) else report.exit_status

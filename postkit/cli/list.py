"""``postkit list``: the newest publications."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ..report import Report
from .kit import Kit
from .output import (
    MARKS,
    emit,
    json_option,
    opening,
    say,
    say_twice,
    shown,
    state_of,
    table,
    unpausing,
)


@click.command("list")
@click.option("--count", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
def command(count: int, as_json: bool) -> None:
    """List the newest publications and what became of each address."""
    with Kit() as kit:
        reports = kit.publications(count)
    if as_json:
        emit({"publications": [report.to_json() for report in reports]})
        return
    if not reports:
        say("Nothing has been published yet.", err=True)
        return
    if not sys.stdout.isatty():
        print_rows(reports)
    else:
        print_blocks(reports)
    deliveries = [each for report in reports for each in report.deliveries]
    for name in dict.fromkeys(each.paused for each in deliveries if each.paused):
        say(f"{name} is paused: {unpausing(name)} ends it.", err=True)
    say_twice([each for each in deliveries if each.copies])


def print_blocks(reports: Sequence[Report]) -> None:
    """A block for each publication, a line or two for each of its addresses."""
    for report in reports:
        at = report.deliveries[0].at if report.deliveries else None
        when = f"  {at:%Y-%m-%d %H:%M} UTC" if at else ""
        text = opening(report)
        say(f"{report.publication}{when}" + (f"  {text}" if text else ""))
        for delivery in report.deliveries:
            mark, colour = MARKS.get(delivery.state, ("", "white"))
            state = shown(state_of(delivery))
            click.echo(f"  {click.style(mark, fg=colour)} {shown(delivery.address)}  {state}")
            for url in delivery.urls[:1]:
                click.echo(f"      {shown(url)}")


def print_rows(reports: Sequence[Report]) -> None:
    """A line for each address: publication, time, address, state, link, text."""
    table(
        ["publication", "when (UTC)", "address", "state", "link", "text"],
        [
            [
                report.publication or "",
                f"{delivery.at:%Y-%m-%d %H:%M}" if delivery.at else "",
                delivery.address,
                delivery.state,
                delivery.urls[0] if delivery.urls else "-",
                text or "-",
            ]
            for report in reports
            for text in [opening(report)]
            for delivery in report.deliveries
        ],
    )

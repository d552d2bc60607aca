"""``postkit list``: the newest publications."""

from __future__ import annotations

import click

from ..kit import Kit
from .output import emit, json_option, table


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
        click.echo("Nothing has been published yet.", err=True)
        return
    rows = [
        [
            report.publication or "",
            f"{delivery.at:%Y-%m-%d %H:%M}" if delivery.at else "",
            delivery.address,
            delivery.state.replace("_", " "),
            delivery.urls[0] if delivery.urls else "-",
        ]
        for report in reports
        for delivery in report.deliveries
    ]
    table(["publication", "when (UTC)", "address", "state", "link"], rows)

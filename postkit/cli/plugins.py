"""``postkit plugins``: what is installed, and why something did not load."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..plugins import Plugins
from .output import emit, json_option, table


@click.command("plugins")
@click.option("--load", is_flag=True, help="Try to load every one of them.")
@json_option
def command(load: bool, as_json: bool) -> int:
    """List the plugins. Without --load none of them is imported."""
    records = Plugins().records(load=load)
    failed = any(record.state == "failed" for record in records)
    if as_json:
        emit({"plugins": [asdict(record) for record in records]})
        return 1 if failed else 0
    rows = [
        [
            r.name,
            r.group.removeprefix("postkit."),
            r.state,
            f"{r.distribution} {r.version}",
            r.reason,
        ]
        for r in records
    ]
    table(["name", "kind", "state", "from", "reason"], rows)
    return 1 if failed else 0

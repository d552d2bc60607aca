"""``postkit show``: the flight recorder of a publication, ending with what to do."""

from __future__ import annotations

import click

from .kit import Kit
from .next_step import Outlook, next_step
from .output import emit, json_option, opening, print_report, say, shown, wrapped
from .recorder import line_json, print_history


@click.command("show")
@click.argument("name", metavar="ID")
@json_option
def command(name: str, as_json: bool) -> int:
    """Show a publication (p_...) or a delivery (d_...): its state and its history."""
    with Kit() as kit:
        report = kit.report(name)
        known = [(each, kit.history(each.id)) for each in report.deliveries if each.id]
        worked = kit.is_worked()
        steps = {
            each.id: next_step(each, Outlook(worked, kit.pause_of(each.id or "")))
            for each, _ in known
        }
    if as_json:
        body = report.to_json()
        body["history"] = {each.id: [line_json(row) for row in rows] for each, rows in known}
        body["next"] = {name: step for name, step in steps.items() if step is not None}
        emit(body)
        return report.exit_status
    at = report.deliveries[0].at if report.deliveries else None
    text = opening(report)
    when = f"  {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
    heading = f"{report.publication}{when}" + (f"  {text}" if text else "")
    for line in wrapped(shown(heading), "", "  "):
        click.echo(line)
    print_report(report, steps=False)
    for each, rows in known:
        if rows:
            print_history(f"{each.id}  {each.address}", rows, each.parts)
        else:
            say(f"\n{each.id}  {each.address}\n  Nothing has happened yet.")
    say()
    left = [step for step in steps.values() if step is not None]
    for step in left:
        for line in wrapped(f"Next: {shown(step)}", "", "      "):
            click.echo(line)
    if not left:
        say("Nothing is left to do.")
    return report.exit_status

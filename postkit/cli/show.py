"""``postkit show``: everything that happened, in words, ending with what to do."""

from __future__ import annotations

import click

from ..kit import Kit
from ..report import Report
from .output import emit, json_option, print_report, say, shown, wrapped


@click.command("show")
@click.argument("name", metavar="ID")
@json_option
def command(name: str, as_json: bool) -> int:
    """Show a publication (p_...) or a delivery (d_...): its state and its history."""
    with Kit() as kit:
        report = kit.report(name)
        history = {
            delivery.id: kit.history(delivery.id) for delivery in report.deliveries if delivery.id
        }
    if as_json:
        body = report.to_json()
        body["history"] = {
            delivery: [
                {
                    "part": row.part_id,
                    "at": row.at.isoformat(),
                    "event": row.event,
                    "before": row.before,
                    "after": row.after,
                    "attempt": row.attempt,
                    "reason": row.reason,
                }
                for row in rows
            ]
            for delivery, rows in history.items()
        }
        emit(body)
        return report.exit_status
    print_report(report)
    for delivery, rows in history.items():
        say(f"\n{delivery}  (times in UTC)")
        for row in rows:
            part = (row.part_id or "").rpartition(".")[2]
            change = row.after if row.before == row.after else f"{row.before} -> {row.after}"
            start = f"  {row.at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f"  part {part}  {change}"
            say(start)
            for line in wrapped(shown(row.reason), " " * 12):
                click.echo(line)
    say(f"\n{next_step(report)}")
    return report.exit_status


def next_step(report: Report) -> str:
    """What a person should do now, in one sentence."""
    by_state = {d.state: d for d in reversed(report.deliveries)}
    if "uncertain" in by_state:
        asked = by_state["uncertain"]
        return f"Next: look at the network, then answer with `postkit resolve {asked.id} ...`."
    if any(d.exit_status == 75 for d in report.deliveries):
        return f"Next: `postkit finish {report.publication}`."
    if "partly_live" in by_state:
        part = by_state["partly_live"]
        return (
            f"Next: a part of {part.address} is not live. To start over, `postkit delete {part.id}`, "
            f"mend what was refused, and publish again with --to {part.address}."
        )
    if "failed" in by_state:
        place = by_state["failed"].address
        return f"Next: mend what was refused, then publish again with --to {place}."
    return "Nothing is left to do."

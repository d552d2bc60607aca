"""``postkit show``: everything that happened, in words, ending with what to do."""

from __future__ import annotations

import click

from ..kit import Kit
from ..report import Report
from .output import emit, json_option, print_report


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
        click.echo(f"\n{delivery}")
        for row in rows:
            part = (row.part_id or "").rpartition(".")[2]
            click.echo(
                f"  {row.at:%Y-%m-%d %H:%M:%S.%f}  part {part}  {row.before} -> {row.after}  "
                f"{row.reason}"
            )
    click.echo(f"\n{next_step(report)}")
    return report.exit_status


def next_step(report: Report) -> str:
    """What a person should do now, in one sentence."""
    questions = [d for d in report.deliveries if d.state == "uncertain"]
    if questions:
        return (
            f"Next: look at the network, then answer with `postkit resolve {questions[0].id} ...`."
        )
    open_ones = [d for d in report.deliveries if d.exit_status == 75]
    if open_ones:
        return f"Next: `postkit finish {report.publication}`."
    if any(d.state in ("failed", "partly_live") for d in report.deliveries):
        return "Next: mend what was refused and publish it again; what is live is not sent twice."
    return "Nothing is left to do."

"""``postkit show``: everything that happened, in words, ending with what to do."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..kit import Kit
from ..report import Report
from ..store.rows import HistoryRow
from .output import emit, json_option, opening, print_report, say, shown, wrapped


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
    at = report.deliveries[0].at if report.deliveries else None
    text = opening(report)
    when = f"  {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
    say(f"{report.publication}{when}" + (f"  {text}" if text else ""))
    print_report(report)
    for delivery, rows in history.items():
        print_history(delivery, rows)
    say(f"\n{next_step(report)}")
    return report.exit_status


def print_history(delivery: str, rows: Sequence[HistoryRow]) -> None:
    day = ""
    for row in rows:
        if f"{row.at:%Y-%m-%d}" != day:
            day = f"{row.at:%Y-%m-%d}"
            say(f"\n{delivery}  {day} (UTC)")
        part = (row.part_id or "").rpartition(".")[2]
        change = f"{row.after}" if row.before == row.after else f"{row.before} -> {row.after}"
        start = f"  {row.at:%H:%M:%S.%f}"[:-3] + f"  {part:2} {change:22} "
        for line in wrapped(shown(row.reason), start):
            click.echo(line)


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
            f"Next: a part of {part.address} is not live. Where its cause is mended, `postkit "
            f"finish {part.id} --retry` goes on there; to change the post, run `postkit delete "
            f"{part.id}` and publish again with --to {part.address}."
        )
    if "failed" in by_state:
        failed = by_state["failed"]
        return (
            f"Next: where the cause is mended, `postkit finish {failed.id} --retry`; to change "
            f"the post, publish again with --to {failed.address}."
        )
    return "Nothing is left to do."

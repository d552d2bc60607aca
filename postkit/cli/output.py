"""How commands print: JSON for scripts, tables on a terminal, plain lines in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from ..accounts.secret import Redactor
from ..report import DeliveryReport, Report

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output."
)

MARKS = {
    "live": ("✓", "green"),
    "planned": ("·", "cyan"),
    "scheduled": ("…", "yellow"),
    "sending": ("…", "yellow"),
    "checking": ("?", "yellow"),
    "uncertain": ("?", "magenta"),
    "held": ("‖", "yellow"),
    "partly_live": ("◐", "red"),
    "failed": ("✗", "red"),
    "missed": ("✗", "red"),
    "cancelled": ("–", "white"),
}


def emit(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(Redactor.redact(json.dumps(value, ensure_ascii=False)))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """A table on a terminal; lines of tab-separated fields in a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo(Redactor.redact("\t".join(cell.replace("\n", " ") for cell in row)))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*headers, title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for row in rows:
        shown.add_row(*(Text(Redactor.redact(cell)) for cell in row))
    Console().print(shown)


def print_report(report: Report, *, links: bool = True) -> None:
    """A report for people: a table, then what was changed or lost, then questions and errors."""
    rows = []
    for delivery in report.deliveries:
        mark, _ = MARKS.get(delivery.state, ("", ""))
        link = delivery.urls[0] if delivery.urls else "-"
        rows.append([delivery.address, f"{mark} {delivery.state}", link, _summary(delivery)])
    headers = ["address", "state", "link" if links else "", "what was changed"]
    table(headers, rows)
    for delivery in report.deliveries:
        print_details(delivery)
    for warning in report.warnings:
        click.echo(f"warning: {Redactor.redact(warning)}", err=True)


def print_details(delivery: DeliveryReport) -> None:
    lines: list[str] = []
    for part in delivery.parts[1:]:
        if part.url and part.state == "LIVE":
            lines.append(f"  then {part.url}")
    lines += [f"  changed  {_where(change)}" for change in delivery.changes]
    lines += [f"  lost     {_where(loss)}" for loss in delivery.losses]
    if delivery.question:
        lines.append(f"  question {delivery.question['text']}")
        lines += [f"           look at {link}" for link in delivery.question.get("links", [])]
        lines += [f"           {answer}" for answer in delivery.question.get("answers", [])]
    elif delivery.error:
        lines.append(f"  {delivery.error['kind']}: {delivery.error['message']}")
    if delivery.id and delivery.exit_status == 75:
        when = f" after {delivery.retry_at:%H:%M:%S} UTC" if delivery.retry_at else ""
        lines.append(f"  next     postkit finish {delivery.id}{when}")
    if lines:
        click.echo(delivery.address)
        for line in lines:
            click.echo(Redactor.redact(line))


def _summary(delivery: DeliveryReport) -> str:
    parts = [f"{len(delivery.parts)} parts"] if len(delivery.parts) > 1 else []
    if delivery.changes:
        parts.append(f"{len(delivery.changes)} changed")
    if delivery.losses:
        parts.append(f"{len(delivery.losses)} lost")
    if delivery.cost:
        parts.append(f"{delivery.cost['amount']:.3f} {delivery.cost['currency']}")
    return ", ".join(parts) or "nothing"


def _where(change: Any) -> str:
    part = f" (part {change['part']})" if change.get("part") else ""
    return f"{change['field']}{part}: {change['text']}"

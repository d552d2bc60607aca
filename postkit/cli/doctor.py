"""``postkit doctor``: what is wrong, each with what mends it, and then what is fine."""

from __future__ import annotations

import sys

import click

from ..accounts.check import Checked
from ..doctor.examine import examine
from ..doctor.finding import Examination
from ..doctor.patient import Patient
from .output import emit, json_option, labelled, say, shown


@click.command("doctor")
@click.option("--online", is_flag=True, help="Ask each network who it is, and for the time.")
@json_option
def command(online: bool, as_json: bool) -> int:
    """Look for what is wrong here, and say how to mend it. Changes nothing, but that --online
    keeps what the networks say of the accounts.

    Exit status: 1 where something will stop a post, else 0, with warnings too.
    """

    def heard(checked: Checked) -> None:
        if sys.stderr.isatty() and not as_json:
            say(f"Asked {checked.account.label}", err=True)

    with Patient() as kit:
        examination = examine(kit, online=online, heard=heard)
    if as_json:
        emit(_json(examination))
    else:
        _print(examination)
    return examination.exit_status


def _print(examination: Examination) -> None:
    findings = examination.findings
    for finding in findings:
        mark, colour = ("✗", "red") if finding.severity == "problem" else ("!", "yellow")
        name = click.style(finding.area, bold=True)
        click.echo(f"{click.style(mark, fg=colour)} {name}  {shown(finding.text)}")
        if finding.remedy:
            labelled("next", finding.remedy)
    if findings:
        click.echo()
    for area in examination.areas:
        if area.findings:
            continue
        mark, colour = ("-", "white") if area.skipped else ("✓", "green")
        name = click.style(f"{area.area:9}", bold=True)
        click.echo(f"{click.style(mark, fg=colour)} {name} {shown(area.summary)}")
    if not findings:
        say("\nNothing is wrong.")


def _json(examination: Examination) -> dict[str, object]:
    return {
        "findings": [
            {
                "area": each.area,
                "severity": each.severity,
                "text": each.text,
                "remedy": each.remedy or None,
            }
            for each in examination.findings
        ],
        "areas": [
            {
                "area": each.area,
                "summary": each.summary or None,
                "state": "skipped"
                if each.skipped
                else "problem"
                if any(f.severity == "problem" for f in each.findings)
                else "warning"
                if each.findings
                else "fine",
            }
            for each in examination.areas
        ],
    }

"""How commands print: JSON for scripts, blocks and tables for people, plain lines in a pipe."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from ..accounts.secret import Redactor
from ..errors import NeedsLogin
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
WIDEST = 100
"""Columns. Longer lines are hard to read, however wide the terminal is."""
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, line separators, and what turns the direction of the text behind it."""


def shown(text: str) -> str:
    """Text as it may be printed on one line: without secrets, and without what a terminal would
    obey. Line breaks are escaped too, so that no text can pretend to be a line of postkit's."""
    return shown_lines(text).replace("\n", "\\n")


def shown_lines(text: str) -> str:
    """The same with its line breaks: for what stands in a margin of its own, or is postkit's."""
    return _OBEYED.sub(_escaped, Redactor.redact(text))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def say(text: str = "", *, err: bool = False) -> None:
    """Words for people; what is in them of somebody else's goes through ``shown`` first."""
    click.echo(shown_lines(text), err=err)


def emit(value: Any) -> None:
    """One JSON value on standard output."""
    text = Redactor.redact(json.dumps(value, ensure_ascii=False))
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = Redactor.redact(json.dumps(value))
    click.echo(text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns on a terminal; lines of tab-separated fields in a pipe.

    The last column is never cut or wrapped: put there what a person copies.
    """
    cells = [[shown(cell.replace("\n", " ")).replace("\t", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            click.echo("\t".join(row))
        return
    widths = [max(_width(row[n]) for row in [headers, *cells]) for n in range(len(headers))]
    for number, row in enumerate([list(headers), *cells]):
        line = "  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True))
        click.echo(click.style(line.rstrip(), bold=True) if not number else line.rstrip())


def print_report(report: Report, *, steps: bool = True) -> None:
    """A report for people: a block for each address with its links, each whole on its own line,
    and what to do about what is held or missed (without ``steps``: somebody says so elsewhere)."""
    for delivery in report.deliveries:
        print_delivery(delivery, steps=steps)
    for warning in report.warnings:
        say(shown(f"warning: {warning}"), err=True)


def opening(report: Report, most: int = 40) -> str:
    """How the text of a publication begins, on one line; empty where no address has words."""
    return opening_of(report.deliveries, most)


def opening_of(deliveries: Sequence[DeliveryReport], most: int = 40) -> str:
    """The same of these deliveries."""
    texts = (delivery.parts[0].text for delivery in deliveries if delivery.parts)
    words = " ".join(next((text for text in texts if text.strip()), "").split())
    return words if len(words) <= most else f"{words[:most].rstrip()}..."


def print_delivery(delivery: DeliveryReport, *, steps: bool = True) -> None:
    mark, colour = MARKS.get(delivery.state, ("", "white"))
    state = delivery.state.replace("_", " ")
    if delivery.state == "cancelled":
        # What was changed or paid for a post that is gone is no news any more.
        gone = "deleted" if any(p.remote_id or p.url for p in delivery.parts) else state
        name = click.style(shown(delivery.address), bold=True)
        click.echo(f"{click.style(mark, fg=colour)} {name}  {click.style(gone, fg=colour)}")
        return
    if delivery.held_reason:
        by = f": {delivery.paused}" if delivery.held_reason == "paused" and delivery.paused else ""
        state += f" ({delivery.held_reason.replace('_', ' ')}{by})"
    facts = _facts(delivery)
    click.echo(
        f"{click.style(mark, fg=colour)} {click.style(shown(delivery.address), bold=True)}  "
        f"{click.style(state, fg=colour)}" + (f"  ({', '.join(facts)})" if facts else "")
    )
    for part in delivery.parts:
        if part.state == "LIVE" and part.url:
            click.echo(f"    {shown(part.url)}")
    rows = [("changed", where(change)) for change in delivery.changes]
    rows += [("lost", where(loss)) for loss in delivery.losses]
    if delivery.question:
        rows.append(("question", str(delivery.question["text"])))
        rows += [("look at", str(link)) for link in delivery.question.get("links", [])]
        rows += [("answer", str(answer)) for answer in delivery.question.get("answers", [])]
    elif delivery.error:
        rows.append(("reason", str(delivery.error["message"])))
    if delivery.state == "scheduled" and delivery.id and not delivery.overdue:
        rows += _when(delivery)
    if delivery.id and delivery.exit_status == 75:
        when = f" (after {delivery.retry_at:%H:%M:%S} UTC)" if delivery.retry_at else ""
        if delivery.error and delivery.error["kind"] == NeedsLogin.kind:
            name = delivery.account.partition(":")[2]
            rows.append(("next", f"postkit connect {delivery.network} --name {name}"))
            when = ""
        rows.append(("next", f"postkit finish {delivery.id}{when}"))
    if steps and delivery.id and delivery.state in ("held", "missed"):
        from .next_step import Outlook, next_step

        step = next_step(delivery, Outlook(worked=False, paused=delivery.paused))
        rows.append(("next", step or ""))
    for label, text in rows:
        labelled(label, text)


def _when(delivery: DeliveryReport) -> list[tuple[str, str]]:
    from .timing import fresh, spoken

    if delivery.retry_at is not None:
        return [("waits", f"until {spoken(delivery.retry_at, 'UTC')}")]
    if delivery.at is None:
        return []
    late = fresh(delivery.at, delivery.expires_at, delivery.zone)
    due = ("due", spoken(delivery.at, delivery.zone))
    return [due, ("fresh", late)] if late else [due]


def labelled(label: str, text: str, *, indent: int = 4) -> None:
    """``label  text``, wrapped with a hanging indent on a terminal; words are never cut."""
    start = " " * indent + f"{label:8} "
    for line in wrapped(shown(text), start):
        click.echo(line)


def wrapped(text: str, start: str, hang: str | None = None) -> Iterator[str]:
    """The lines of a text below each other; links and other long words stay whole."""
    hang = " " * len(start) if hang is None else hang
    for number, line in enumerate(text.splitlines() or [""]):
        first = hang if number else start
        if not sys.stdout.isatty():
            yield first + line
            continue
        width = min(shutil.get_terminal_size().columns, WIDEST)
        yield from textwrap.wrap(
            line,
            max(width, 40),
            initial_indent=first,
            subsequent_indent=hang,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first]


def where(change: Any) -> str:
    part = f" (part {change['part']})" if change.get("part") else ""
    return f"{change['field']}{part}: {change['text']}"


def say_twice(copied: Sequence[DeliveryReport], most: int = 3) -> None:
    """That posts may be there twice: each with its other links, and what tells more."""
    if not copied:
        return
    say(f"{counted(len(copied), 'post')} may be there twice:", err=True)
    for each in copied[:most]:
        say(f"  {each.address}  `postkit show {each.id}`", err=True)
        for link in each.copies:
            say(f"      {link}", err=True)
    if len(copied) > most:
        say(f"  and {len(copied) - most:,} more", err=True)


def unpausing(paused: str) -> str:
    """The command that ends the pause of this address."""
    return f"`postkit unpause {'--all' if paused == 'everything' else paused}`"


def counted(number: int, noun: str) -> str:
    """``1 address``, ``2 addresses``, ``2 deliveries``."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        plural = f"{noun[:-1]}ies"
    else:
        plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def state_of(delivery: DeliveryReport) -> str:
    """The state on one line: why it is held, until when it waits, which pause it falls under."""
    if delivery.overdue:
        return "overdue"
    if delivery.retry_at is not None and delivery.error is not None:
        why = str(delivery.error["message"]).rstrip(".")
        return f"waiting until {delivery.retry_at:%H:%M:%S} UTC ({why})"
    state = delivery.state.replace("_", " ")
    reason = (delivery.held_reason or "").replace("_", " ")
    if delivery.paused is not None:
        reason = f"paused: {delivery.paused}" if reason in ("", "paused") else reason
    return f"{state} ({reason})" if reason else state


def _facts(delivery: DeliveryReport) -> list[str]:
    facts = []
    live = sum(part.state == "LIVE" for part in delivery.parts)
    if len(delivery.parts) > 1:
        some = f"{live} of " if 0 < live < len(delivery.parts) else ""
        facts.append(f"{some}{len(delivery.parts)} parts")
    if delivery.changes:
        facts.append(f"{len(delivery.changes)} changed")
    if delivery.losses:
        facts.append(f"{len(delivery.losses)} lost")
    if delivery.cost:
        facts.append(f"{delivery.cost['amount']:.3f} {delivery.cost['currency']}")
    return facts


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)

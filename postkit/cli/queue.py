"""``postkit queue``: what is not sent yet, what is late first."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ..kit import Kit
from ..report import DeliveryReport
from .output import MARKS, counted, emit, json_option, opening_of, say, shown, table, twice
from .timing import short

FOR_A_PERSON = ("held", "missed", "uncertain")


@click.command("queue")
@click.option("--count", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
def command(count: int, as_json: bool) -> None:
    """List what is not sent yet: what is overdue, what waits for you, and what is to come."""
    with Kit() as kit:
        deliveries = kit.queue(count)
        total = kit.queue_length()
        worked = kit.is_worked()
        copied = kit.copied()
    if as_json:
        listed = [{**each.to_json(), "overdue": each.overdue} for each in deliveries]
        emit({"deliveries": listed, "total": total, "worker": worked})
        return
    if not deliveries:
        say("Nothing is scheduled.", err=True)
        if copied:
            say(twice(copied), err=True)
        return
    if sys.stdout.isatty():
        for delivery in deliveries:
            print_waiting(delivery)
    else:
        print_rows(deliveries)
    if total > len(deliveries):
        say(f"and {total - len(deliveries):,} more (--count {min(total, 1000)})", err=True)
    for line in remarks(deliveries, worked=worked):
        say(line, err=True)
    if copied:
        say(twice(copied), err=True)


def print_waiting(delivery: DeliveryReport) -> None:
    """Two lines: where, how it stands and when; then the id and how it begins."""
    state = state_of(delivery)
    mark, colour = ("!", "red") if delivery.overdue else MARKS[delivery.state]
    name = click.style(shown(delivery.address), bold=True)
    click.echo(
        f"{click.style(mark, fg=colour)} {name}  {click.style(state, fg=colour)}  "
        f"{shown(when_of(delivery))}"
    )
    click.echo(f"    {shown(delivery.id or '')}  {shown(opening_of([delivery]))}".rstrip())


def print_rows(deliveries: Sequence[DeliveryReport]) -> None:
    """A line for each delivery: id, state, time, address, text."""
    table(
        ["id", "state", "when", "address", "text"],
        [
            [each.id or "", state_of(each), when_of(each), each.address, opening_of([each]) or "-"]
            for each in deliveries
        ],
    )


def state_of(delivery: DeliveryReport) -> str:
    """The state, with the reason and the time of the next try where it waits."""
    if delivery.overdue:
        return "overdue"
    if delivery.retry_at is not None and delivery.error is not None:
        why = str(delivery.error["message"]).rstrip(".")
        return f"waiting until {delivery.retry_at:%H:%M:%S} UTC ({why})"
    reason = f" ({delivery.held_reason.replace('_', ' ')})" if delivery.held_reason else ""
    return delivery.state + reason


def when_of(delivery: DeliveryReport) -> str:
    """``Mon 2027-01-04 09:00 Europe/Berlin``."""
    return short(delivery.at, delivery.zone) if delivery.at is not None else ""


def remarks(deliveries: Sequence[DeliveryReport], *, worked: bool) -> list[str]:
    """What a person should know or do, a sentence each."""
    lines = []
    overdue = sum(delivery.overdue for delivery in deliveries)
    if not worked:
        late = f"{counted(overdue, 'delivery')} overdue. " if overdue else ""
        lines.append(f"No worker runs. {late}Nothing is sent until `postkit worker` runs.")
    states = {delivery.state for delivery in deliveries}
    if "missed" in states:
        lines.append("What was missed: `postkit reschedule ID --at WHEN`, or `postkit cancel ID`.")
    paused = dict.fromkeys(d.paused for d in deliveries if d.state == "held" and d.paused)
    for name in paused:
        end = "--all" if name == "everything" else name
        lines.append(f"{name} is paused: `postkit unpause {end}` first.")
    if "held" in states:
        lines.append("What is held: `postkit release ID` sends it, `postkit cancel ID` drops it.")
    if "uncertain" in states:
        lines.append("What is uncertain: `postkit show ID` asks the question.")
    return lines

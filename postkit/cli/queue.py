"""``postkit queue``: what is not sent yet, what is late first."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ..report import DeliveryReport
from .kit import Kit
from .output import (
    MARKS,
    counted,
    emit,
    json_option,
    opening_of,
    say,
    say_twice,
    shown,
    state_of,
    table,
    unpausing,
)
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
        copied = [kit.report(name).deliveries[0] for name in kit.copied()]
    if as_json:
        listed = [{**each.to_json(), "overdue": each.overdue} for each in deliveries]
        emit(
            {
                "deliveries": listed,
                "total": total,
                "worker": worked,
                "copied": [each.to_json() for each in copied],
            }
        )
        return
    if not deliveries:
        say("Nothing is scheduled.", err=True)
        say_twice(copied)
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
    say_twice(copied)


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
    lines += [
        f"{name} is paused, so what is due is held: {unpausing(name)} first."
        for name in dict.fromkeys(each.paused for each in deliveries if each.paused)
    ]
    if "held" in states:
        lines.append("What is held: `postkit release ID` sends it, `postkit cancel ID` drops it.")
    if "uncertain" in states:
        lines.append("What is uncertain: `postkit show ID` asks the question.")
    return lines

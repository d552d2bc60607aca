"""``postkit pause``: the brake. What is paused sends nothing more, in any process."""

from __future__ import annotations

import click

from ..errors import InputError
from .kit import Kit
from .output import counted, emit, json_option, labelled, say, shown, table
from .text import AnyBytes


@click.command("pause")
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything, at every network.")
@click.option(
    "--reason", type=AnyBytes(), default="", metavar="TEXT", help="Why: shown with what is held."
)
@click.option("--list", "listing", is_flag=True, help="Only show what is paused now.")
@json_option
def command(
    addresses: tuple[str, ...], everything: bool, reason: str, listing: bool, as_json: bool
) -> int:
    """Send nothing more to ADDRESS: once this returns, no process lets a request go.

    What falls due meanwhile is held, and not sent before `postkit release ID` or `postkit unpause
    --send` says so. What has left already is listed: it may become live.
    """
    if listing and (addresses or everything or reason):
        raise InputError("--list shows what is paused and changes nothing; use it alone.")
    with Kit() as kit:
        if not listing:
            check(addresses, everything, "pause")
            left = kit.pause(addresses, reason=reason)
            waiting = kit.count_scheduled(addresses)
        pauses = kit.pauses()
    listed = [
        {"address": each.scope.address, "reason": each.reason, "since": each.since.isoformat()}
        for each in pauses
    ]
    if listing:
        if as_json:
            emit({"paused": listed})
        elif not pauses:
            say("Nothing is paused.", err=True)
        else:
            rows = [[f"{each.since:%Y-%m-%d %H:%M:%S}", each.reason or "-"] for each in pauses]
            names = [each.scope.address for each in pauses]
            table(
                ["paused", "since (UTC)", "reason"],
                [[name, *row] for name, row in zip(names, rows, strict=True)],
            )
        return 0
    if as_json:
        emit(
            {
                "paused": listed,
                "on_their_way": [delivery.to_json() for delivery in left],
                "scheduled": waiting,
            }
        )
        return 0
    for each in pauses:
        why = f"  ({each.reason})" if each.reason else ""
        say(shown(f"paused  {each.scope.address}{why}"))
    if left:
        say(f"\nOn their way already, so they may be or become live ({len(left)}):")
        for delivery in left:
            say(f"  {delivery.id}  {delivery.address}  {delivery.state}")
    else:
        say("\nNothing is on its way.")
    if waiting:
        says = "It is" if waiting == 1 else "They are"
        labelled(
            "waiting",
            f"{counted(waiting, 'scheduled post')} to these addresses. {says} held when due; "
            "`postkit queue` lists them.",
            indent=0,
        )
    again = "--all" if everything else " ".join(addresses)
    labelled("next", f"postkit unpause {again}", indent=0)
    return 0


def check(addresses: tuple[str, ...], everything: bool, verb: str) -> None:
    """Whoever stops, or starts again, says what: a bare `pause` that stops nothing, or a bare
    `unpause` that starts everything, would be a surprise. Raises InputError."""
    if addresses and everything:
        raise InputError(f"What to {verb}: the addresses that are named, or --all? Give one.")
    if not addresses and not everything:
        raise InputError(
            f"What to {verb}? Name an ADDRESS (a network, an account, a target or a @group), or "
            "give --all for everything. `postkit pause --list` shows what is paused."
        )

"""``postkit unpause``: ends pauses. What they have held is sent only where somebody says so."""

from __future__ import annotations

import click

from ..desk import NO_WORKER
from .kit import Kit
from .output import emit, json_option, say, shown
from .pause import check
from .yes import named_option


@click.command("unpause")
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every pause that there is.")
@click.option("--send", is_flag=True, help="Send what fell due and was held meanwhile.")
@named_option
@json_option
def command(
    addresses: tuple[str, ...],
    everything: bool,
    send: bool,
    confirmed: tuple[str, ...],
    as_json: bool,
) -> int:
    """End the pause of ADDRESS. What was held stays held without --send; each post of it is sent
    by `postkit release ID`."""
    check(addresses, everything, "unpause")
    with Kit() as kit:
        before = {pause.scope.address for pause in kit.pauses()}
        found = kit.unpause(addresses, send=send, confirmed=confirmed)
        still = [pause.scope.address for pause in kit.pauses()]
        worked = kit.is_worked()
    ended = sorted(before - set(still))
    held = [delivery for delivery in found if delivery.state == "held"]
    freed = [delivery for delivery in found if delivery.state != "held"]
    warnings = [NO_WORKER] if freed and not worked else []
    if as_json:
        emit(
            {
                "ended": ended,
                "paused": still,
                "sent": [delivery.to_json() for delivery in freed],
                "held": [delivery.to_json() for delivery in held],
                "warnings": warnings,
            }
        )
        return 0
    for address in ended:
        say(f"ended   {address}")
    for address in still:
        say(f"paused  {address}")
    if freed:
        say(f"Sent from now on ({len(freed)}):")
        for delivery in freed:
            say(f"  {delivery.id}  {delivery.address}")
    if held:
        say(f"Held, and not sent before you say so ({len(held)}):")
        for delivery in held:
            due = f"  due {delivery.at:%Y-%m-%d %H:%M} UTC" if delivery.at else ""
            say(f"  {delivery.address}{due}\n      postkit release {delivery.id}")
    if not found:
        say("Nothing was held.")
    for warning in warnings:
        say(shown(f"warning: {warning}"), err=True)
    return 0

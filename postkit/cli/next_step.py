"""What a person should do now about a delivery, in a sentence; None where nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import NeedsLogin
from ..report import GIVEN_UP, DeliveryReport
from .output import unpausing


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a delivery does not know of itself: whether a worker runs, and the address of the
    pause that it falls under."""

    worked: bool
    paused: str | None = None


def next_step(delivery: DeliveryReport, outlook: Outlook) -> str | None:
    """Ends what ``postkit show`` prints."""
    name = delivery.id
    if delivery.state == "uncertain":
        return _answer(delivery)
    if delivery.error and delivery.error["kind"] == NeedsLogin.kind and _waits(delivery):
        account = delivery.account.partition(":")[2]
        return (
            f"`postkit connect {delivery.network} --name {account} --replace` gives the account "
            f"new access; then `postkit finish {name}` goes on."
        )
    if delivery.state == "held":
        return _held(delivery, outlook)
    if delivery.state == "missed":
        return (
            f"`postkit reschedule {name} --at WHEN` gives it another time; `postkit cancel {name}` "
            "closes it."
        )
    if _waits(delivery):
        return _waiting(delivery, outlook)
    if delivery.error and delivery.error["code"] == GIVEN_UP:
        if delivery.state != "partly_live":
            return None
        return f"A part of it was given up; `postkit delete {name}` removes what is live."
    if delivery.state == "partly_live" and any(p.state == "FAILED" for p in delivery.parts):
        return (
            f"A part of {delivery.address} is not live. Where its cause is mended, `postkit finish "
            f"{name} --retry` goes on there; to change the post, run `postkit delete {name}` and "
            f"publish again with --to {delivery.address}."
        )
    if delivery.state == "failed":
        return (
            f"Where the cause is mended, `postkit finish {name} --retry`; to change the post, "
            f"publish again with --to {delivery.address}."
        )
    if delivery.copies:
        return (
            f"Look whether it is there twice: {', '.join(delivery.copies)}. Delete the other one "
            f"at the network, or `postkit delete {name}` deletes the one that postkit knows."
        )
    return None


def _waits(delivery: DeliveryReport) -> bool:
    return delivery.state in ("scheduled", "sending", "checking")


def _answer(delivery: DeliveryReport) -> str:
    question: Any = delivery.question or {}
    links = ", ".join(str(link) for link in question.get("links", ()))
    return (
        f"Look at {links or f'the posts of {delivery.account}'}. Is it there: `postkit resolve "
        f"{delivery.id} --is-live URL`. Is it not: `postkit resolve {delivery.id} --resend`, or "
        "--give-up."
    )


def _held(delivery: DeliveryReport, outlook: Outlook) -> str:
    send = f"`postkit release {delivery.id}` sends it; `postkit cancel {delivery.id}` does not."
    if delivery.held_reason == "earlier_part":
        return f"The part before it is not live; `postkit cancel {delivery.id}` closes it."
    if delivery.held_reason == "cap":
        send = (
            "The account has sent as many posts as its own cap allows; cap_per_day in postkit.toml "
            f"raises it. {send}"
        )
    if outlook.paused is None:
        return send
    return f"{unpausing(outlook.paused)} ends the pause of {outlook.paused}. Then {send}"


def _waiting(delivery: DeliveryReport, outlook: Outlook) -> str | None:
    later = delivery.state == "scheduled" and not delivery.overdue
    when = delivery.retry_at or delivery.at
    at = f" at {when:%Y-%m-%d %H:%M:%S} UTC" if later and when else ""
    # What has left is found out about all the same.
    if outlook.paused is not None and delivery.state == "scheduled":
        return (
            f"{outlook.paused} is paused, so it will be held{at}. {unpausing(outlook.paused)} ends "
            "the pause."
        )
    if outlook.worked:
        return f"Nothing: a worker goes on with it{at}." if at else "Nothing: a worker is at it."
    if later and delivery.error is None:
        return f"Run `postkit worker`: without it nothing is sent{at}."
    return f"`postkit finish {delivery.id}` goes on{at}, or run `postkit worker`."

"""What the networks themselves say: who our accounts are, and what time it is."""

from __future__ import annotations

from datetime import timedelta

from ..accounts.check import Checked, Heard
from ..kit import Kit
from .finding import Examined, Finding, problem, warning

SKEW = timedelta(seconds=60)
TOO_MUCH = timedelta(minutes=5)
"""Signed requests, and tokens with a time in them, are refused by many networks from here on."""


def look(kit: Kit, heard: Heard) -> Examined:
    answers = kit.check_accounts(heard=heard)
    found = [_finding(each) for each in answers if each.answer != "ok"]

    skews = [each.skew for each in answers if each.skew is not None]
    if skews:
        found += _clock(min(skews, key=abs))
    names = ", ".join(each.account.label for each in answers if each.answer == "ok")
    return Examined("networks", f"answered as before: {names or 'none'}", tuple(found))


def _finding(checked: Checked) -> Finding:
    account = checked.account
    again = f"`postkit connect {account.network} --name {account.name} --replace`"
    if checked.answer == "not reached":
        return warning("networks", checked.message, "`postkit accounts --check`, a little later")
    if checked.answer in ("failed", "refused"):
        return problem("networks", checked.message, f"`postkit networks {account.network}`")
    return problem("networks", checked.message, again)


def _clock(skew: timedelta) -> list[Finding]:
    """By the answer that is nearest to our clock: one server's may be wrong itself."""
    if abs(skew) <= SKEW:
        return []
    seconds = abs(round(skew.total_seconds()))
    way = "ahead of" if skew > timedelta() else "behind"
    text = f"The clock is {seconds} seconds {way} that of the networks."
    remedy = "let the system keep the clock (`timedatectl set-ntp true`)"
    severity = problem if abs(skew) > TOO_MUCH else warning
    return [severity("networks", text, remedy)]

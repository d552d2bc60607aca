"""The accounts: access that has ended or soon will, scopes that are missing, who is unverified."""

from __future__ import annotations

from datetime import datetime

from ..accounts.status import STOPS, AccountStatus
from ..kit import Kit
from .finding import Examined, Finding, problem, warning


def look(kit: Kit) -> Examined:
    statuses = kit.account_statuses()
    if not statuses:
        return Examined("accounts", "none is connected; `postkit connect NETWORK` connects one")
    last = kit.last_due()
    found = [_finding(each, last.get(each.account.id)) for each in statuses if each.remedy]
    # What the vault's own area tells of all accounts is not told again of each.
    findings = tuple(f for f in found if f is not None)
    labels = ", ".join(each.account.label for each in statuses)
    return Examined("accounts", labels, findings)


def _finding(status: AccountStatus, last_due: datetime | None) -> Finding | None:
    if status.health in ("no access", "unknown"):
        return None
    text, _, rest = status.remedy.partition("; ")
    end = status.grant.ends_at if status.grant is not None else None
    stops = status.health in STOPS
    is_early = end is not None and last_due is not None and end < last_due
    if status.health == "ends soon" and is_early:
        stops = True
        text += ", before a post to it is due"
    severity = problem if stops else warning
    return severity("accounts", f"{text}.", rest.rstrip("."))

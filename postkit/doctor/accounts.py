"""The accounts: access that has ended or soon will, scopes that are missing, who is unverified."""

from __future__ import annotations

from datetime import datetime

from ..accounts.status import STOPS, AccountStatus
from ..kit import Kit
from .finding import Examined, Finding, problem, warning
from .reading import name_of, read_only

SHOWN = 10
"""Accounts of tenants that are named in one finding."""


def look(kit: Kit) -> Examined:
    statuses = kit.account_statuses()
    number, of_tenants = _of_tenants(kit)
    if not statuses and not number:
        return Examined("accounts", "none is connected; `postkit connect NETWORK` connects one")
    last = kit.last_due()
    found = [_finding(each, last.get(each.account.id)) for each in statuses if each.remedy]
    # What the vault's own area tells of all accounts is not told again of each.
    findings = tuple(f for f in found if f is not None)
    labels = ", ".join([each.account.label for each in statuses])
    if number:
        labels = f"{labels}{', and ' if labels else ''}{number} of tenants"
    return Examined("accounts", labels, (*findings, *of_tenants))


def _of_tenants(kit: Kit) -> tuple[int, list[Finding]]:
    """How many there are, and what is wrong by the store alone: there may be a great many."""
    with read_only(kit.home.store_path) as connection:
        found = connection.execute(
            "SELECT network || ':' || name, tenant, state FROM account "
            "WHERE tenant <> '' AND removed_at IS NULL ORDER BY tenant, network, name"
        ).fetchall()
    names = [name_of(label, tenant) for label, tenant, state in found if state == "needs_login"]
    if not names:
        return len(found), []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    text = f"Access that is not accepted any more: {', '.join(names[:SHOWN])}{more}."
    remedy = "in the program: `kit.for_tenant(ID).connect(..., replace=True)`"
    return len(found), [problem("accounts", text, remedy)]


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

"""How an account is: what its access may do and how long, when it last published, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from ..network import Account
from .grant import Grant

SOON = timedelta(days=7)
"""An end of access that only a person can prevent is told so long before."""
Health = Literal[
    "ok",
    "unverified",
    "ends soon",
    "scopes missing",
    "ended",
    "needs login",
    "no access",
    "unknown",
]
STOPS: frozenset[Health] = frozenset({"scopes missing", "ended", "needs login", "no access"})
"""With these, the next post to the account will not be sent."""


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """``grant`` None: not known, for the reason in ``problem``. ``missing`` are scopes without
    which nothing can be published. ``last_success`` is when its newest post became live."""

    account: Account
    now: datetime
    grant: Grant | None = None
    missing: tuple[str, ...] = ()
    needed: int = 0
    """How many scopes publishing takes; 0 where the network has none."""
    last_success: datetime | None = None
    has_access: bool = True
    problem: str = ""

    @property
    def health(self) -> Health:
        """One word; the worst where there are several."""
        if not self.has_access:
            return "no access"
        if self.account.state == "needs_login":
            return "needs login"
        end = self.grant.ends_at if self.grant is not None else None
        if end is not None and end <= self.now:
            return "ended"
        if self.missing:
            return "scopes missing"
        if end is not None and end - self.now <= SOON:
            return "ends soon"
        if self.grant is None:
            return "unknown"
        return "unverified" if self.account.state == "unverified" else "ok"

    @property
    def scopes(self) -> str:
        """How many of the needed ones are missing, in words; ``-`` where there are none."""
        if not self.needed:
            return "-"
        if self.grant is None or self.grant.scopes is None:
            return "not known"
        if self.missing:
            return f"{len(self.missing)} of {self.needed} missing"
        return "all"

    @property
    def expiry(self) -> str:
        """When a person has to connect it again, in words."""
        if self.grant is None:
            return "not known"
        end = self.grant.ends_at
        if self.grant.is_renewable and (end is None or end - self.now > SOON):
            return "renewed by itself"
        return "no end known" if end is None else ending(end, self.now)

    @property
    def remedy(self) -> str:
        """A sentence with the command that mends it; empty where nothing is wrong."""
        label, network, name = self.account.label, self.account.network, self.account.name
        again = f"`postkit connect {network} --name {name} --replace`"
        match self.health:
            case "ok":
                return ""
            case "no access":
                return f"{label}: the vault holds no access of it; {again} gives it new access."
            case "needs login":
                return f"{label}: its access is not accepted any more; {again} gives it new access."
            case "ended" | "ends soon":
                verb = "" if self.health == "ended" else "ends "
                return f"{label}: its access {verb}{self.expiry}; {again} gives it new access."
            case "scopes missing":
                return (
                    f"{label}: it lacks {', '.join(self.missing)}, without which nothing can be "
                    f"published; {again}, and grant all of them."
                )
            case "unverified":
                return (
                    f"{label}: the network has not said yet who it is; `postkit accounts --check` "
                    "asks."
                )
            case "unknown":
                return f"{label}: {self.problem}"


def ending(end: datetime, now: datetime) -> str:
    """``in 12 days``, ``in 3 hours``, ``ended yesterday``, ``ended 5 days ago``; days are UTC's."""
    left = end - now
    if left.total_seconds() <= 0:
        days = (now.astimezone(UTC).date() - end.astimezone(UTC).date()).days
        return f"ended {('today', 'yesterday')[days] if days < 2 else f'{days} days ago'}"
    if left >= timedelta(days=2):
        return f"in {left.days} days"
    hours = int(left.total_seconds() // 3600)
    if hours >= 2:
        return f"in {hours} hours"
    minutes = int(left.total_seconds() // 60)
    return f"in {minutes} minutes" if minutes >= 2 else "in a minute"

"""What an account's access may do, and how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

EXPIRES_AT = "expires_at"
RENEW_UNTIL = "refresh_expires_at"
SCOPES = "scopes"
LEARNT = frozenset({EXPIRES_AT, RENEW_UNTIL, SCOPES, "client_id"})
"""Fields in the vault that came with the access of the browser and are no secrets, whatever network
they are of: an app's id stands in the address of each consent page (RFC 6749 section 2.2)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """``scopes`` None: not known. ``expires_at`` None: no end is known. ``is_renewable``: postkit
    gets new access without a person, until ``renew_until`` (None: no end is known)."""

    scopes: frozenset[str] | None = None
    expires_at: datetime | None = None
    is_renewable: bool = False
    renew_until: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When a person must connect the account again; None where that is not known."""
        return self.renew_until if self.is_renewable else self.expires_at


def grant_of(fields: Mapping[str, str], *, is_renewable: bool) -> Grant:
    """The grant that an account's fields in the vault tell of, by their usual names."""
    scopes = fields.get(SCOPES)
    return Grant(
        frozenset(scopes.split()) if scopes else None,
        moment_of(fields.get(EXPIRES_AT, "")),
        is_renewable,
        moment_of(fields.get(RENEW_UNTIL, "")),
    )


def moment_of(text: str) -> datetime | None:
    """A text of seconds since 1970; None where it is none."""
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None

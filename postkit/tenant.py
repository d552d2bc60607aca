"""Whose accounts and posts these are: the users of one program, kept apart in one store."""

from __future__ import annotations

from .errors import InputError

LONGEST = 128
"""Characters of a tenant's id: a UUID, a slug or an address of mail has far fewer."""


def checked(tenant: object) -> str:
    """The id of a tenant, as it is given: two that differ in anything are two tenants.

    Raises InputError for what is no text, has more than LONGEST characters, cannot be printed,
    or begins or ends with a blank; and for "", which is the tenant of a Kit of its own.
    """
    if not isinstance(tenant, str):
        raise InputError(f"A tenant's id is a text, not {type(tenant).__name__}.")
    if not tenant:
        raise InputError("A tenant's id is empty; name the tenant, such as 'customer-17'.")
    if len(tenant) > LONGEST:
        raise InputError(
            f"A tenant's id has {len(tenant)} characters; at most {LONGEST} are allowed."
        )
    if not tenant.isprintable() or tenant != tenant.strip():
        raise InputError(
            f"{tenant!r} is no tenant's id: it has printable characters alone, and no blank at "
            "either end."
        )
    return tenant


def of_tenant(tenant: str | None, column: str = "tenant") -> str:
    """What narrows a condition in SQL to the rows of ``:tenant``; nothing for None, which is a
    worker of all tenants."""
    return "" if tenant is None else f" AND {column} = :tenant"

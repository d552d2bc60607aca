"""Protected accounts: what is done with one is confirmed by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..errors import InputError
from ..network import Account
from ..suggest import did_you_mean


class NotConfirmed(InputError):
    """Something was to be done with a protected account that nobody has named."""

    kind = "not_confirmed"


def unconfirmed(accounts: Iterable[Account], confirmed: Collection[str]) -> list[Account]:
    """The protected ones among ``accounts`` whose names are not in ``confirmed``."""
    named = names_of(confirmed)
    by_label = {account.label: account for account in accounts}
    return [each for each in by_label.values() if each.protected and each.label not in named]


def check_confirmed(accounts: Iterable[Account], confirmed: Collection[str]) -> None:
    """Let pass what goes to ``accounts`` if each protected one is named in ``confirmed``.

    Raises NotConfirmed with the flag that is missing, and for a name that none of them has.
    """
    involved = {account.label: account for account in accounts}
    problems = []
    for account in unconfirmed(involved.values(), confirmed):
        others = [each.label for each in involved.values() if not each.protected]
        beside = f" It goes to {', '.join(others)} as well." if others else ""
        problems.append(
            f"{account.label} is protected, so it is confirmed by its name: --yes {account.label} "
            f'(in programs: confirmed=["{account.label}"]).{beside}'
        )
    problems += [
        f"--yes {name}: nothing of this goes there.{did_you_mean(name, involved)}"
        for name in sorted(names_of(confirmed) - set(involved))
    ]
    if problems:
        raise NotConfirmed(problems)


def names_of(confirmed: Collection[str]) -> set[str]:
    """One name alone is a name, and no list of letters."""
    return {confirmed} if isinstance(confirmed, str) else set(confirmed)

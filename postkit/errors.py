"""Errors: one class for each next step, each with a sentence for the user."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar


class PostkitError(Exception):
    """Something went wrong; the message is one sentence that says what to do."""

    kind: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WithLines(str):
    """A problem with lines below it to copy into a file. The line breaks of every other problem
    are of somebody else's text, and are escaped where it is printed."""


class InputError(PostkitError):
    """What was given cannot be used; ``problems`` lists all of it, one sentence each."""

    kind = "input"
    exit_status = 2

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class UnknownName(InputError):
    """A name (network, account, publication, ...) that does not exist here."""

    kind = "unknown_name"


class PlanRefused(PostkitError):
    """The plan was refused before anything was sent; ``problems`` has a sentence per address."""

    kind = "plan_refused"

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class NotDeleted(PostkitError):
    """Something is still live that was to be deleted; ``problems`` has a sentence per address."""

    kind = "not_deleted"

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class VaultError(PostkitError):
    """The vault of secrets cannot be opened or written; nothing in it was changed."""

    kind = "vault"


class PluginError(PostkitError):
    """A plugin could not be loaded, or broke its contract."""

    kind = "plugin"


class NotEnabled(PluginError):
    """A plugin is installed, and nobody has said that its code may run; ``distributions`` names
    the ones that are meant."""

    def __init__(self, message: str, distributions: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.distributions = tuple(distributions)


class StoreError(PostkitError):
    """The store cannot be used; the message says why and what to do."""

    kind = "store"


class StoreBusy(StoreError):
    """The store could not take a write now (locked, full, read-only); nothing was sent."""

    kind = "store_busy"
    exit_status = 75


class NetworkError(PostkitError):
    """A network's answer, or the lack of one, as a next step.

    ``status`` is the HTTP status, ``code`` the network's own code, ``retry_at`` the earliest
    useful time (aware, UTC), ``request_id`` what the network's support would ask for.
    """

    kind = "network"

    def __init__(
        self,
        message: str,
        *,
        network: str | None = None,
        status: int | None = None,
        code: str | None = None,
        retry_at: datetime | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.network = network
        self.status = status
        self.code = code
        self.retry_at = retry_at
        self.request_id = request_id


class Refused(NetworkError):
    """The network said no for good: never send this again as it is."""

    kind = "refused"


class Duplicate(Refused):
    """The network refused it because the same content is live already."""

    kind = "duplicate"


class NeedsLogin(NetworkError):
    """The account's access is not valid any more: nothing was sent, connect it again."""

    kind = "needs_login"
    access: object = None
    """What was refused, where the core knows it: access that is newer is not refused by it."""


class Throttled(NetworkError):
    """Too many requests: nothing was sent, try again at ``retry_at``."""

    kind = "throttled"
    exit_status = 75


class Unavailable(NetworkError):
    """The network could not be reached: nothing was sent, try again later."""

    kind = "unavailable"
    exit_status = 75


class InDoubt(NetworkError):
    """It may be live: find out before anything is sent again."""

    kind = "in_doubt"
    exit_status = 75

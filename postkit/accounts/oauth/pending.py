"""Connects that were begun: what must be known again when the browser comes back.

They are in the vault, since they hold the verifier of the code and the app's secret. A state is
good once, for ten minutes, and for the tenant that began it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from ...clock import Clock, micros
from ...errors import InputError, VaultError
from ..secret import Secret
from .terms import Choice

LIFE = timedelta(minutes=10)
"""A login with a second factor is done by then, and a stolen link is not good for long."""
PREFIX = "pending:"
UNKNOWN = (
    "This answer belongs to no connect that was begun here: it was used already, is older than "
    "10 minutes, or was made by somebody else. Begin again with `postkit connect`."
)


class PendingVault(Protocol):
    """What is asked of the vault."""

    def ids(self) -> tuple[str, ...]: ...
    def get(self, account_id: str) -> dict[str, str]: ...
    def put(self, account_id: str, fields: Mapping[str, str]) -> None: ...
    def take(self, account_id: str) -> dict[str, str] | None: ...
    def delete(self, account_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Pending:
    """A connect between its beginning and its end. ``choices`` is filled once the network has
    given access to several accounts, of which a person must choose one."""

    network: str
    name: str
    redirect_uri: str
    endpoint: str | None
    ca_bundle: str | None
    replacing: bool
    app: Mapping[str, str] = field(repr=False)
    verifier: str = field(repr=False)
    choices: Sequence[Choice] = ()


class PendingConnects:
    """The pending connects of one tenant."""

    def __init__(self, vault: PendingVault, clock: Clock, tenant: str = "") -> None:
        self._vault = vault
        self._clock = clock
        self._tenant = tenant

    def put(self, pending: Pending, state: str | None = None) -> str:
        """Keep it under a new state, or under the one that was taken; the state."""
        self._sweep()
        state = state or secrets.token_urlsafe(32)
        content = json.dumps(asdict(pending))
        kept = {"at": str(micros(self._clock.now())), "pending": content}
        self._vault.put(self._id(state), kept)
        return state

    def take(self, state: str) -> Pending:
        """The one of that state, which is good no more. Raises InputError, the same for every
        reason: who guesses learns nothing."""
        kept = self._vault.take(self._id(state)) if isinstance(state, str) and state else None
        if kept is None or self._is_old(kept):
            raise InputError(UNKNOWN)
        pending = _pending(json.loads(kept["pending"]))
        Secret(pending.verifier)
        return pending

    def _id(self, state: str) -> str:
        # Another tenant's state leads nowhere.
        owned = json.dumps([self._tenant, state])
        return PREFIX + hashlib.sha256(owned.encode()).hexdigest()

    def _sweep(self) -> None:
        for known in self._vault.ids():
            if not known.startswith(PREFIX):
                continue
            try:
                is_old = self._is_old(self._vault.get(known))
            except VaultError:
                continue  # finished this very moment; what is damaged is told where it is used
            if is_old:
                self._vault.delete(known)

    def _is_old(self, kept: Mapping[str, str]) -> bool:
        age = micros(self._clock.now()) - int(kept["at"])
        # A clock that went back says nothing about the age.
        return abs(age) > LIFE // timedelta(microseconds=1)


def _pending(data: dict[str, Any]) -> Pending:
    choices = tuple(Choice(**each) for each in data.pop("choices"))
    return Pending(**data, choices=choices)

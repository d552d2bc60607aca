"""The secrets of one account, as a plugin is handed them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

from ..errors import NeedsLogin, Unavailable
from .draft import Draft
from .file_lock import Held
from .place import Place
from .secret import Secret
from .vault import Vault


class Misplaced(NeedsLogin):
    """The account's access is for another server than the one it would be shown to."""


class Secrets:
    """Reads and rotates the fields of one account. A plugin never sees another account's.

    ``public`` names the fields that are no secrets (a handle, a page's id): they may show.
    ``place`` is where they will be shown; None: wherever they are for.
    """

    def __init__(
        self,
        vault: Vault | Draft,
        account_id: str,
        label: str,
        public: Collection[str] = (),
        place: Place | None = None,
    ) -> None:
        self._vault = vault
        self._account_id = account_id
        self._label = label
        self._public = frozenset(public)
        self._fields: dict[str, str] | None = None
        self._held: dict[str, str] | None = None
        self._place = place
        self._is_locked = False

    @property
    def seen(self) -> dict[str, str] | None:
        """What the plugin has got, as ``held``; None where it has asked for nothing."""
        return self._held

    @property
    def held(self) -> dict[str, str]:
        """What the plugin has got: as it first read the fields, or has renewed them since. A
        renewal that failed half-way does not count, since its client may know of none of it."""
        self._read()
        return self._held or {}

    def _read(self) -> dict[str, str]:
        if self._fields is None:
            self._fields = self._fitting()
            for name, value in self._fields.items():
                if name not in self._public:
                    Secret(value)  # from here on the redactor knows it
            if self._held is None:
                self._held = self._fields
        return self._fields

    def _fitting(self) -> dict[str, str]:
        """The fields of this moment. Raises Misplaced where they are for another place."""
        if self._place is None:
            return self._vault.get(self._account_id)
        fields, place = self._vault.access(self._account_id)
        if place in (None, self._place):
            return fields
        if not self._is_locked:
            # Whoever gives it other access writes down the place last, and holds the lock so long.
            with self._locked():
                pass
        raise Misplaced(
            f"The access of {self._label} is for another server than the one it is connected to, "
            f"as after a `postkit connect` that was broken off; {self.remedy}.",
            network=self._label.partition(":")[0],
        )

    def __contains__(self, name: str) -> bool:
        return name in self._read()

    def __getitem__(self, name: str) -> Secret:
        """A secret field. Raises NeedsLogin where it is not there."""
        return Secret(self.text(name))

    def get(self, name: str) -> Secret | None:
        """A secret field, or None where it is not there."""
        return self[name] if name in self._read() else None

    def text(self, name: str) -> str:
        """A field as text: for those that are no secrets. Raises NeedsLogin."""
        try:
            return self._read()[name]
        except KeyError:
            raise NeedsLogin(f"{self._label} has no {name}; {self.remedy}.") from None

    @property
    def remedy(self) -> str:
        """How a person gives the account new access, to end the sentence of a NeedsLogin with."""
        network, _, account = self._label.partition(":")
        return f"run `postkit connect {network} --name {account} --replace` with new credentials"

    def rotate(self, **fields: str) -> None:
        """Store new values durably; call it inside ``refreshing``, before a new token is used.

        Where it raises VaultError, nothing may be sent with them: the next ``refreshing`` of this
        process tries to store them again.
        """
        current = self._fitting()
        for name in fields.keys() - self._public:
            Secret(fields[name])  # also where it cannot be stored
        self._vault.rotate(self._account_id, {**current, **fields})
        self._fields = None
        self._read()

    @contextlib.contextmanager
    def refreshing(self) -> Iterator[None]:
        """Single flight over all processes: inside, the fields are read anew, so look first
        whether somebody else has refreshed meanwhile.

        Raises VaultError where new values could not be stored, so that no token that works once
        is spent in vain, and Unavailable where somebody else has been at it for too long.
        """
        with self._locked():
            self._vault.settle(self._account_id)
            self._fields = None
            self._read()
            yield
            self._held = self._read()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._vault.lock(self._account_id))
            except Held as held:
                # Whoever holds it waits for the network: that takes no access away.
                raise Unavailable(held.message, network=self._label.partition(":")[0]) from held
            self._is_locked = True
            try:
                yield
            finally:
                self._is_locked = False

    def __repr__(self) -> str:
        return f"Secrets({self._label})"

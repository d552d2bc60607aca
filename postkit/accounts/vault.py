"""The vault: the secrets of all accounts, in one encrypted file."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NoReturn, final

from ..errors import VaultError
from .file_lock import locked
from .key import Key, KeyTerms, Origin
from .place import Place
from .private_file import read_private, replace_private
from .vault_file import Content, Entries, OtherKey, decoded, encoded, sealed, unsealed

WRITE_TIMEOUT: Final = 30.0
"""Seconds to wait for another process that writes the vault."""
REFRESH_TIMEOUT: Final = 120.0
"""Seconds to wait for another process that renews an account's token over the network."""


@final
class Vault:
    """Secrets by account id. Safe to use from several threads and processes at once.

    A missing file is an empty vault. A file that cannot be read is never written over. ``again``
    finds the key anew where the file turns out to have another one, as after a new key was made
    by another process. Every method raises `VaultError`.
    """

    __slots__ = ("_again", "_key", "_unsaved", "path")

    def __init__(
        self, path: Path, key: bytes | Key, *, again: Callable[[], Key] | None = None
    ) -> None:
        self.path = path
        self._key = key if isinstance(key, Key) else Key(key)
        self._again = again
        self._unsaved: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A vault cannot be pickled: it holds a key; open it where it is used.")

    @property
    def key_origin(self) -> Origin:
        """Where the key was found that opens it."""
        return self._key.origin

    def ids(self) -> tuple[str, ...]:
        """The entries that are here, sorted: those of accounts, and others of the core."""
        return tuple(sorted(self._read().entries))

    def get(self, account_id: str) -> dict[str, str]:
        """The fields of one account."""
        return self.access(account_id)[0]

    def access(self, account_id: str) -> tuple[dict[str, str], Place | None]:
        """The fields of one account and where they are for, read at once; None: not known."""
        content = self._read()
        entry = content.entries.get(account_id)
        if entry is None:
            raise VaultError(
                f"The vault {self.path} holds no secrets of {account_id}; "
                "connect the account again with `postkit connect`."
            )
        return unsealed(content.key, account_id, entry, self.path)

    def put(self, account_id: str, fields: Mapping[str, str], place: Place | None = None) -> None:
        """Keep these fields for the account, instead of the ones it had. Durable on return.

        ``place`` is where they are for (None: where those before them were): a token must never
        be shown to a server that it was not given for.
        """
        if not account_id or not all(
            isinstance(part, str) for field in fields.items() for part in field
        ):
            raise VaultError("An entry of the vault needs an account id and fields of text.")
        with self._changing() as content:
            known = content.entries.get(account_id, {}).get("place")
            where = known if place is None else place.to_text()
            content.entries[account_id] = sealed(content.key, account_id, fields, where)

    def rotate(self, account_id: str, fields: Mapping[str, str]) -> None:
        """`put` for access that the network has renewed: what cannot be written now is kept in
        memory for `settle`, since the network may not give it twice."""
        before = self.get(account_id)
        try:
            self.put(account_id, fields)
        except VaultError:
            self._unsaved[account_id] = (before, dict(fields))
            raise

    def settle(self, account_id: str) -> None:
        """Write the account's entry: what `rotate` could not write, else what it holds already.

        Before a token that works once is spent, this finds out whether its successor can be
        kept. To be called with the account's `lock` held.
        """
        now = self.get(account_id)
        before, fields = self._unsaved.get(account_id, (now, now))
        # Somebody has changed the entry since: theirs is newer than what was kept for it.
        self.put(account_id, fields if before == now else now)
        self._unsaved.pop(account_id, None)

    def delete(self, account_id: str) -> None:
        """Forget the account's fields. Nothing happens where there are none."""
        with self._changing() as content:
            content.entries.pop(account_id, None)

    def take(self, entry_id: str) -> dict[str, str] | None:
        """Read an entry and delete it at once: of all who try, one gets it. None: there is none."""
        with self._changing() as content:
            entry = content.entries.pop(entry_id, None)
            if entry is None:
                return None
            fields, _ = unsealed(content.key, entry_id, entry, self.path)
        return fields

    def lock(
        self, account_id: str, timeout: float = REFRESH_TIMEOUT
    ) -> AbstractContextManager[None]:
        """Single flight over threads and processes, for renewing the account's token.

        Whoever gets in reads the fields again first: another may have renewed them meanwhile.
        It is not reentrant. `timeout` is in seconds. `put` inside it is fine.
        """
        # Ids may hold any character and differ by case alone; file names may not.
        name = hashlib.sha256(account_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._renewing(name, timeout, f"The token of {account_id} cannot be renewed")

    # The vault as a whole

    def contents(self) -> dict[str, tuple[dict[str, str], Place | None]]:
        """All entries, read at once."""
        content = self._read()
        return {
            name: unsealed(content.key, name, entry, self.path)
            for name, entry in content.entries.items()
        }

    def fill(
        self,
        entries: Mapping[str, tuple[Mapping[str, str], Place | None]],
        check: Callable[[Mapping[str, tuple[dict[str, str], Place | None]]], None],
    ) -> None:
        """Keep all of these, or none. ``check`` is called with what is here, before anything is
        changed, and may raise. No token is renewed meanwhile."""
        with self._alone(), self._changing() as content:
            check(
                {
                    name: unsealed(content.key, name, content.entries[name], self.path)
                    for name in entries
                    if name in content.entries
                }
            )
            for name, (fields, place) in entries.items():
                where = None if place is None else place.to_text()
                content.entries[name] = sealed(content.key, name, fields, where)

    def create(self) -> bool:
        """Write an empty vault where there is none; whether there was none."""
        with self._writing():
            if read_private(self.path, "vault") is not None:
                return False
            self._replace(self._key, self._key.terms, {})
            return True

    def rekey(self, key: Key, keeping: Callable[[KeyTerms], AbstractContextManager[None]]) -> None:
        """Encrypt everything with another key. A kill leaves a vault of the old key or the new.

        The vault is replaced inside ``keeping``, which is given what the vault says of its old
        key, keeps the new one before it, and tidies up after it. No token is renewed meanwhile:
        its successor could not be stored by a process that knows the old key alone.
        """
        with self._alone(), self._writing():
            content = self._read()
            entries: Entries = {}
            for name, entry in content.entries.items():
                fields, _ = unsealed(content.key, name, entry, self.path)
                entries[name] = sealed(key, name, fields, entry.get("place"))
            with keeping(content.terms):
                self._replace(key, key.terms, entries)
            self._key = key

    # Inside

    def _folder(self) -> Path:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise VaultError(
                f"The folder {folder} cannot be created ({error.strerror})."
            ) from error
        return folder

    def _lock_file(self, name: str = "") -> Path:
        return self._folder() / f"{self.path.name}.{name}{'.' if name else ''}lock"

    @contextlib.contextmanager
    def _renewing(self, name: str, timeout: float, purpose: str) -> Iterator[None]:
        with (
            locked(self._lock_file("renewing"), timeout, purpose, shared=True),
            locked(self._lock_file(name), timeout, purpose),
        ):
            yield

    def _alone(self) -> AbstractContextManager[None]:
        """Without anybody who renews a token, of whatever account."""
        purpose = "The vault cannot be changed while a token is renewed"
        return locked(self._lock_file("renewing"), REFRESH_TIMEOUT, purpose)

    def _writing(self) -> AbstractContextManager[None]:
        return locked(self._lock_file(), WRITE_TIMEOUT, "The vault cannot be written")

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Content]:
        with self._writing():
            before = self._read()
            content = Content(before.key, before.terms, dict(before.entries))
            yield content
            if content.entries != before.entries:
                self._replace(content.key, content.terms, content.entries)

    def _replace(self, key: Key, terms: KeyTerms, entries: Entries) -> None:
        try:
            replace_private(self.path, encoded(key, terms, entries))
        except OSError as error:
            raise VaultError(
                f"The vault {self.path} cannot be written ({error.strerror}); "
                "free the disk or the folder's permissions and try again."
            ) from error

    def _read(self) -> Content:
        raw = read_private(self.path, "vault")
        if raw is None:
            return Content(self._key, self._key.terms, {})
        try:
            return decoded(raw, self.path, self._key)
        except OtherKey:
            if self._again is None:
                raise
            key = self._again()
            content = decoded(raw, self.path, key)
            self._key = key
            return content

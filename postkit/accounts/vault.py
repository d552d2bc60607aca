"""The encrypted file that holds the secrets of all accounts.

One JSON object: magic, version, a mark of the key, one entry per account encrypted with
AES-256-GCM, and a MAC over all of it, so that a changed, lost or renamed entry is noticed before
the file is written again. Account ids and their servers are readable; the names and values of
their fields are not.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, NoReturn, final

from ..errors import VaultError
from .file_lock import locked
from .place import Place
from .private_file import read_private, replace_private

MAGIC: Final = "postkit-vault"
VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
WRITE_TIMEOUT: Final = 30.0
"""Seconds to wait for another process that writes the vault."""
REFRESH_TIMEOUT: Final = 120.0
"""Seconds to wait for another process that renews an account's token over the network."""
_RESTORE: Final = "restore it from a backup, or move it away and connect the accounts again"

Entries = dict[str, dict[str, str]]


@final
class Vault:
    """Secrets by account id. Safe to use from several threads and processes at once.

    A missing file is an empty vault. A file that cannot be read is never written over. Every
    method raises `VaultError`.
    """

    __slots__ = ("_key", "_unsaved", "path")

    def __init__(self, path: Path, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError(f"A vault's key has {KEY_BYTES} bytes, not {len(key)}.")
        self.path = path
        self._key = key
        self._unsaved: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A vault cannot be pickled: it holds a key; open it where it is used.")

    def ids(self) -> tuple[str, ...]:
        """The accounts that have secrets here, sorted."""
        return tuple(sorted(self._read()))

    def get(self, account_id: str) -> dict[str, str]:
        """The fields of one account."""
        return self.access(account_id)[0]

    def access(self, account_id: str) -> tuple[dict[str, str], Place | None]:
        """The fields of one account and where they are for, read at once; None: not known."""
        entry = self._read().get(account_id)
        if entry is None:
            raise VaultError(
                f"The vault {self.path} holds no secrets of {account_id}; "
                "connect the account again with `postkit connect`."
            )
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            plain = AESGCM(self._key).decrypt(
                base64.b64decode(entry["nonce"]), base64.b64decode(entry["data"]), _aad(account_id)
            )
        except (InvalidTag, ValueError):
            raise VaultError(
                f"The entry of {account_id} in the vault {self.path} was not written for this "
                f"account, or is damaged; {_RESTORE}."
            ) from None
        fields: dict[str, str] = json.loads(plain)
        place = entry.get("place")
        return fields, None if place is None else Place.from_text(place)

    def put(self, account_id: str, fields: Mapping[str, str], place: Place | None = None) -> None:
        """Keep these fields for the account, instead of the ones it had. Durable on return.

        ``place`` is where they are for (None: where those before them were): a token must never
        be shown to a server that it was not given for.
        """
        if not account_id or not all(
            isinstance(part, str) for field in fields.items() for part in field
        ):
            raise VaultError("An entry of the vault needs an account id and fields of text.")
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        plain = json.dumps(dict(fields)).encode()
        data = AESGCM(self._key).encrypt(nonce, plain, _aad(account_id))
        with self._changing() as entries:
            known = entries.get(account_id, {}).get("place")
            where = known if place is None else place.to_text()
            entries[account_id] = {
                "nonce": base64.b64encode(nonce).decode(),
                "data": base64.b64encode(data).decode(),
                **({} if where is None else {"place": where}),
            }

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
        with self._changing() as entries:
            entries.pop(account_id, None)

    def take(self, account_id: str) -> dict[str, str] | None:
        """The fields, which are gone then, also for whoever asks at the same time; None where
        there are none."""
        with self._changing() as entries:
            if account_id not in entries:
                return None
            fields = self.get(account_id)
            del entries[account_id]
        return fields

    def lock(
        self, account_id: str, timeout: float = REFRESH_TIMEOUT
    ) -> AbstractContextManager[None]:
        """Single flight over threads and processes, for renewing the account's token.

        Whoever gets in reads the fields again first: another may have renewed them meanwhile.
        It is not reentrant. `timeout` is in seconds. `put` inside it is fine.
        """
        # Ids may hold any character and differ by case alone; file names may not.
        name = hashlib.sha256(_encoded(account_id)).hexdigest()[:32]
        return locked(
            self._folder() / f"{self.path.name}.{name}.lock",
            timeout,
            f"The token of {account_id} cannot be renewed",
        )

    def _folder(self) -> Path:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise VaultError(
                f"The folder {folder} cannot be created ({error.strerror})."
            ) from error
        return folder

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Entries]:
        lock = self._folder() / f"{self.path.name}.lock"
        with locked(lock, WRITE_TIMEOUT, "The vault cannot be written"):
            before = self._read()
            entries = dict(before)
            yield entries
            if entries == before:
                return
            try:
                replace_private(self.path, self._written(entries))
            except OSError as error:
                raise VaultError(
                    f"The vault {self.path} cannot be written ({error.strerror}); "
                    "free the disk or the folder's permissions and try again."
                ) from error

    def _written(self, entries: Entries) -> bytes:
        content = {
            "magic": MAGIC,
            "version": VERSION,
            "key": self._key_mark(),
            "entries": entries,
        }
        content["mac"] = self._mac(content)
        # No newline at the end: a file that lost its last byte must not be whole.
        return json.dumps(content, indent=1).encode()

    def _read(self) -> Entries:
        raw = read_private(self.path, "vault")
        if raw is None:
            return {}
        content = self._parsed(raw)
        version = content.get("version")
        if type(version) is int and version > VERSION:
            raise VaultError(
                f"The vault {self.path} was written by a newer postkit (format {version}, "
                f"this one reads {VERSION}); upgrade postkit."
            )
        mark, mac = content.get("key"), content.pop("mac", None)
        if version != VERSION or not isinstance(mark, str) or not isinstance(mac, str):
            self._damaged()
        if not hmac.compare_digest(_encoded(mark), self._key_mark().encode()):
            raise VaultError(
                f"The vault {self.path} was made with another key; give the key that made it "
                "in POSTKIT_KEY or the key file."
            )
        if not hmac.compare_digest(_encoded(mac), self._mac(content).encode()):
            self._damaged()
        entries: Entries = content["entries"]
        return entries

    def _parsed(self, raw: bytes) -> dict[str, Any]:
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            start = json.dumps({"magic": MAGIC}, indent=1).encode().removesuffix(b"\n}")
            if raw[: len(start)] == start[: len(raw)]:
                self._damaged()
            content = None
        if not isinstance(content, dict) or content.get("magic") != MAGIC:
            raise VaultError(
                f"{self.path} is not a vault of postkit; move it away or set POSTKIT_HOME."
            )
        return content

    def _damaged(self) -> NoReturn:
        raise VaultError(f"The vault {self.path} is damaged; {_RESTORE}.")

    def _mac(self, content: Mapping[str, object]) -> str:
        canonical = json.dumps(content, sort_keys=True).encode()
        return hmac.new(self._derived("mac"), canonical, hashlib.sha256).hexdigest()

    def _key_mark(self) -> str:
        return self._derived("key mark")[:16].hex()

    def _derived(self, purpose: str) -> bytes:
        return hmac.new(self._key, f"{MAGIC} {VERSION} {purpose}".encode(), hashlib.sha256).digest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _aad(account_id: str) -> bytes:
    return f"{MAGIC}\0{VERSION}\0".encode() + _encoded(account_id)

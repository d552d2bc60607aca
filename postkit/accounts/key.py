"""The key of a vault: 32 bytes, where they came from, and what the vault says of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, final

from ..errors import VaultError
from .passphrase import KEY_BYTES, Argon2Terms
from .secret import Secret

Origin = Literal["program", "variable", "credential", "key file", "keyring", "passphrase"]
"""Where a key was found: handed over by a program, in POSTKIT_KEY, given by systemd, ..."""
Kept = Literal["given", "keyring", "passphrase"]
"""What a vault says of its key: that it is given from outside (a variable, a file, a credential),
that the system's keyring holds it, or that it is made of a passphrase."""
_PURPOSE: Final = b"postkit-vault 1 "


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What stands in a vault of its key. ``mark`` tells keys apart and gives nothing away."""

    mark: str
    kept: Kept = "given"
    argon: Argon2Terms | None = None

    @classmethod
    def from_json(cls, value: object) -> KeyTerms:
        """Raises ValueError for anything that ``to_json`` does not write."""
        if not isinstance(value, dict) or not isinstance(value.get("mark"), str):
            raise ValueError("no key")
        kept = value.get("kept")
        names = {"mark", "kept"} | ({"argon2id"} if kept == "passphrase" else set())
        if kept not in ("given", "keyring", "passphrase") or set(value) != names:
            raise ValueError("no key")
        argon = Argon2Terms.from_json(value["argon2id"]) if kept == "passphrase" else None
        return cls(value["mark"], kept, argon)

    def to_json(self) -> dict[str, Any]:
        argon = {} if self.argon is None else {"argon2id": self.argon.to_json()}
        return {"mark": self.mark, "kept": self.kept, **argon}


@final
class Key:
    """The key itself. It does not show itself, and is no dataclass, as `Secret` is none."""

    __slots__ = ("argon", "origin", "value")

    def __init__(
        self, value: bytes, origin: Origin = "program", argon: Argon2Terms | None = None
    ) -> None:
        if len(value) != KEY_BYTES:
            raise VaultError(f"A vault's key has {KEY_BYTES} bytes, not {len(value)}.")
        self.value = value
        self.origin: Origin = origin
        self.argon = argon

    @classmethod
    def new(cls, origin: Origin) -> Key:
        return cls(os.urandom(KEY_BYTES), origin)

    @classmethod
    def of_text(cls, text: str, origin: Origin) -> Key | None:
        """Of base64, in either alphabet; None for what is no key."""
        secret = Secret(text)  # from here on the redactor knows it
        try:
            value = base64.b64decode(secret.reveal().translate({45: "+", 95: "/"}), validate=True)
        except (binascii.Error, ValueError):
            return None
        return cls(value, origin) if len(value) == KEY_BYTES else None

    @classmethod
    def of_passphrase(cls, passphrase: str, argon: Argon2Terms) -> Key:
        """Raises VaultError."""
        return cls(argon.key(passphrase), "passphrase", argon)

    def text(self) -> str:
        return Secret(base64.b64encode(self.value).decode()).reveal()

    @property
    def mark(self) -> str:
        return self.derived("key mark")[:16].hex()

    @property
    def terms(self) -> KeyTerms:
        kept: Kept = "given"
        if self.origin in ("keyring", "passphrase"):
            kept = self.origin
        return KeyTerms(self.mark, kept, self.argon)

    def fits(self, terms: KeyTerms) -> bool:
        return hmac.compare_digest(self.mark.encode(), terms.mark.encode("utf-8", "surrogatepass"))

    def derived(self, purpose: str) -> bytes:
        """32 bytes for another purpose than encrypting entries."""
        return hmac.new(self.value, _PURPOSE + purpose.encode(), hashlib.sha256).digest()

    def __repr__(self) -> str:
        return f"Key(*** of {self.origin})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A key cannot be pickled.")

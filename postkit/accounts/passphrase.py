"""Keys from passphrases, by Argon2id (RFC 9106)."""

from __future__ import annotations

import base64
import binascii
import os
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from ..errors import VaultError
from .secret import Secret

VARIABLE: Final = "POSTKIT_PASSPHRASE"
SHORTEST: Final = 12
"""Characters of a new passphrase. Whoever has the file can guess as long as they like."""
KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
ITERATIONS: Final = 3
LANES: Final = 4
MEMORY: Final = 64 * 1024
"""KiB. These are RFC 9106's second recommended option (section 4): three passes, four lanes,
64 MiB, a salt of 128 bits, a tag of 256 bits; about 0.2 s."""
MOST_ITERATIONS: Final = 8
MOST_LANES: Final = 16
MOST_MEMORY: Final = 256 * 1024
"""KiB. What a file may ask for: it is read before anything proves that it is ours."""


@dataclass(frozen=True, slots=True)
class Argon2Terms:
    """How a key is made of a passphrase; it stands in the open beside what the key opens.

    ``memory`` is in KiB. Raises ValueError for terms outside of what postkit may be asked for.
    """

    salt: bytes
    iterations: int = ITERATIONS
    lanes: int = LANES
    memory: int = MEMORY

    def __post_init__(self) -> None:
        within = (
            len(self.salt) == SALT_BYTES
            and 1 <= self.iterations <= MOST_ITERATIONS
            and 1 <= self.lanes <= MOST_LANES
            and 8 * self.lanes <= self.memory <= MOST_MEMORY
        )
        if not within:
            raise ValueError("terms of Argon2id out of bounds")

    @classmethod
    def new(cls) -> Argon2Terms:
        return cls(os.urandom(SALT_BYTES))

    @classmethod
    def from_json(cls, value: object) -> Argon2Terms:
        """Raises ValueError for anything that ``to_json`` does not write."""
        names = {"salt", "iterations", "lanes", "memory"}
        if not isinstance(value, dict) or set(value) != names or not isinstance(value["salt"], str):
            raise ValueError("no terms of Argon2id")
        numbers = [value[name] for name in ("iterations", "lanes", "memory")]
        if any(type(number) is not int for number in numbers):
            raise ValueError("no terms of Argon2id")
        try:
            salt = base64.b64decode(value["salt"], validate=True)
        except binascii.Error:
            raise ValueError("no salt") from None
        return cls(salt, *numbers)

    def to_json(self) -> dict[str, Any]:
        return {
            "salt": base64.b64encode(self.salt).decode(),
            "iterations": self.iterations,
            "lanes": self.lanes,
            "memory": self.memory,
        }

    def key(self, passphrase: str) -> bytes:
        """The 32 bytes that the passphrase gives under these terms. Raises VaultError."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        # The same letters are typed in different ways on different systems.
        text = unicodedata.normalize("NFC", Secret(passphrase).reveal())
        try:
            return Argon2id(
                salt=self.salt,
                length=KEY_BYTES,
                iterations=self.iterations,
                lanes=self.lanes,
                memory_cost=self.memory,
            ).derive(text.encode("utf-8", "surrogatepass"))
        except UnsupportedAlgorithm:
            raise VaultError(
                "The cryptography package here was built without Argon2id (OpenSSL 3.2 has it), "
                "which passphrases need: install a newer one, or keep the key in a file."
            ) from None
        except MemoryError:
            raise VaultError(
                f"There are no {self.memory // 1024} MiB of memory to make a key of a passphrase: "
                "free some and try again."
            ) from None


def check_new(passphrase: str) -> str:
    """The passphrase, where it is fit to protect something new. Raises VaultError."""
    if len(passphrase) < SHORTEST:
        raise VaultError(
            f"The passphrase is too short: take at least {SHORTEST} characters, such as four "
            "words chosen by dice."
        )
    return passphrase

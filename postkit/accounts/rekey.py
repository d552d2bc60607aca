"""A new key for the vault, such that a kill at any moment leaves one that opens.

The new key is kept first, beside the old one: in the file ``key.new``, or in the keyring under
its own mark. Then the vault is replaced, as a whole. Only then is the old key removed. Before the
second step the old key opens the vault, after it the new one, and both are where `find_key` looks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

from ..errors import VaultError
from ..home import Home
from .key import Key, KeyTerms
from .keyring import Keyring
from .keys import new_key_path, read_key_file
from .passphrase import Argon2Terms, check_new
from .private_file import rename_private, replace_private
from .vault import Vault

Target = Literal["file", "keyring", "passphrase", "given"]


def rekey(home: Home, vault: Vault, key: Key, keyring: Keyring | None = None) -> list[str]:
    """Encrypt the vault with ``key``, and keep that where its origin says.

    Returns a sentence for each old key that could not be removed. Raises VaultError: then the
    old key still opens the vault.
    """
    if not vault.path.exists():
        raise VaultError(f"There is no vault at {vault.path} yet; `postkit connect` makes one.")
    left: list[str] = []
    ring = keyring or Keyring()

    @contextlib.contextmanager
    def keeping(old: KeyTerms) -> Iterator[None]:
        try:
            _complete(home, old)
            was = read_key_file(home.key_path)
            if key.origin == "key file":
                replace_private(new_key_path(home), f"{key.text()}\n".encode())
        except OSError as error:
            raise VaultError(
                f"The new key cannot be written beside {home.key_path} ({error.strerror}); "
                "the old one is still in use."
            ) from error
        if key.origin == "keyring":
            ring.keep(key)
        yield
        try:
            if key.origin == "key file":
                rename_private(new_key_path(home), home.key_path)
            elif was is not None and was.fits(old):
                home.key_path.unlink()
        except OSError as error:
            left.append(f"{home.key_path} could not be replaced or removed ({error.strerror}).")
        if old.kept == "keyring":
            try:
                ring.forget(old.mark)
            except VaultError as error:
                left.append(f"The old key is still in the system's keyring: {error.message}")

    vault.rekey(key, keeping)
    return left


def new_key(to: Target, passphrase: str | None = None) -> Key:
    """A key to re-key a vault with, where it is not given. Raises VaultError."""
    if to == "passphrase":
        return Key.of_passphrase(check_new(passphrase or ""), Argon2Terms.new())
    return Key.new("keyring" if to == "keyring" else "key file")


def _complete(home: Home, terms: KeyTerms) -> None:
    """A re-keying that was killed before its last step left the vault's key in ``key.new``."""
    path = new_key_path(home)
    key = read_key_file(path)
    if key is not None and key.fits(terms):
        rename_private(path, home.key_path)

"""Opening the vault of a home: by the key that is given, else by the system's keyring."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial

from ..home import Home
from .asking import asked
from .key import Key
from .keyring import Keyring, KeyringError, NoKeyring
from .keys import NoKey, find_key
from .vault import Vault


def open_vault(
    home: Home,
    key: bytes | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    keyring: Keyring | None = None,
) -> Vault:
    """The home's vault. Where there is none and nothing gives a key, the keyring of the system
    keeps a new one. Raises `NoKey` where that has no keyring either, and `VaultError`."""
    home.ensure()
    if key is not None:
        return Vault(home.vault_path, key)
    # Nobody is asked twice: a process that is running may have no one at its terminal any more.
    again = partial(find_key, home, environ, keyring=keyring)
    try:
        found = find_key(home, environ, ask=asked, keyring=keyring)
    except NoKey:
        try:
            found = _kept_by(keyring or Keyring(), home)
        except NoKeyring:
            pass
        else:
            return Vault(home.vault_path, found, again=again)
        raise
    return Vault(home.vault_path, found, again=again)


def _kept_by(keyring: Keyring, home: Home) -> Key:
    """A new key in the keyring, and an empty vault that names it."""
    key = Key.new("keyring")
    keyring.keep(key)
    if not Vault(home.vault_path, key).create():
        # Another process was faster: its key is the vault's, and ours opens nothing.
        with contextlib.suppress(KeyringError):
            keyring.forget(key.mark)
        return find_key(home, keyring=keyring)
    return key

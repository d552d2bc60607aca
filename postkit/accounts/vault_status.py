"""How a home's vault is kept, without changing anything."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from ..errors import VaultError
from ..home import Home
from .asking import asked
from .key import Key
from .keyring import Keyring, KeyringError, NoKeyring
from .keys import FOLDER, VARIABLE, NoKey, find_key
from .passphrase import VARIABLE as WORDS
from .vault import Vault


@dataclass(frozen=True, slots=True)
class VaultStatus:
    """``key`` names where the key is, None where none is found; ``mode`` and ``entries`` are None
    where there is no vault yet, or it does not open; ``problem`` says why, and what to do."""

    path: Path
    exists: bool
    mode: int | None
    key: str | None
    entries: int | None
    problem: str | None


def vault_status(home: Home, keyring: Keyring | None = None) -> VaultStatus:
    """The state of the vault. Asks for a passphrase where that opens it; raises nothing."""
    ring = keyring or Keyring()
    path = home.vault_path
    exists = path.exists()
    mode = stat.S_IMODE(path.stat().st_mode) if exists else None
    named = entries = problem = None
    try:
        key = find_key(home, ask=asked, keyring=ring)
        named = _spelled(key, home, ring)
        entries = len(Vault(path, key).ids()) if exists else None
    except NoKey as error:
        named, problem = _coming(ring), None
        if named is None:
            problem = error.message
    except VaultError as error:
        problem = error.message
    return VaultStatus(path, exists, mode, named, entries, problem)


def _spelled(key: Key, home: Home, ring: Keyring) -> str:
    match key.origin:
        case "variable":
            return f"the variable {VARIABLE}"
        case "credential":
            return f"the credential postkit-key, of {FOLDER}"
        case "key file":
            return f"the key file {home.key_path}"
        case "keyring":
            return f"the system's keyring ({ring.name()})"
        case "passphrase":
            return f"a passphrase (Argon2id), asked for or in {WORDS}"
        case _:
            return "given by the program"


def _coming(ring: Keyring) -> str | None:
    """The keyring that the key of a new vault will be in."""
    try:
        return f"the system's keyring ({ring.name()}), once an account is connected"
    except (NoKeyring, KeyringError):
        return None

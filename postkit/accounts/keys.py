"""Finding and making the key that opens the vault.

What was given on purpose comes first: the variable POSTKIT_KEY, the credential ``postkit-key`` of
systemd, the key file, and for a new vault POSTKIT_PASSPHRASE. After that comes what the vault
itself names, the system's keyring or a passphrase; for a new vault the keyring, where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ..errors import VaultError
from ..home import Home
from . import passphrase
from .key import Key, KeyTerms, Origin
from .keyring import Keyring, NoKeyring
from .passphrase import KEY_BYTES, Argon2Terms, check_new
from .private_file import create_private, read_private
from .vault_file import read_terms

VARIABLE: Final = "POSTKIT_KEY"
FOLDER: Final = "CREDENTIALS_DIRECTORY"
CREDENTIAL: Final = "postkit-key"
"""The name under which systemd hands a service the key (systemd.exec(5), LoadCredential=)."""
MAKE_ONE: Final = "python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"


class NoKey(VaultError):
    """There is no key yet to encrypt secrets with."""

    kind = "no_key"


def find_key(
    home: Home,
    environ: Mapping[str, str] | None = None,
    *,
    ask: Callable[[], str | None] | None = None,
    keyring: Keyring | None = None,
) -> Key:
    """The key of the home's vault; for a home without one, the key that it will have.

    An empty variable counts as not set. ``ask`` asks a person for the passphrase of a vault that
    has one. Raises `NoKey` where nothing gives a key for a new vault (`open_vault` then asks the
    keyring to keep one), and `VaultError` for one that cannot be a key, or where a vault is there
    whose key is gone.
    """
    environ = os.environ if environ is None else environ
    given = _variable(environ) or _credential(environ)
    if given is not None:
        return given
    terms = read_terms(home.vault_path)
    key = read_key_file(home.key_path)
    if terms is None:
        return key or _for_a_new_vault(environ)
    if key is not None and key.fits(terms):
        return key
    new = read_key_file(new_key_path(home))
    if new is not None and new.fits(terms):
        return new
    try:
        if terms.kept == "keyring":
            return _from_keyring(home, terms, keyring or Keyring())
        if terms.argon is not None:
            return _from_passphrase(home, terms.argon, environ, ask)
        if key is None:
            raise VaultError(
                f"The key of {home.vault_path} is missing: put back {home.key_path}, or set "
                f"{VARIABLE} to the key that made it."
            )
    except VaultError:
        if read_terms(home.vault_path) == terms:
            raise
        # Somebody has made a new key since it was read, and removed the old one.
        return find_key(home, environ, ask=ask, keyring=keyring)
    return key  # of another vault, as this one says when it is read


def new_key_path(home: Home) -> Path:
    """Where a new key is before it takes the key file's place."""
    return home.key_path.with_name(f"{home.key_path.name}.new")


def make_key_file(home: Home) -> Key:
    """Write a new random key to the home's key file (mode 0600) and return it.

    Never replaces one. Raises `VaultError`.
    """
    key = Key.new("key file")
    text = key.text().encode()
    home.ensure()
    try:
        create_private(home.key_path, text + b"\n")
    except FileExistsError:
        raise VaultError(f"There is a key file {home.key_path} already; it is kept.") from None
    except OSError as error:
        raise VaultError(
            f"The key file {home.key_path} cannot be written ({error.strerror}); "
            f"set {VARIABLE} instead, made with: {MAKE_ONE}"
        ) from error
    return key


def given_key(text: str, variable: str, origin: Origin = "variable") -> Key:
    """The key in a variable's text. Raises VaultError."""
    key = Key.of_text(text, origin)
    if key is None:
        raise VaultError(
            f"{variable} is not {KEY_BYTES} bytes in base64; set the key that made the vault, "
            f"or for a new vault one made with: {MAKE_ONE}"
        )
    return key


def _variable(environ: Mapping[str, str]) -> Key | None:
    text = environ.get(VARIABLE, "").strip()
    return given_key(text, VARIABLE) if text else None


def _credential(environ: Mapping[str, str]) -> Key | None:
    folder = environ.get(FOLDER, "").strip()
    if not folder:
        return None
    path = Path(folder) / CREDENTIAL
    # systemd guards the folder: by rights of the file system's own, not by the file's mode.
    content = read_private(path, "credential", guarded=True)
    if content is None:
        return None
    key = Key.of_text(content.decode("ascii", "replace").strip(), "credential")
    if key is None:
        raise VaultError(
            f"The credential {path} is not {KEY_BYTES} bytes in base64; store the key that made "
            f"the vault, or for a new vault one made with: {MAKE_ONE}"
        )
    return key


def read_key_file(path: Path) -> Key | None:
    """The key in a file; None where there is no file. Raises VaultError."""
    content = read_private(path, "key file")
    if content is None:
        return None
    key = Key.of_text(content.decode("ascii", "replace").strip(), "key file")
    if key is None:
        raise VaultError(
            f"The key file {path} is not {KEY_BYTES} bytes in base64; restore it from a backup, "
            "or delete it together with the vault and connect the accounts again."
        )
    return key


def _for_a_new_vault(environ: Mapping[str, str]) -> Key:
    words = environ.get(passphrase.VARIABLE, "")
    if words:
        return Key.of_passphrase(check_new(words), Argon2Terms.new())
    raise NoKey(
        f"There is no key to encrypt secrets with; run `postkit connect` and accept the key "
        f"file (or give --make-key), or set {VARIABLE} to one made with: {MAKE_ONE}"
    )


def _from_passphrase(
    home: Home,
    argon: Argon2Terms,
    environ: Mapping[str, str],
    ask: Callable[[], str | None] | None,
) -> Key:
    words = environ.get(passphrase.VARIABLE, "") or (ask() if ask is not None else None)
    if not words:
        raise VaultError(
            f"The vault {home.vault_path} is opened by a passphrase: set {passphrase.VARIABLE}, or "
            "run the command in a terminal."
        )
    return Key.of_passphrase(words, argon)


def _from_keyring(home: Home, terms: KeyTerms, keyring: Keyring) -> Key:
    try:
        key = keyring.key(terms)
    except NoKeyring as error:
        raise VaultError(
            f"The key of {home.vault_path} is in the system's keyring. {error.message}"
        ) from error
    if key is None:
        raise VaultError(
            f"The system's keyring does not hold the key of {home.vault_path}; unlock the one that "
            "does, or move the vault away and connect the accounts again."
        )
    return key

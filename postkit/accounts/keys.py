"""Finding and making the key that opens the vault."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Final

from ..errors import VaultError
from ..home import Home
from .private_file import create_private, read_private
from .secret import Secret
from .vault import KEY_BYTES

VARIABLE: Final = "POSTKIT_KEY"
MAKE_ONE: Final = "python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"


class NoKey(VaultError):
    """There is no key yet to encrypt secrets with."""

    kind = "no_key"


def find_key(home: Home, environ: Mapping[str, str] | None = None) -> bytes:
    """The key of 32 bytes: from `POSTKIT_KEY` (base64), else from the home's key file.

    An empty variable counts as not set. Raises `NoKey` where there is neither, and `VaultError`
    for one that cannot be a key, or where a vault is there whose key is gone.
    """
    environ = os.environ if environ is None else environ
    text = environ.get(VARIABLE, "").strip()
    if text:
        key = _decoded(text)
        if key is None:
            raise VaultError(
                f"{VARIABLE} is not {KEY_BYTES} bytes in base64; set the key that made the vault, "
                f"or for a new vault one made with: {MAKE_ONE}"
            )
        return key
    content = read_private(home.key_path, "key file")
    if content is None:
        if home.vault_path.exists():
            # Not NoKey: a new key would open nothing of it.
            raise VaultError(
                f"The key of {home.vault_path} is missing: put back {home.key_path}, or set "
                f"{VARIABLE} to the key that made it."
            )
        raise NoKey(
            f"There is no key to encrypt secrets with; run `postkit connect` and accept the key "
            f"file (or give --make-key), or set {VARIABLE} to one made with: {MAKE_ONE}"
        )
    key = _decoded(content.decode("ascii", "replace").strip())
    if key is None:
        raise VaultError(
            f"The key file {home.key_path} is not {KEY_BYTES} bytes in base64; restore it from a "
            f"backup, or delete it together with {home.vault_path} and connect the accounts again."
        )
    return key


def make_key_file(home: Home) -> bytes:
    """Write a new random key to the home's key file (mode 0600) and return it.

    Never replaces one. Raises `VaultError`.
    """
    key = os.urandom(KEY_BYTES)
    text = base64.b64encode(key)
    Secret(text.decode())
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


def _decoded(text: str) -> bytes | None:
    secret = Secret(text)  # from here on the redactor knows it
    try:
        key = base64.b64decode(secret.reveal().translate({45: "+", 95: "/"}), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None

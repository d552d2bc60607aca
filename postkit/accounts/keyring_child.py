"""Asks the system's keyring, in a process of its own (see `keyring`).

Reads an order as JSON from standard input, and writes the answer as JSON to standard output:
``{"backend": NAME or null, "value": TEXT or null}`` or ``{"error": CLASS, "text": WORDS}``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

from postkit.core_dumps import disable_core_dumps

REAL: Final = {
    "keyring.backends.SecretService.Keyring": "Secret Service",
    "keyring.backends.libsecret.Keyring": "Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet",
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Locker",
}
"""The classes of keyring 25.7 that hand secrets to the system. Any other one counts as none: one
that fails, that forgets, or that writes plain text to the disk (those of keyrings.alt)."""
CHAIN: Final = "keyring.backends.chainer.ChainerBackend"
LONGEST: Final = 1000
"""Characters of a value; a key has 44."""


def main() -> None:
    disable_core_dumps()
    # What a backend prints is no answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        said = _obeyed(json.load(sys.stdin))
    except BaseException as error:  # noqa: BLE001 - a backend may raise anything
        said = {"error": type(error).__name__, "text": str(error)[:LONGEST]}
    json.dump(said, answer)
    answer.flush()
    os._exit(0)  # without waiting for threads of a backend


def _obeyed(order: dict[str, str]) -> dict[str, Any]:
    import keyring

    backend, name = _real(keyring.get_keyring())
    if backend is None:
        return {"backend": None, "value": None}
    value = None
    if order["do"] == "get":
        value = backend.get_password(order["service"], order["user"])
    elif order["do"] == "set":
        backend.set_password(order["service"], order["user"], order["value"])
    elif order["do"] == "delete":
        backend.delete_password(order["service"], order["user"])
    value = value[:LONGEST] if isinstance(value, str) else None
    return {"backend": name, "value": value}


def _real(backend: Any) -> tuple[Any, str | None]:
    """The backend, or the first real one of a chain, with the name of what is behind it."""
    members = backend.backends if _path(backend) == CHAIN else [backend]
    for member in members:
        if _path(member) in REAL:
            return member, REAL[_path(member)]
    return None, None


def _path(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


if __name__ == "__main__":
    main()

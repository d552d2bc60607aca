"""The vault's entries as one file that a passphrase opens: a copy to keep, or to move."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from ..errors import InputError, VaultError
from .key import Key
from .oauth.pending import PREFIX as PASSING
from .passphrase import Argon2Terms, check_new
from .place import Place
from .private_file import create_private, read_private
from .vault import Vault
from .vault_file import NONCE_BYTES

MAGIC: Final = "postkit-vault-export"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Imported:
    """The entries that were new, that took the place of others, and that were here already."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    same: tuple[str, ...]


def export_vault(vault: Vault, path: Path, passphrase: str) -> tuple[str, ...]:
    """Write all entries to a new file (mode 0600). Returns their ids. Raises VaultError."""
    key = Key.of_passphrase(check_new(passphrase), Argon2Terms.new())
    rows = {
        name: {"fields": fields, "place": None if place is None else place.to_text()}
        for name, (fields, place) in vault.contents().items()
        # What was begun in a browser is worth nothing after some minutes.
        if not name.startswith(PASSING)
    }
    try:
        create_private(path, _sealed(key, rows))
    except FileExistsError:
        raise VaultError(f"{path} is there already; name another file.") from None
    except OSError as error:
        raise VaultError(f"{path} cannot be written ({error.strerror}).") from error
    return tuple(sorted(rows))


def import_vault(vault: Vault, path: Path, passphrase: str, *, replace: bool = False) -> Imported:
    """Take all entries of an exported file into the vault, or none.

    Raises InputError with each entry that is here with other content (unless ``replace``), and
    VaultError for a file that cannot be read.
    """
    rows = _unsealed(path, passphrase)
    entries: dict[str, tuple[dict[str, str], Place | None]] = {}
    for name, row in rows.items():
        place = row["place"]
        entries[name] = (row["fields"], None if place is None else Place.from_text(place))
    here: dict[str, tuple[dict[str, str], Place | None]] = {}

    def check(known: Mapping[str, tuple[dict[str, str], Place | None]]) -> None:
        here.update(known)
        other = [name for name, held in known.items() if held != entries[name]]
        if other and not replace:
            raise InputError(
                f"{name} is in the vault with other content than in {path}; give --replace to "
                "put the file's in its place."
                for name in sorted(other)
            )

    vault.fill(entries, check)
    same = {name for name, held in here.items() if held == entries[name]}
    return Imported(
        tuple(sorted(entries.keys() - here.keys())),
        tuple(sorted(here.keys() - same)),
        tuple(sorted(same)),
    )


def _sealed(key: Key, rows: Mapping[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    argon = key.argon
    head = {"magic": MAGIC, "version": VERSION, "argon2id": argon.to_json() if argon else None}
    nonce = os.urandom(NONCE_BYTES)
    data = AESGCM(key.value).encrypt(nonce, json.dumps(rows).encode(), _canonical(head))
    body = {"nonce": base64.b64encode(nonce).decode(), "data": base64.b64encode(data).decode()}
    return json.dumps({**head, **body}, indent=1).encode()


def _unsealed(path: Path, passphrase: str) -> dict[str, Any]:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    raw = read_private(path, "exported vault", guarded=True)
    if raw is None:
        raise VaultError(f"There is no file {path}.")
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("magic") != MAGIC:
        raise VaultError(
            f"{path} is not a whole file of `postkit vault export`; take another copy of it."
        )
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise VaultError(
            f"{path} was written by a newer postkit (format {version}, this one reads {VERSION}); "
            "upgrade postkit."
        )
    try:
        argon = Argon2Terms.from_json(content.get("argon2id"))
        nonce = base64.b64decode(content["nonce"], validate=True)
        data = base64.b64decode(content["data"], validate=True)
    except (ValueError, KeyError, TypeError):
        _unusable(path)
    head = {name: content[name] for name in content if name not in ("nonce", "data")}
    try:
        plain = AESGCM(argon.key(passphrase)).decrypt(nonce, data, _canonical(head))
    except (InvalidTag, ValueError):
        _unusable(path)
    rows: dict[str, Any] = json.loads(plain)
    return rows


def _unusable(path: Path) -> NoReturn:
    # The cipher cannot tell one from the other.
    raise VaultError(f"{path} has another passphrase, or is damaged; nothing was imported.")


def _canonical(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True).encode()

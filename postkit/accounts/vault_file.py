"""The format of the vault's file.

One JSON object: magic, version, what is to be known of the key, one entry per account encrypted
with AES-256-GCM, and a MAC over all of it, so that a changed, lost or renamed entry is noticed
before the file is written again. Account ids and their servers are readable; the names and values
of their fields are not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import VaultError
from .key import Key, KeyTerms
from .place import Place
from .private_file import read_private

MAGIC: Final = "postkit-vault"
VERSION: Final = 1
NONCE_BYTES: Final = 12
_RESTORE: Final = "restore it from a backup, or move it away and connect the accounts again"

Entry = dict[str, str]
Entries = dict[str, Entry]


class OtherKey(VaultError):
    """The vault was made with another key than the one that was tried."""


@dataclass(frozen=True, slots=True)
class Content:
    """A vault as it was read: what opens it, what it says of its key, its entries."""

    key: Key
    terms: KeyTerms
    entries: Entries


def read_terms(path: Path) -> KeyTerms | None:
    """What the vault says of its key, which is not proved yet; None where there is no vault.

    Raises VaultError for a file that is no vault, a damaged one, and a newer one.
    """
    raw = read_private(path, "vault")
    return None if raw is None else _terms(_parsed(raw, path), path)


def decoded(raw: bytes, path: Path, key: Key) -> Content:
    """The vault's content, proved with its key. Raises OtherKey and other VaultErrors."""
    content = _parsed(raw, path)
    terms = _terms(content, path)
    mac = content.pop("mac", None)
    if not isinstance(mac, str):
        raise _damaged(path)
    if not key.fits(terms):
        raise OtherKey(f"The vault {path} was made with another {_other(key, terms)}.")
    if not hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), _mac(key, content).encode()):
        raise _damaged(path)
    return Content(key, terms, content["entries"])


def _other(key: Key, terms: KeyTerms) -> str:
    """What it was made with another one of, and what to do."""
    if key.origin == "passphrase":
        return "passphrase; give the one that made it"
    if key.origin in _TAKEN_AWAY and terms.kept != "given":
        other = (
            "the system's keyring has it" if terms.kept == "keyring" else "a passphrase opens it"
        )
        return f"key; {other}, so take {_TAKEN_AWAY[key.origin]} away"
    return "key; give the key that made it in POSTKIT_KEY or the key file"


_TAKEN_AWAY: Final = {"variable": "POSTKIT_KEY", "credential": "the credential postkit-key"}


def encoded(key: Key, terms: KeyTerms, entries: Entries) -> bytes:
    content: dict[str, Any] = {
        "magic": MAGIC,
        "version": VERSION,
        "key": terms.to_json(),
        "entries": entries,
    }
    content["mac"] = _mac(key, content)
    # No newline at the end: a file that lost its last byte must not be whole.
    return json.dumps(content, indent=1).encode()


def sealed(key: Key, account_id: str, fields: Mapping[str, str], place: str | None) -> Entry:
    """An entry of these fields. ``place`` stands in it in the open, bound by the file's MAC."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    data = AESGCM(key.value).encrypt(nonce, json.dumps(dict(fields)).encode(), _aad(account_id))
    return {
        "nonce": base64.b64encode(nonce).decode(),
        "data": base64.b64encode(data).decode(),
        **({} if place is None else {"place": place}),
    }


def unsealed(
    key: Key, account_id: str, entry: Entry, path: Path
) -> tuple[dict[str, str], Place | None]:
    """The fields of an entry and where they are for. Raises VaultError."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(key.value).decrypt(
            base64.b64decode(entry["nonce"]), base64.b64decode(entry["data"]), _aad(account_id)
        )
    except (InvalidTag, ValueError):
        raise VaultError(
            f"The entry of {account_id} in the vault {path} was not written for this account, or "
            f"is damaged; {_RESTORE}."
        ) from None
    fields: dict[str, str] = json.loads(plain)
    place = entry.get("place")
    return fields, None if place is None else Place.from_text(place)


def _terms(content: Mapping[str, Any], path: Path) -> KeyTerms:
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise VaultError(
            f"The vault {path} was written by a newer postkit (format {version}, "
            f"this one reads {VERSION}); upgrade postkit."
        )
    if version != VERSION:
        raise _damaged(path)
    try:
        return KeyTerms.from_json(content.get("key"))
    except ValueError:
        raise _damaged(path) from None


def _parsed(raw: bytes, path: Path) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        start = json.dumps({"magic": MAGIC}, indent=1).encode().removesuffix(b"\n}")
        if raw[: len(start)] == start[: len(raw)]:
            raise _damaged(path) from None
        content = None
    if not isinstance(content, dict) or content.get("magic") != MAGIC:
        raise VaultError(f"{path} is not a vault of postkit; move it away or set POSTKIT_HOME.")
    return content


def _damaged(path: Path) -> VaultError:
    return VaultError(f"The vault {path} is damaged; {_RESTORE}.")


def _mac(key: Key, content: Mapping[str, object]) -> str:
    canonical = json.dumps(content, sort_keys=True).encode()
    return hmac.new(key.derived("mac"), canonical, hashlib.sha256).hexdigest()


def _aad(account_id: str) -> bytes:
    return f"{MAGIC}\0{VERSION}\0".encode() + account_id.encode("utf-8", "surrogatepass")

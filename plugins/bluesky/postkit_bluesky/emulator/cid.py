"""Content identifiers: version 1, base32, SHA-256.

A record's digest is over its canonical JSON, where a real server takes DAG-CBOR: equal records
have equal identifiers here as there, but the identifiers themselves differ.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

_RECORD = bytes((0x01, 0x71, 0x12, 0x20))
_RAW = bytes((0x01, 0x55, 0x12, 0x20))


def cid_of_json(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _text(_RECORD, text.encode("utf-8", "surrogatepass"))


def cid_of_bytes(data: bytes) -> str:
    return _text(_RAW, data)


def _text(prefix: bytes, data: bytes) -> str:
    digest = prefix + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(digest).decode().rstrip("=").lower()

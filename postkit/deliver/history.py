"""What happened to a part, line by line: appended only, each line chained to the one before."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from ..accounts.secret import Redactor
from ..errors import PostkitError
from ..store.rows import PartRow
from .states import PartState

INSERT = """
INSERT INTO history (tenant, account_id, delivery_id, part_id, at, event, before, after, attempt,
  reason, detail, previous, hash)
VALUES (:tenant, :account_id, :delivery_id, :part_id, :at, :event, :before, :after, :attempt,
  :reason, :detail, :previous, :hash)
"""
_chained = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def record(
    connection: sqlite3.Connection,
    part: PartRow,
    at: int,
    event: str,
    before: PartState | None,
    after: PartState | None,
    reason: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one line to the account's history, chained to the line before it. ``detail`` is
    what was asked and answered, redacted already."""
    last = connection.execute(
        "SELECT hash FROM history WHERE account_id = :id ORDER BY id DESC LIMIT 1",
        {"id": part.account_id},
    ).fetchone()
    line: dict[str, Any] = {
        "tenant": part.tenant,
        "account_id": part.account_id,
        "delivery_id": part.delivery_id,
        "part_id": part.id,
        "at": at,
        "event": event,
        "before": before,
        "after": after,
        "attempt": part.attempts,
        "reason": storable(Redactor.redact(reason)),
        "detail": json.dumps(dict(detail)) if detail else None,
        "previous": last["hash"] if last else "",
    }
    line["hash"] = hashlib.sha256(_chained(line).encode("utf-8", "surrogatepass")).hexdigest()
    connection.execute(INSERT, line)


def storable(text: str) -> str:
    """A network may answer with half a character, which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def error_json(error: PostkitError) -> str:
    """An error as the report shows it."""
    return json.dumps(
        {
            "kind": error.kind,
            "message": storable(Redactor.redact(error.message)),
            "code": getattr(error, "code", None),
            "status": getattr(error, "status", None),
            "request_id": getattr(error, "request_id", None),
        }
    )

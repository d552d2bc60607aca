"""What happened, line by line: appended only, each line of an account chained to the one before.

A line's hash is the SHA-256 of its columns as canonical JSON (sorted keys, UTF-8, Python's default
separators). ``form`` 2 is made of all columns but the hash itself; form 1, of stores from before
there was a form, lacks ``id, form, actor, via, content``.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from ..accounts.secret import Redactor
from ..errors import PostkitError
from ..store.rows import PartRow
from .actor import Actor
from .states import PartState

FORM: Final = 2
COLUMNS: Final[Mapping[int, tuple[str, ...]]] = {
    1: (
        "tenant", "account_id", "delivery_id", "part_id", "at", "event", "before", "after",
        "attempt", "reason", "detail", "previous",
    ),
    2: (
        "id", "form", "tenant", "account_id", "delivery_id", "part_id", "at", "actor", "via",
        "event", "before", "after", "attempt", "content", "reason", "detail", "previous",
    ),
}  # fmt: skip
"""What the hash of a line of each form is made of."""
EVERYTHING: Final = ""
"""The account_id of what is about no single account."""
INSERT = (
    f"INSERT INTO history ({', '.join(COLUMNS[FORM])}, hash) "  # noqa: S608 - the words above
    f"VALUES ({', '.join(f':{name}' for name in COLUMNS[FORM])}, :hash)"
)
NEWEST = """
SELECT (SELECT coalesce(max(id), 0) + 1 FROM history) AS id, coalesce((SELECT hash FROM chain
  WHERE tenant = :tenant AND account_id = :account_id), '') AS previous
"""
_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def record(
    connection: sqlite3.Connection,
    actor: Actor,
    part: PartRow,
    at: int,
    event: str,
    before: PartState | None,
    after: PartState | None,
    reason: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append what happened to a part. ``detail`` is what was asked and answered, redacted
    already."""
    # What cannot be read must not keep it from being written down that it cannot.
    outgoing: object = part.outgoing
    sent = outgoing.get("part") if isinstance(outgoing, dict) else None
    sent = part.rendition if sent is None else sent
    append(
        connection, actor, part.tenant, part.account_id, at, event, reason,
        delivery_id=part.delivery_id, part_id=part.id, before=before, after=after,
        attempt=part.attempts, content=content_hash(sent), detail=detail,
    )  # fmt: skip


def append(
    connection: sqlite3.Connection,
    actor: Actor,
    tenant: str,
    account_id: str,
    at: int,
    event: str,
    reason: str,
    *,
    delivery_id: str | None = None,
    part_id: str | None = None,
    before: str | None = None,
    after: str | None = None,
    attempt: int | None = None,
    content: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one line to an account's history, in the transaction of what it tells of; ``at`` is
    microseconds since 1970, ``account_id`` may be EVERYTHING."""
    whose = {"tenant": tenant, "account_id": account_id}
    newest = connection.execute(NEWEST, whose).fetchone()
    line: dict[str, Any] = {
        "id": newest["id"],
        "form": FORM,
        **whose,
        "delivery_id": delivery_id,
        "part_id": part_id,
        "at": at,
        "actor": storable(Redactor.redact(actor.name)),
        "via": actor.via,
        "event": event,
        "before": before,
        "after": after,
        "attempt": attempt,
        "content": content,
        "reason": storable(Redactor.redact(reason)),
        "detail": json.dumps(dict(detail)) if detail else None,
        "previous": newest["previous"],
    }
    connection.execute(INSERT, {**line, "hash": line_hash(line)})


def line_hash(line: Mapping[str, Any]) -> str:
    """The hash of a line of a known form, from its columns."""
    chosen = {name: line[name] for name in COLUMNS[line["form"]]}
    return hashlib.sha256(_canonical(chosen).encode("utf-8", "surrogatepass")).hexdigest()


def content_hash(content: Any) -> str:
    """The SHA-256 of a part as it is sent (text, fields, and each medium by the hash of its
    bytes) as canonical JSON; of a list of all parts, for a delivery."""
    return hashlib.sha256(_canonical(content).encode("utf-8", "surrogatepass")).hexdigest()


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

"""A batch of com.atproto.repo.applyWrites: a post, or a post and its gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import COLLECTION, invalid, missing, not_emulated
from .gates import GATES

CREATE = "com.atproto.repo.applyWrites#create"
CREATED = "com.atproto.repo.applyWrites#createResult"
COST = 3
"""Points of a create, by which writes are limited."""


def creates_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The writes in their order, under one key. Raises Refusal, also for what is not emulated."""
    writes = body.get("writes")
    if "writes" not in body:
        raise missing("writes")
    if not isinstance(writes, list):
        raise invalid("Expected array value type at $.writes")
    for number, write in enumerate(writes):
        if not isinstance(write, dict) or "$type" not in write:
            wanted = 'an object which includes the "$type" property'
            raise invalid(f"Expected {wanted} value type at $.writes[{number}]")
        if write["$type"] != CREATE:
            raise not_emulated(f"The write {write['$type']}")
        for name in ("collection", "value"):
            if name not in write:
                raise missing(name, f"$.writes[{number}]")
    collections = sorted(str(write["collection"]) for write in writes)
    keys = {write.get("rkey") for write in writes}
    if collections not in ([COLLECTION], [COLLECTION, GATES]) or len(keys) != 1 or None in keys:
        raise not_emulated("A batch that is not a post, or a post and its gate, under one key")
    return writes


def has_post(body: object) -> bool:
    """Whether a request body would make a post."""
    writes = body.get("writes") if isinstance(body, dict) else None
    return isinstance(writes, list) and any(
        isinstance(write, dict) and write.get("collection") == COLLECTION for write in writes
    )


def points_of(body: Mapping[str, Any]) -> int:
    writes = body.get("writes")
    return COST * len(writes) if isinstance(writes, list) else 0

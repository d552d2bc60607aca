"""Facets: which bytes of a text are a link, a mention or a hashtag, and where they lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from postkit.limits.entities import Entity
from postkit.limits.offsets import spans

from .limits import RULES

_TYPE = "app.bsky.richtext.facet"

Resolve = Callable[[str], str | None]
"""The DID of a handle; None where nobody has it."""


def facets_of(text: str, resolve: Resolve) -> list[dict[str, Any]]:
    """The facets of ``text``, in its order. A mention of nobody stays plain text."""
    facets = []
    entities = RULES.detect(text)
    for entity, (start, end) in zip(entities, spans(text, entities, "utf-8"), strict=True):
        feature = _feature(entity, resolve)
        if feature is not None:
            facets.append({"index": {"byteStart": start, "byteEnd": end}, "features": [feature]})
    return facets


def _feature(entity: Entity, resolve: Resolve) -> dict[str, str] | None:
    if entity.kind == "url":
        return {"$type": f"{_TYPE}#link", "uri": _address(entity.text)}
    if entity.kind == "hashtag":
        return {"$type": f"{_TYPE}#tag", "tag": entity.text[1:]}
    did = resolve(entity.text[1:].lower())
    return {"$type": f"{_TYPE}#mention", "did": did} if did is not None else None


def _address(text: str) -> str:
    has_scheme = text.lower().startswith(("http://", "https://"))
    return text if has_scheme else f"https://{text}"

"""Make a picture fit what a network takes, and say exactly what was done to it."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import PurePath

from ..errors import InputError
from ..limits.model import ImageLimit
from ..network import Attachment, CannotRender, MediaKind
from .cache import Cache, Fitted
from .filetype import EXTENSIONS
from .sandbox import Broken, Sandbox

_CACHE = Cache()
_SANDBOX = Sandbox(f"{__package__}.sandboxed")
_LIMIT = tuple(field.name for field in fields(ImageLimit) if field.name != "source")


def fit(
    data: bytes,
    name: str,
    alt: str,
    limit: ImageLimit,
    *,
    kind: MediaKind = "image",
    still: bool = False,
) -> tuple[Attachment, tuple[str, ...]]:
    """The picture as ``limit`` allows it, and a line for each thing that was done to it.

    The bytes stay as they are where they fit and tell nothing beside the pixels; metadata alone
    is removed without a new encoding. The attachment's name ends as its type does. ``still``:
    the first frame is enough of a picture that moves and does not fit. Raises
    InputError for what is no whole picture, CannotRender where it cannot be made to fit.
    """
    digest = hashlib.sha256(data).hexdigest()
    key = (digest, limit, still)
    made = _CACHE.get(key, lambda: _made(data, name, limit, still=still))
    attachment = Attachment(
        sha256=made.sha256,
        mime=made.mime,
        size=len(made.data),
        width=made.width,
        height=made.height,
        alt=alt,
        name=_named(name, made.mime),
        load=lambda: made.data,
        kind=kind,
    )
    return attachment, tuple(f"{name}: {change}" for change in made.changes)


def _made(data: bytes, name: str, limit: ImageLimit, *, still: bool) -> Fitted:
    """By the child: what a stranger's file does to its decoder, it does not do to this process."""
    fields = {field: getattr(limit, field) for field in _LIMIT}
    head = {"name": name, "limit": fields, "still": still}
    try:
        answer, made = _SANDBOX.call(head, data)
    except Broken as broken:
        raise InputError(
            f"{name}: it cannot be decoded ({broken}); export it again, or make it smaller."
        ) from broken
    if "input" in answer:
        raise InputError(answer["input"])
    if "cannot" in answer:
        raise CannotRender(answer["cannot"])
    if "memory" in answer:
        raise InputError(f"{name}: it takes too much memory to decode; make it smaller.")
    return Fitted(made, **{**answer, "changes": tuple(answer["changes"])})


def _named(name: str, mime: str) -> str:
    endings = EXTENSIONS[mime]
    path = PurePath(name)
    if path.suffix.lower() in endings:
        return name
    known = {ending for kinds in EXTENSIONS.values() for ending in kinds}
    stem = path.stem if path.suffix.lower() in known else name
    return (stem or "picture") + endings[0]

"""What one address will get: parts with their pictures, and what was changed to make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cards.card import Card

Json = Any
"""A value that JSON can hold; what the store keeps of a plugin must survive a round trip."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture as one address gets it: its bytes by content hash, its size in pixels and bytes."""

    sha256: str
    mime: str
    size: int
    width: int
    height: int
    alt: str
    name: str
    load: Callable[[], bytes] = field(repr=False, compare=False)

    def read(self) -> bytes:
        return self.load()

    def to_json(self) -> dict[str, Json]:
        names = ("sha256", "mime", "size", "width", "height", "alt", "name")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class RenderedPart:
    """One message exactly as it will be sent.

    ``fields`` holds whatever else the request needs, as JSON: only what is in here can be sent.
    The default ``adapt`` sets a name where the table of limits has the field and the author gave
    one. On the first part: ``title``, ``link``, ``tags`` (a list of words without ``#``), ``poll``
    (``options``, ``minutes``, ``multiple``). On each part: ``content_warning``, ``lang``,
    ``visibility``, ``options`` (the network's own, by name).

    ``card`` (``url``, ``title``, ``description``) is on a first part without pictures, where the
    network's clients build link cards; ``media`` then holds the card's picture, or nothing.
    """

    text: str
    media: tuple[Attachment, ...] = ()
    fields: Mapping[str, Json] = field(default_factory=dict)

    @property
    def pictures(self) -> tuple[Attachment, ...]:
        """``media`` that readers see as pictures of the post: not that of a link card."""
        return () if "card" in self.fields else self.media

    def with_fields(self, **more: Json) -> RenderedPart:
        return replace(self, fields={**self.fields, **more})

    def to_json(self) -> dict[str, Json]:
        return {
            "text": self.text,
            "media": [attachment.to_json() for attachment in self.media],
            "fields": dict(self.fields),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json], load: Callable[[str], bytes]) -> RenderedPart:
        """``load`` gives the bytes of a content hash."""

        def attachment(row: Mapping[str, Json]) -> Attachment:
            return Attachment(**row, load=lambda: load(row["sha256"]))

        return cls(data["text"], tuple(attachment(m) for m in data["media"]), data["fields"])


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as the author wrote it: which field, what happened, in which part.

    ``part`` counts from 1; ``None`` speaks for the whole post.
    """

    field: str
    text: str
    part: int | None = None

    def to_json(self) -> dict[str, Json]:
        return {"field": self.field, "text": self.text, "part": self.part}


@dataclass(frozen=True, slots=True)
class Rendition:
    """What one address will get: ``changes`` were adapted, ``losses`` cannot be carried."""

    parts: tuple[RenderedPart, ...]
    changes: tuple[Change, ...] = ()
    losses: tuple[Change, ...] = ()


class CannotRender(Exception):
    """The post cannot become a rendition; ``reasons`` has one sentence for each problem."""

    def __init__(self, reasons: str | Iterable[str]) -> None:
        self.reasons = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        super().__init__(" ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How to adapt: the network's options by name, and what the author allows.

    ``card`` is what the link's page says of itself, where the network needs it.
    """

    values: Mapping[str, Json] = field(default_factory=dict)
    target: str | None = None
    split: bool = True
    numbering: bool = False
    card: Card | None = None

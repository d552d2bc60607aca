"""What one address will get: parts with their pictures, and what was changed to make them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from .cards.card import Card

Json = Any
"""A value that JSON can hold; what the store keeps of a plugin must survive a round trip."""


MediaKind = Literal["image", "animation", "video"]


class MediaSource(Protocol):
    """Where bytes are by their SHA-256 (hex)."""

    def get(self, sha256: str) -> bytes: ...

    def open(self, sha256: str) -> IO[bytes]: ...


@dataclass(frozen=True, slots=True)
class Attachment:
    """A medium as one address gets it: its bytes by content hash, its size in pixels as displayed
    and in bytes. An ``animation`` is a picture that moves; ``seconds`` is how long a video is.

    A video may be larger than memory: read it piece by piece from ``open``.
    """

    sha256: str
    mime: str
    size: int
    width: int
    height: int
    alt: str
    name: str
    load: Callable[[], bytes] = field(repr=False, compare=False)
    kind: MediaKind = "image"
    seconds: float | None = None
    stream: Callable[[], IO[bytes]] | None = field(default=None, repr=False, compare=False)

    def read(self) -> bytes:
        """All bytes at once."""
        return self.load()

    def open(self) -> IO[bytes]:
        """A file of the bytes, at its beginning; the caller closes it."""
        return io.BytesIO(self.load()) if self.stream is None else self.stream()

    def to_json(self) -> dict[str, Json]:
        names = ("sha256", "mime", "size", "width", "height", "alt", "name", "kind", "seconds")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class RenderedPart:
    """One message exactly as it will be sent.

    ``fields`` holds whatever else the request needs, as JSON: only what is in here can be sent.
    The default ``adapt`` sets a name where the table of limits has the field and the author gave
    one. On the first part: ``title``, ``link``, ``tags`` (a list of words without ``#``), ``poll``
    (``options``, ``minutes``, ``multiple``), ``replies`` (one of ``post.REPLIES``). On each part:
    ``content_warning``, ``lang``, ``visibility``, ``options`` (the network's own, by name),
    ``markup`` where the text is in the markup of the table of limits; without it it is plain.

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
    def from_json(cls, data: Mapping[str, Json], source: MediaSource) -> RenderedPart:
        """``source`` has the bytes of the media."""

        def attachment(row: Mapping[str, Json]) -> Attachment:
            sha256 = row["sha256"]
            return Attachment(
                **row, load=lambda: source.get(sha256), stream=lambda: source.open(sha256)
            )

        return cls(data["text"], tuple(attachment(m) for m in data["media"]), data["fields"])


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as the author wrote it: which field, what happened, in which part.

    ``part`` is the rendition's, counted from 1; ``None`` speaks for the whole. ``items`` says
    which of the author's several it is about, counted from 1: the parts of the post for ``text``,
    its media for ``media``, ``alt`` and ``tracks`` (what a video has beside one of pictures and
    one of sound), its tags for ``tags``; where it is empty, all of them.
    ``texts`` are the parts of the post whose text got more words by it.
    """

    field: str
    text: str
    part: int | None = None
    items: tuple[int, ...] = ()
    texts: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {"field": self.field, "text": self.text, "part": self.part}


@dataclass(frozen=True, slots=True)
class Rendition:
    """What one address will get: ``changes`` were adapted, ``losses`` cannot be carried."""

    parts: tuple[RenderedPart, ...]
    changes: tuple[Change, ...] = ()
    losses: tuple[Change, ...] = ()


class CannotRender(Exception):
    """The post cannot become a rendition: one sentence for each problem, or a Change that also
    says which field it is about."""

    def __init__(self, problems: str | Change | Iterable[str | Change]) -> None:
        several = [problems] if isinstance(problems, str | Change) else list(problems)
        self.problems = tuple(p if isinstance(p, Change) else Change("post", p) for p in several)
        super().__init__(" ".join(self.reasons))

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences."""
        return tuple(problem.text for problem in self.problems)


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How to adapt: the network's options by name, and what the author allows.

    ``card`` is what the link's page says of itself, where the network needs it.
    """

    values: Mapping[str, Json] = field(default_factory=dict)
    target: str | None = None
    split: bool = True
    numbering: bool = False
    trim: bool = False
    """Whether what is too long of a video may be cut off."""
    card: Card | None = None

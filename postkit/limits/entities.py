"""Entities: what a network finds in a text and treats in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from .links import embedded_links, spaced_links
from .names import cashtags, hashtags, mention_pattern, mentions

Kind = Literal["url", "mention", "list", "hashtag", "cashtag"]
Edges = Literal["embedded", "spaced"]


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity. ``start`` and ``end`` are code points of the text it was found in."""

    kind: Kind
    start: int
    end: int
    text: str

    @property
    def local(self) -> str:
        """A mention without the server it names: ``@user`` of ``@user@host``."""
        return "@" + self.text[1:].partition("@")[0] if self.kind == "mention" else self.text


Detector = Callable[[str], tuple[Entity, ...]]
"""Finds the entities of a text: sorted by start, none overlapping another."""


@dataclass(frozen=True, slots=True)
class EntityRules:
    """What counts as an entity, as data that a plugin declares.

    ``urls``: http and https URLs. ``bare_domains``: also hosts without a scheme, where the last
    label is a known top-level domain (``tlds.txt``). ``edges``: ``embedded`` URLs may touch text
    of another script and need a known top-level domain; ``spaced`` ones stand between white
    space, and so do hashtags. ``unicode_paths``: as a federated server has it, paths and queries
    may hold any script, and no hashtag stands behind a slash (``embedded`` only; the paths of
    ``spaced`` always may). ``short_host``: the network's own shortener,
    whose links end after their slug. ``mention``: a name of MENTION_STYLES or a pattern of
    ``re``. ``hashtag_max``: code points of a hashtag with its sign; longer ones are plain text.

    Raises ValueError for a mention that is neither.
    """

    urls: bool = True
    bare_domains: bool = False
    edges: Edges = "embedded"
    unicode_paths: bool = False
    short_host: str | None = None
    mention: str | None = None
    hashtags: bool = False
    hashtag_max: int | None = None
    cashtags: bool = False

    def __post_init__(self) -> None:
        if self.edges not in ("embedded", "spaced"):
            raise ValueError(f"edges is {self.edges!r}; take 'embedded' or 'spaced'.")
        if self.mention is not None:
            mention_pattern(self.mention)

    def detect(self, text: str) -> tuple[Entity, ...]:
        """The entities of ``text``. Of two that overlap, the one that starts first is kept."""
        found: list[Entity] = list(self._urls(text))
        if self.mention is not None and ("@" in text or "\uff20" in text):
            found += (
                _entity("list" if is_list else "mention", text, *span)
                for span, is_list in mentions(text, self.mention)
            )
        if self.hashtags and ("#" in text or "\uff03" in text):
            spans = hashtags(text, spaced=self.edges == "spaced", federated=self.unicode_paths)
            most = len(text) if self.hashtag_max is None else self.hashtag_max
            found += (_entity("hashtag", text, *s) for s in spans if s[1] - s[0] <= most)
        if self.cashtags and "$" in text:
            found += (_entity("cashtag", text, *span) for span in cashtags(text))
        if not found:
            return ()
        found.sort(key=lambda entity: (entity.start, -entity.end))
        kept = [found[0]]
        for entity in found[1:]:
            if entity.start >= kept[-1].end:
                kept.append(entity)
        return tuple(kept)

    def urls_in(self, text: str) -> tuple[Entity, ...]:
        """The URLs alone, whatever else the rules name."""
        return tuple(self._urls(text))

    def _urls(self, text: str) -> Iterator[Entity]:
        if not self.urls or not ("." in text or ":" in text):
            return
        if self.edges == "spaced":
            spans = spaced_links(text, bare=self.bare_domains)
        else:
            spans = embedded_links(
                text,
                bare=self.bare_domains,
                unicode_paths=self.unicode_paths,
                short_host=self.short_host,
            )
        for start, end in spans:
            yield _entity("url", text, start, end)


def _entity(kind: Kind, text: str, start: int, end: int) -> Entity:
    return Entity(kind, start, end, text[start:end])

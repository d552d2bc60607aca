"""Entities: what a network finds in a text and treats in a way of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from .hosts import is_listed_host
from .links import embedded_links, spaced_links

if TYPE_CHECKING:
    from regex import Pattern as UnicodePattern

Kind = Literal["url", "mention", "hashtag", "cashtag"]
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

MENTION_STYLES = {
    "name": (
        r"(?<![A-Za-z0-9_!#$%&*@\uff20])[@\uff20][A-Za-z0-9_]{1,20}"
        r"(?![A-Za-z0-9_@\uff20\xc0-\xd6\xd8-\xf6\xf8-\u024f]|://)"
    ),
    "name@host": (r"(?<![\w=/@])@[A-Za-z0-9_]++(?:[.-]++[A-Za-z0-9_]++)*(?:@\w++(?:[.-]++\w++)*)?"),
    "host": r"(?<![^\s(])@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+(?![\w@]|\.\w)",
}
"""Ways to mention somebody: ``@name``; ``@name``, also at a server; a domain as the name."""

_CASHTAG = re.compile(r"(?<!\S)\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?![\w$])")


@dataclass(frozen=True, slots=True)
class EntityRules:
    """What counts as an entity, as data that a plugin declares.

    ``urls``: http and https URLs. ``bare_domains``: also hosts without a scheme, where the last
    label is a known top-level domain (``tlds.txt``). ``edges``: ``embedded`` URLs may touch text
    of another script and need a known top-level domain; ``spaced`` ones stand between white
    space, and so do hashtags. ``unicode_paths``: paths and queries may hold any script
    (``embedded`` only; ``spaced`` always does). ``short_host``: the network's own shortener,
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
            _mention_pattern(self.mention)

    def detect(self, text: str) -> tuple[Entity, ...]:
        """The entities of ``text``. Of two that overlap, the one that starts first is kept."""
        found: list[Entity] = list(self._urls(text))
        if self.mention is not None and ("@" in text or "\uff20" in text):
            found += self._mentions(text, self.mention)
        if self.hashtags and ("#" in text or "\uff03" in text):
            found += self._hashtags(text)
        if self.cashtags and "$" in text:
            found += (_entity("cashtag", text, *m.span()) for m in _CASHTAG.finditer(text))
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

    def _mentions(self, text: str, mention: str) -> Iterator[Entity]:
        for found in _mention_pattern(mention).finditer(text):
            start, end = found.span()
            if mention == "host":
                # Names below .test are reserved for tests and used as such.
                host = text[start + 1 : end]
                if not (is_listed_host(host) or host.endswith(".test")):
                    continue
            if end > start:
                yield _entity("mention", text, start, end)

    def _hashtags(self, text: str) -> Iterator[Entity]:
        spaced = self.edges == "spaced"
        for found in _hashtag_pattern(spaced).finditer(text):
            start, end = found.span()
            while spaced and text[end - 1] in "-_":
                end -= 1
            if self.hashtag_max is None or end - start <= self.hashtag_max:
                yield _entity("hashtag", text, start, end)


def _entity(kind: Kind, text: str, start: int, end: int) -> Entity:
    return Entity(kind, start, end, text[start:end])


@cache
def _mention_pattern(mention: str) -> re.Pattern[str]:
    try:
        return re.compile(MENTION_STYLES.get(mention, mention))
    except re.error as error:
        styles = ", ".join(MENTION_STYLES)
        raise ValueError(
            f"mention is {mention!r}; take one of {styles} or a valid pattern ({error})."
        ) from None


@cache
def _hashtag_pattern(spaced: bool) -> UnicodePattern[str]:
    # re knows no class for combining marks, without which most Indic words would end early.
    import regex

    if spaced:
        return regex.compile(
            r"(?<!\S)#(?!\ufe0f|\u20e3)[\p{L}\p{M}\p{Extended_Pictographic}]"
            r"[\p{L}\p{M}\p{Nd}\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d_-]*+"
        )
    word = r"\p{L}\p{M}\p{Nd}_\u200c\u200d\xb7\u05f3\u05f4\u30fb"
    return regex.compile(
        rf"(?<![{word}&/])[#\uff03](?!\ufe0f|\u20e3)(?=[{word}]*?[\p{{L}}\p{{M}}])[{word}]++"
        r"(?![#\uff03]|://)"
    )

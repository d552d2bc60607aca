"""The draft of a rendition, and the account of what happened to the post on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..network import Change, Json
from ..post import Media, Post

Line = tuple[str, str, "Draft | None", tuple[int, ...], tuple[int, ...]]


@dataclass(slots=True, eq=False)
class Draft:
    """A part that is being made. ``source``: the parts of the post that its text is from."""

    text: str
    media: list[Media] = field(default_factory=list)
    fields: dict[str, Json] = field(default_factory=dict)
    source: tuple[int, ...] = ()


class Ledger:
    """Collects changes, losses and refusals. A part's number is known only at the end, so each
    line remembers its draft."""

    def __init__(self, post: Post | None = None) -> None:
        self.refusals: list[Change] = []
        self._changes: list[Line] = []
        self._losses: list[Line] = []
        self.media = _apart(post) if post is not None else ()
        """The media of each part of the post, by which ``numbers`` knows them."""
        every = (one for part in self.media for one in part)
        self._numbers = {id(one): number for number, one in enumerate(every, 1)}

    def change(
        self,
        name: str,
        text: str,
        draft: Draft | None = None,
        items: tuple[int, ...] = (),
        *,
        in_text: bool = False,
    ) -> None:
        """``name`` of the field was adapted; ``in_text``: by words in the text of ``draft``."""
        texts = draft.source if in_text and draft is not None else ()
        self._changes.append((name, text, draft, items or _source(name, draft), texts))

    def loss(
        self,
        name: str,
        text: str,
        draft: Draft | None = None,
        items: tuple[int, ...] = (),
    ) -> None:
        """``name`` of the field cannot be carried."""
        self._losses.append((name, text, draft, items or _source(name, draft), ()))

    def refuse(self, name: str, reason: str, items: tuple[int, ...] = ()) -> None:
        """The post cannot be sent, for one more reason; one that was given is of more items."""
        for place, refusal in enumerate(self.refusals):
            if refusal.text == reason:
                more = tuple(item for item in items if item not in refusal.items)
                self.refusals[place] = replace(refusal, items=refusal.items + more)
                return
        self.refusals.append(Change(name, reason, None, items))

    def numbers(self, *media: Media) -> tuple[int, ...]:
        """Which of the post's media these are, counted from 1: objects of ``media``."""
        return tuple(self._numbers[id(one)] for one in media if id(one) in self._numbers)

    def changes(self, drafts: Sequence[Draft]) -> tuple[Change, ...]:
        return tuple(_numbered(self._changes, drafts))

    def losses(self, drafts: Sequence[Draft]) -> tuple[Change, ...]:
        return tuple(_numbered(self._losses, drafts))


def _apart(post: Post) -> tuple[tuple[Media, ...], ...]:
    """The media of each part; an object that was given more than once is another each time."""
    seen: set[int] = set()

    def own(media: Media) -> Media:
        if id(media) in seen:
            return media.with_alt(media.alt)
        seen.add(id(media))
        return media

    return tuple(tuple(map(own, part.media)) for part in post.parts)


def _source(name: str, draft: Draft | None) -> tuple[int, ...]:
    return draft.source if name == "text" and draft is not None else ()


def _numbered(lines: Iterable[Line], drafts: Sequence[Draft]) -> Iterable[Change]:
    numbers = {id(draft): number for number, draft in enumerate(drafts, 1)}
    for name, text, draft, items, texts in lines:
        yield Change(name, text, None if draft is None else numbers.get(id(draft)), items, texts)

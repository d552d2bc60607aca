"""What becomes of each field of a post at one address: the loss report, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .options import given_options
from .post import Post, Settings, is_blank
from .rendition import Change, Rendition

Outcome = Literal["delivered", "adapted", "lost", "refused"]


@dataclass(frozen=True, slots=True)
class FieldOutcome:
    """One field of the author's and what an address gets of it.

    ``item`` counts from 1 where a post has several: the part of a ``text``, the medium of
    ``media`` and ``alt``, the tag of ``tags``; None else. ``delivered`` is as the author wrote it
    (line ends apart), ``how`` says in words what was ``adapted``, or why it is ``lost`` or
    ``refused``. Where any field is refused, nothing is sent to the address.
    """

    field: str
    outcome: Outcome
    item: int | None = None
    how: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"field": self.field, "item": self.item, "outcome": self.outcome, "how": self.how}


def outcomes_of(
    post: Post, settings: Settings, result: Rendition | Sequence[Change]
) -> tuple[FieldOutcome, ...]:
    """One row for each field that the author gave. ``settings`` are those for the network;
    ``result`` is the rendition, or what was refused."""
    if isinstance(result, Rendition):
        return tuple(_outcome(name, item, result) for name, item in _given(post, settings))
    return tuple(_refused(name, item, result) for name, item in _given(post, settings))


def _given(post: Post, settings: Settings) -> Iterator[tuple[str, int | None]]:
    for number, part in enumerate(post.parts, 1):
        if not is_blank(part.text):
            yield "text", number
    if settings.text is not None and all(is_blank(part.text) for part in post.parts):
        yield "text", None
    for number, media in enumerate(post.media, 1):
        yield "media", number
        if not is_blank(media.alt):
            yield "alt", number
    for name in ("title", "link"):
        if not (is_blank(getattr(post, name) or "") and is_blank(getattr(settings, name) or "")):
            yield name, None
    for number, _ in enumerate(post.tags, 1):
        yield "tags", number
    for name in ("poll", "content_warning", "lang", "visibility", "replies"):
        value = getattr(post, name)
        if value and not (isinstance(value, str) and is_blank(value)):
            yield name, None
    if given_options(settings.options):
        yield "options", None


def _outcome(name: str, item: int | None, rendition: Rendition) -> FieldOutcome:
    lost = _about(name, item, rendition.losses)
    if name == "alt":
        lost += _about("media", item, rendition.losses)
    if lost:
        return FieldOutcome(name, "lost", item, _words(lost))
    changed = _about(name, item, rendition.changes)
    if name == "text":
        changed += _about("thread", item, rendition.changes)
        changed += [change for change in rendition.changes if item in change.texts]
    if changed:
        return FieldOutcome(name, "adapted", item, _words(changed))
    return FieldOutcome(name, "delivered", item)


def _refused(name: str, item: int | None, refusals: Sequence[Change]) -> FieldOutcome:
    own = _about(name, item, refusals)
    if own:
        return FieldOutcome(name, "refused", item, _words(own))
    fields = ", ".join(dict.fromkeys(refusal.field for refusal in refusals))
    return FieldOutcome(name, "refused", item, f"nothing is sent, for the sake of: {fields}")


def _about(name: str, item: int | None, changes: Iterable[Change]) -> list[Change]:
    return [
        change
        for change in changes
        if change.field == name and (item is None or not change.items or item in change.items)
    ]


def _words(changes: Iterable[Change]) -> str:
    return "; ".join(dict.fromkeys(change.text for change in changes))

"""The draft of a rendition, and the account of what happened to the post on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..network import Change, Json
from ..post import Media


@dataclass(slots=True, eq=False)
class Draft:
    """A part that is being made."""

    text: str
    media: list[Media] = field(default_factory=list)
    fields: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Ledger:
    """Collects changes, losses and refusals. A part's number is known only at the end, so each
    line remembers its draft."""

    reasons: list[str] = field(default_factory=list)
    _changes: list[tuple[str, str, Draft | None]] = field(default_factory=list)
    _losses: list[tuple[str, str, Draft | None]] = field(default_factory=list)

    def change(self, name: str, text: str, draft: Draft | None = None) -> None:
        """``name`` of the field was adapted."""
        self._changes.append((name, text, draft))

    def loss(self, name: str, text: str, draft: Draft | None = None) -> None:
        """``name`` of the field cannot be carried."""
        self._losses.append((name, text, draft))

    def refuse(self, reason: str) -> None:
        """The post cannot be sent, for one more reason."""
        if reason not in self.reasons:
            self.reasons.append(reason)

    def changes(self, drafts: Sequence[Draft]) -> tuple[Change, ...]:
        return tuple(_numbered(self._changes, drafts))

    def losses(self, drafts: Sequence[Draft]) -> tuple[Change, ...]:
        return tuple(_numbered(self._losses, drafts))


def _numbered(
    lines: Iterable[tuple[str, str, Draft | None]], drafts: Sequence[Draft]
) -> Iterable[Change]:
    numbers = {id(draft): number for number, draft in enumerate(drafts, 1)}
    for name, text, draft in lines:
        yield Change(name, text, None if draft is None else numbers.get(id(draft)))

"""What must hold at every step: no request unannounced, none announced after a pause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..deliver.gates import PAUSED
from ..store.rows import PartRow
from .remote import Post

if TYPE_CHECKING:
    from .process import Process
    from .world import World

Likeness = tuple[str, str, str | None, bool]
"""Account, text, the post that it answers, and whether it has a picture."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken; ``about`` is a part, or who broke it."""

    kind: str
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.text}"


class Watch:
    """Looks on while a schedule runs, and remembers what the verdict needs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.creates = 0
        self.clock_was_wrong = False
        self.was_stopped = False
        self.refused: set[str] = set()
        """Parts of which a request got a definite no."""
        self.given_up: set[str] = set()
        self.resent_too_early: set[str] = set()
        """Parts that a person has sent again while the first request was still on its way."""

    def announced(self, part: str) -> None:
        """SENDING is committed."""
        delivery = part.rpartition(".")[0]
        found = self._world.store.raw.execute(PAUSED, {"delivery": delivery}).fetchone()
        if found is not None:
            text = f"SENDING was committed while {found['address']} is paused."
            self._world.violated("paused", part, text)

    def request(self, process: Process, part: str) -> None:
        """A create request is about to leave."""
        self.creates += 1
        left = process.may_send.get(part, 0)
        if left < 1:
            text = f"{process.owner} sent a request that no committed SENDING of its own announces."
            self._world.violated("unannounced", part, text)
        else:
            process.may_send[part] = left - 1

    def may_still_come(self, part: str) -> bool:
        """Whether a request of the part is on its way, or in a process that is stopped."""
        world = self._world
        return bool(world.remote.on_its_way(part)) or world.has_in_hand(part)

    def likeness(self, part: PartRow) -> Likeness:
        parent = None
        if part.position > 1:
            found = self._world.store.raw.execute(
                "SELECT remote_id FROM part WHERE delivery_id = :delivery AND position = :before",
                {"delivery": part.delivery_id, "before": part.position - 1},
            ).fetchone()
            parent = found["remote_id"]
        pictured = bool(part.rendition["fields"]["pictures"])
        return part.account_id, str(part.rendition["text"]), parent, pictured

    def likeness_of(self, post: Post) -> Likeness:
        text, picture, parent = post.content
        return post.account, text, parent, picture is not None

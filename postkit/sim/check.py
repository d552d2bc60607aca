"""The verdict: what the network has of each part, against what the store says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from ..clock import micros
from ..store import rows
from ..store.rows import PartRow
from .clock import EPOCH_MICROS, SECOND
from .remote import Post
from .watch import Likeness

if TYPE_CHECKING:
    from .world import World

CLEAN = frozenset({"claim", "prepared", "send", "accepted", "audit", "duplicate"})
SKEW = 31 * SECOND


@dataclass(slots=True)
class Counts:
    """What one schedule, or many of them, came to."""

    schedules: int = 0
    parts: int = 0
    creates: int = 0
    live: int = 0
    duplicates: int = 0
    silent_losses: int = 0
    recorded_failed: int = 0
    uncertain: int = 0
    by_a_person: int = 0
    """Posted twice because a person had it sent again while the first was still on its way."""
    outside: int = 0
    """Posted twice where a user had chosen to send again, and the network was later than agreed, a
    process was stopped in between, or the machine's clock was wrong by an hour."""
    false_matches: int = 0
    """Settled by a post of somebody else that nothing tells from ours."""
    false_matches_told: int = 0
    """Of these, the ones whose own post came after all: the late look has reported two."""
    other: int = 0

    def add(self, more: Counts) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(more, name))


@dataclass(slots=True)
class Group:
    """Parts and posts that nobody could tell apart."""

    parts: list[PartRow] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)


def check(world: World) -> Counts:
    """Judge a schedule that has come to rest; violations are added to the world's."""
    return _Check(world).run()


class _Check:
    def __init__(self, world: World) -> None:
        self.world = world
        self.counts = Counts(schedules=1, creates=world.watch.creates)
        raw = world.store.raw
        self.parts = [
            rows.part(row)
            for row in raw.execute("SELECT * FROM part ORDER BY delivery_id, position")
        ]
        self.events: dict[str, list[str]] = defaultdict(list)
        for row in raw.execute(
            "SELECT part_id, event FROM history WHERE part_id IS NOT NULL ORDER BY id"
        ):
            self.events[row["part_id"]].append(row["event"])
        self.posts = {post.id: post for post in world.remote.posts}

    def run(self) -> Counts:
        self.counts.parts = len(self.parts)
        groups: dict[Likeness, Group] = defaultdict(Group)
        for part in self.parts:
            groups[self.world.watch.likeness(part)].parts.append(part)
            self._state(part)
        for post in self.world.remote.posts:
            if post.part is not None:
                groups[self.world.watch.likeness_of(post)].posts.append(post)
        for likeness, group in groups.items():
            self._group(likeness, group)
        self._order()
        return self.counts

    def _violated(self, kind: str, part: str, text: str) -> None:
        self.world.violated(kind, part, text)
        if kind == "duplicate":
            self.counts.duplicates += 1
        elif kind in ("lost", "phantom"):
            self.counts.silent_losses += 1
        elif kind == "recorded_failed":
            self.counts.recorded_failed += 1
        else:
            self.counts.other += 1

    # One part

    def _state(self, part: PartRow) -> None:
        events = self.events[part.id]
        asked = events.count("ask")
        self.counts.uncertain += bool(asked)
        # Where a repeat was refused for good, a person is needed in any class; and where the rest
        # was cancelled meanwhile, since then nothing of it is sent again.
        whole = part.id.rpartition(".")[0]
        needed = part.id in self.world.watch.refused or any(
            other.rpartition(".")[0] == whole and "cancel" in events_of
            for other, events_of in self.events.items()
        )
        if asked and not needed and not self.world.schedule.kind.may_ask:
            self._violated("question", part.id, "A person was asked, which this class never needs.")
        before = [
            p
            for p in self.parts
            if p.delivery_id == part.delivery_id and p.position < part.position
        ]
        blocked = any(p.state != "LIVE" for p in before)
        match part.state:
            case "LIVE":
                self.counts.live += 1
                if part.remote_id not in self.posts:
                    self._violated("phantom", part.id, f"LIVE as {part.remote_id}; no such post.")
            case "FAILED" | "MISSED" | "CANCELLED":
                pass
            case "HELD" | "SCHEDULED" if blocked:
                pass
            case _:
                reason = f" ({part.held_reason})" if part.held_reason else ""
                self._violated("lost", part.id, f"It stays {part.state}{reason}.")

    # What nobody can tell apart is judged together

    def _group(self, likeness: Likeness, group: Group) -> None:
        if not group.parts:
            names = ", ".join(f"{post.part} as {post.id}" for post in group.posts)
            self._violated("parent", names, f"It answers {likeness[2]}, which is not its parent.")
            return
        settled = {part.remote_id for part in group.parts if part.remote_id is not None}
        extra = [post for post in group.posts if post.id not in settled]
        false = [part for part in group.parts if self._is_false(part)]
        excuses = list(group.parts)
        for post in extra:
            self._extra(post, group, false, excuses)
        for part in false:
            self.counts.false_matches += 1
            self._false_match(part)

    def _is_false(self, part: PartRow) -> bool:
        post = self.posts.get(part.remote_id or "")
        return post is not None and post.part is None

    def _extra(
        self, post: Post, group: Group, false: list[PartRow], excuses: list[PartRow]
    ) -> None:
        """A post of ours that settles no part: each needs a reason of its own."""
        watch = self.world.watch
        for part in excuses:
            if part in false:
                told = post.id in "".join(part.copies)
                self.counts.false_matches_told += told
                excuses.remove(part)
                return
            if part.id in watch.given_up and part.state == "FAILED":
                excuses.remove(part)
                return
        about = post.part or ""
        gone = next((p for p in group.parts if p.state != "LIVE"), None)
        if gone is not None and len(group.posts) <= len(group.parts):
            last = self.events[gone.id][-1:]
            text = f"{gone.state} by {', '.join(last)}, and live as {post.id}."
            self._violated("recorded_failed", gone.id, text)
        elif any(part.id in watch.resent_too_early for part in group.parts):
            self.counts.by_a_person += 1
        elif self.world.schedule.kind.name == "read_back_resend" and self._is_outside(about):
            self.counts.outside += 1
        else:
            ids = ", ".join(p.id for p in group.posts)
            self._violated("duplicate", about, f"Live {len(group.posts)} times: {ids}.")

    def _is_outside(self, part: str) -> bool:
        if self.world.watch.clock_was_wrong or self.world.watch.was_stopped:
            return True
        return any(r.outside for r in self.world.remote.requests if r.part == part)

    def _false_match(self, part: PartRow) -> None:
        watch, post = self.world.watch, self.posts[part.remote_id or ""]
        if self.world.schedule.kind.proves:
            self._violated("false_match", part.id, f"{post.id} does not have its key.")
        elif (
            part.sending_at is not None
            and post.at < micros(part.sending_at) - EPOCH_MICROS - SKEW
            and not watch.clock_was_wrong
        ):
            self._violated("false_match", part.id, f"{post.id} is older than its request.")

    # Order

    def _order(self) -> None:
        by_parent = {p.content[2]: p for p in self.world.remote.posts if p.content[2] is not None}
        for parent, post in by_parent.items():
            before = self.posts.get(parent or "")
            if before is None or before.at > post.at:
                self._violated("order", post.part or post.id, f"It came before {parent}.")
        if self.world.watch.clock_was_wrong or any(
            visit.what == "finish" for visit in self.world.schedule.visits
        ):
            return
        times = {post.id: post.at for post in self.world.remote.posts}
        threads: dict[str, dict[str, list[PartRow]]] = defaultdict(lambda: defaultdict(list))
        for part in self.parts:
            threads[part.account_id][part.delivery_id].append(part)
        for account in threads.values():
            ordered = sorted(account.values(), key=lambda t: (t[0].due_at, t[0].delivery_id))
            for first, second in pairwise(ordered):
                if not self._is_clean(first) or second[0].state != "LIVE":
                    continue
                if any(self._is_false(part) for part in (*first, second[0])):
                    continue
                ended = max(times[part.remote_id or ""] for part in first)
                if times[second[0].remote_id or ""] < ended:
                    self._violated("order", second[0].id, f"It came before {first[-1].id}.")

    def _is_clean(self, thread: list[PartRow]) -> bool:
        return all(
            part.state == "LIVE" and CLEAN.issuperset(self.events[part.id]) for part in thread
        )

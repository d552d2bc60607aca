"""The history checker: was each part accepted at most once, and does the store tell the truth?

It knows nothing of how a delivery works. It takes the rows, the history and what the network
accepted, and judges them: ``check(read(store, server))``.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

from postkit.deliver.states import SETTLED, TRANSITIONS

from .facts import Accepted, Facts, Line, PartFact

Kind = Literal[
    "duplicate",  # accepted more than once
    "phantom",  # LIVE, and the network has no such post or another one
    "recorded_failed",  # live at the network, over and done with in the store
    "lost",  # not settled, not waiting, and nobody was asked
    "question",  # a person was asked where the network's class needs none
    "chain",  # the history was cut, changed, or is not the history of this row
    "transition",  # a change that the table of states does not have
    "unannounced",  # a request without a SENDING before it
    "order",  # a part before its predecessor, or with the wrong parent
    "fenced",  # a write by a process that another one had taken over from
    "unexplained",  # a post that belongs to no part
    "damaged",  # the store's file is not sound
]
GONE: Final = SETTLED - {"LIVE"}
BY_OWNER: Final[frozenset[str]] = frozenset(
    {
        *("prepared", "release", "refuse", "send", "accepted", "rejected", "unsent"),
        *("doubt", "look", "absent", "ask"),
    }
)
"""What only the process that holds the part may write. A late answer ("found") and a person's
word come from others by design."""


@dataclass(frozen=True, slots=True)
class Violation:
    kind: Kind
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.text}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``accepted`` posts of one part, its final state, and why the two go together (or do not)."""

    part: str
    state: str
    accepted: tuple[str, ...]
    explanation: str


@dataclass(frozen=True, slots=True)
class Findings:
    verdicts: Sequence[Verdict]
    violations: Sequence[Violation]

    def kinds(self) -> set[str]:
        return {violation.kind for violation in self.violations}


def check(
    facts: Facts, *, may_ask: AbstractSet[str] | None = None, now: int | None = None
) -> Findings:
    """Judge them. ``may_ask``: the parts whose network's class allows a question (None: all).
    ``now``: a part that waits for a later moment (microseconds) is not lost."""
    checker = _Checker(facts, may_ask, now)
    checker.run()
    return Findings(checker.verdicts, checker.violations)


class _Checker:
    def __init__(self, facts: Facts, may_ask: AbstractSet[str] | None, now: int | None) -> None:
        self.facts = facts
        self.may_ask = may_ask
        self.now = now
        self.verdicts: list[Verdict] = []
        self.violations: list[Violation] = []
        self.of_part: dict[str, list[Line]] = defaultdict(list)
        for line in facts.lines:
            if line.part is not None:
                self.of_part[line.part].append(line)
        self.posts: dict[str, list[Accepted]] = {}

    def run(self) -> None:
        if self.facts.sound != "ok":
            self._add("damaged", "the store", self.facts.sound)
        self._chain()
        self._transitions()
        self._fences()
        self._announced()
        self.posts = self._assign()
        for part in self.facts.parts:
            self._judge(part)
        self._order()

    def _add(self, kind: Kind, about: str, text: str) -> None:
        self.violations.append(Violation(kind, about, text))

    # The history itself

    def _chain(self) -> None:
        last: dict[str, str] = {}
        for line in self.facts.lines:
            about = f"line {line.id}"
            if line.raw["previous"] != last.get(line.account, ""):
                self._add("chain", about, "It does not follow the line before it.")
            if not line.is_true:
                self._add("chain", about, "Its hash is not the hash of what it says.")
            last[line.account] = str(line.raw["hash"])

    def _transitions(self) -> None:
        for part in self.facts.parts:
            state: str | None = None
            for line in self.of_part[part.id]:
                if line.after is None:
                    continue  # a remark
                if line.before is not None:
                    there = {
                        after
                        for key, after in TRANSITIONS.items()
                        if key == (line.before, line.event)
                    }
                    if line.after not in there:
                        text = f"{line.before} -{line.event}-> {line.after} is not in the table."
                        self._add("transition", part.id, text)
                    if state is not None and line.before != state:
                        text = f"{line.event} starts at {line.before}, but it was {state}."
                        self._add("transition", part.id, text)
                elif state is not None:
                    self._add("transition", part.id, f"{line.event} begins it a second time.")
                state = line.after
            if state is not None and state != part.state:
                self._add("chain", part.id, f"The history ends with {state}, it is {part.state}.")

    def _fences(self) -> None:
        """Who raised a fence last holds it; nobody else may write as the owner."""
        for part in self.facts.parts:
            holder: str | None = None
            fences: tuple[int, ...] | None = None
            for line in self.of_part[part.id]:
                if line.writer is None:
                    continue
                if fences is not None and any(
                    new < old for new, old in zip(line.fences, fences, strict=False)
                ):
                    text = f"{line.event} by {line.writer} took the fence back to {line.fences}."
                    self._add("fenced", part.id, text)
                if line.fences != fences:
                    holder, fences = line.writer, line.fences
                elif line.event in BY_OWNER and line.writer != holder:
                    text = f"{line.event} was written by {line.writer}; {holder} held it."
                    self._add("fenced", part.id, text)

    def _announced(self) -> None:
        """The k-th request of an account comes after its k-th SENDING."""
        sends: dict[str, list[int]] = defaultdict(list)
        for line in self.facts.lines:
            if line.event == "send":
                sends[line.account].append(line.at)
        made = self.facts.creates or self.facts.accepted
        for account in {create.account for create in made}:
            ready = sorted(sends[account])
            for number, at in enumerate(sorted(c.at for c in made if c.account == account)):
                if number >= len(ready) or ready[number] > at:
                    said = sum(1 for one in ready if one <= at)
                    text = f"Request {number + 1} at {at} follows {said} SENDING lines."
                    self._add("unannounced", account, text)

    # Which post belongs to which part

    def _assign(self) -> dict[str, list[Accepted]]:
        """By remote id, by key, then by text: texts may repeat, so a part that still lacks its
        post comes before one that has it."""
        posts: dict[str, list[Accepted]] = defaultdict(list)
        by_id = {(p.account, p.remote_id): p for p in self.facts.parts if p.remote_id}
        by_key = {(p.account, p.key): p for p in self.facts.parts if p.key}
        left: list[Accepted] = []
        for post in sorted(self.facts.accepted, key=lambda post: post.at):
            known = by_id.get((post.account, post.remote_id))
            keyed = by_key.get((post.account, post.key)) if post.key else None
            if keyed is not None and keyed.text == post.text:
                posts[keyed.id].append(post)
            elif known is not None and known.text == post.text:
                posts[known.id].append(post)
            else:
                left.append(post)
        for post in left:
            same = [
                part
                for part in self.facts.parts
                if (part.account, part.text) == (post.account, post.text)
            ]
            if not same:
                self._add("unexplained", post.remote_id, f"No part says {post.text[:60]!r}.")
                continue
            best = min(same, key=lambda part: self._distance(part, post, posts[part.id]))
            posts[best.id].append(post)
        return posts

    def _distance(
        self, part: PartFact, post: Accepted, has: Sequence[Accepted]
    ) -> tuple[bool, bool, bool, int]:
        sends = [line.at for line in self.of_part[part.id] if line.event == "send"]
        earlier = [at for at in sends if at <= post.at]
        nearest = post.at - earlier[-1] if earlier else 0
        return (not earlier, len(earlier) <= len(has), bool(has), nearest)

    # The verdict on each part

    def _judge(self, part: PartFact) -> None:
        posts = self.posts.get(part.id, [])
        lines = self.of_part[part.id]
        ids = tuple(post.remote_id for post in posts)
        if len(posts) > 1:
            self._add("duplicate", part.id, f"Accepted {len(posts)} times: {', '.join(ids)}.")
        asked = part.state == "UNCERTAIN" or any(line.event == "ask" for line in lines)
        if asked and self.may_ask is not None and part.id not in self.may_ask:
            self._add("question", part.id, "A person was asked, and its class needs none.")
        self._sent_before(part, posts, lines)
        explanation = self._explain(part, posts, lines)
        self.verdicts.append(Verdict(part.id, part.state, ids, explanation))

    def _sent_before(
        self, part: PartFact, posts: Iterable[Accepted], lines: Iterable[Line]
    ) -> None:
        sends = [line.at for line in lines if line.event == "send"]
        for post in posts:
            if not any(at <= post.at for at in sends):
                self._add("unannounced", part.id, f"{post.remote_id} came before any SENDING.")

    def _explain(self, part: PartFact, posts: Sequence[Accepted], lines: Sequence[Line]) -> str:
        state = part.state
        if state == "LIVE":
            return self._explain_live(part, posts)
        if state in GONE:
            word = lines[-1].event if lines else "nothing"
            if posts and word == "give_up":
                return "A person gave it up, whatever became of it."
            if posts:
                text = f"{state} by {word}, and live as {posts[0].remote_id}."
                self._add("recorded_failed", part.id, text)
                return text
            return f"{state} by {word}; nothing is live."
        if state == "UNCERTAIN":
            if not part.asked:
                self._add("lost", part.id, "UNCERTAIN without a question.")
            return f"A person is asked; {len(posts)} live."
        if state == "HELD":
            return self._explain_held(part)
        waits = self.now is not None and part.waits_until > self.now
        if waits and state in ("SCHEDULED", "IN_DOUBT"):
            return f"{state}; it waits until {part.waits_until}."
        text = f"It stays {state}, and nobody was asked; {len(posts)} live."
        self._add("lost", part.id, text)
        return text

    def _explain_live(self, part: PartFact, posts: Sequence[Accepted]) -> str:
        ids = [post.remote_id for post in posts]
        if not ids:
            self._add("phantom", part.id, f"LIVE as {part.remote_id}; nothing was accepted.")
            return "LIVE without a post."
        if part.remote_id is not None and part.remote_id not in ids:
            self._add("phantom", part.id, f"LIVE as {part.remote_id}, but it is {', '.join(ids)}.")
            return "LIVE under another post's id."
        return f"LIVE as {part.remote_id or ids[0]}."

    def _explain_held(self, part: PartFact) -> str:
        before = [
            other
            for other in self.facts.parts
            if other.delivery == part.delivery and other.position < part.position
        ]
        posts = self.posts.get(part.id, [])
        if posts:
            self._add("recorded_failed", part.id, f"HELD, and live as {posts[0].remote_id}.")
        if part.held_reason == "earlier_part" and all(o.state == "LIVE" for o in before):
            self._add("lost", part.id, "HELD for a part before it, and all of them are live.")
        return f"HELD ({part.held_reason})."

    # Threads

    def _order(self) -> None:
        threads: dict[str, list[PartFact]] = defaultdict(list)
        for part in self.facts.parts:
            threads[part.delivery].append(part)
        for thread in threads.values():
            thread.sort(key=lambda part: part.position)
            for first, second in itertools.pairwise(thread):
                self._follows(first, second)

    def _follows(self, first: PartFact, second: PartFact) -> None:
        live = [line.id for line in self.of_part[first.id] if line.after == "LIVE"]
        sent = [line.id for line in self.of_part[second.id] if line.event == "send"]
        if sent and (not live or min(sent) < min(live)):
            self._add("order", second.id, f"It was sent before {first.id} was live.")
        parents = [post.remote_id for post in self.posts.get(first.id, [])]
        for post in self.posts.get(second.id, []):
            if post.parent not in parents:
                text = f"{post.remote_id} answers {post.parent}; {first.id} is {parents}."
                self._add("order", second.id, text)

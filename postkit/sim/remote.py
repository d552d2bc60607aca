"""The network's side: what it has accepted, and what is still on its way to it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from .classes import Class
from .clock import SECOND

Content = tuple[str, str | None, str | None]
"""Text, the picture's key and the id of the post that it answers: what a reader could tell
apart."""


@dataclass(frozen=True, slots=True)
class Post:
    """``part`` is None for what another program or a person has posted."""

    id: str
    account: str
    content: Content
    at: int
    visible_at: int
    part: str | None
    key: str | None


@dataclass(slots=True)
class Request:
    """One create request; ``acts_at`` is None where it gets lost."""

    part: str
    account: str
    content: Content
    key: str
    written_at: int
    acts_at: int | None
    lag: int
    post: Post | None = None
    is_duplicate: bool = False
    outside: bool = False
    """Whether it acts later than the class's quiet window allows for."""


@dataclass(slots=True)
class Remote:
    """All accounts of one network. Times are true microseconds."""

    kind: Class
    told: Callable[[str], None]
    posts: list[Post] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _keys: dict[tuple[str, str], tuple[Post, int]] = field(default_factory=dict)
    _pending: list[tuple[int, int, Request]] = field(default_factory=list)

    def receive(self, request: Request) -> None:
        """A request has been written; it acts when its time comes."""
        self.requests.append(request)
        if request.acts_at is not None:
            heapq.heappush(self._pending, (request.acts_at, len(self.requests), request))

    def settle(self, now: int) -> None:
        """Let everything act that has come by now."""
        while self._pending and self._pending[0][0] <= now:
            at, _, request = heapq.heappop(self._pending)
            self._act(request, at)

    def next_at(self) -> int | None:
        return self._pending[0][0] if self._pending else None

    def on_its_way(self, part: str) -> list[Request]:
        """Requests of a part that have not acted yet."""
        return [request for _, _, request in self._pending if request.part == part]

    def _act(self, request: Request, at: int) -> None:
        kind = self.kind
        if kind.kind in ("key", "probe"):
            known = self._keys.get((request.account, request.key))
            if known is not None and at < known[1]:
                request.post = known[0]
                self.told(f"the network knows the key of {request.part} as {known[0].id}")
                return
        if kind.kind == "duplicate_refusal" and request.content[1] is None and kind.ttl:
            oldest = at - int(kind.ttl * SECOND)
            for post in self.posts:
                same = post.account == request.account and post.content[0] == request.content[0]
                if same and post.at >= oldest and post.at <= at and post.content[1] is None:
                    request.is_duplicate = True
                    self.told(f"the network refuses {request.part} as a duplicate of {post.id}")
                    return
        post = self.add(
            request.account, request.content, at, request.lag, request.part, request.key
        )
        request.post = post
        if kind.kind in ("key", "probe"):
            lives = int(kind.ttl * SECOND) if kind.ttl else 1 << 60
            self._keys[request.account, request.key] = (post, at + lives)

    def add(
        self,
        account: str,
        content: Content,
        at: int,
        lag: int = 0,
        part: str | None = None,
        key: str | None = None,
    ) -> Post:
        post = Post(f"r{len(self.posts) + 1}", account, content, at, at + lag, part, key)
        self.posts.append(post)
        self.told(f"the network has {post.id}: {part or 'not ours'}, {content[0]!r}")
        return post

    def listed(self, account: str, since: int, now: int) -> list[Post]:
        """What a list shows that was made since then; what is indexed later is not in it."""
        return [
            post
            for post in self.posts
            if post.account == account and post.at >= since and post.visible_at <= now
        ]

    def keyed(self, account: str, key: str, now: int) -> Post | None:
        known = self._keys.get((account, key))
        return known[0] if known is not None and known[0].at <= now else None

    def of_part(self, part: str) -> list[Post]:
        return [post for post in self.posts if post.part == part]

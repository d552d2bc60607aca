"""What readers would see: the live posts of all networks, in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postkit.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds by which a fault holds back the post that is being made."""

    live: float = 0.0
    listed: float = 0.0


delay: ContextVar[Delay | None] = ContextVar("delay", default=None)
"""Set by the core around a create request, read by ``Timeline.add``; emulators ignore it."""


@dataclass(frozen=True, slots=True)
class TextLink:
    """``text[start:end]`` (code points) leads to ``href``, which is shown only if http(s)."""

    start: int
    end: int
    href: str


@dataclass(frozen=True, slots=True)
class ShownMedia:
    """An image of a post; its bytes are in ``World.media`` under ``sha256``. Pixels."""

    sha256: str
    mime: str
    width: int
    height: int
    alt: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ShownPoll:
    options: tuple[str, ...]
    multiple: bool = False
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShownCard:
    """What a link card says beside the link itself."""

    title: str
    description: str = ""
    image: ShownMedia | None = None


@dataclass(frozen=True, slots=True)
class LivePost:
    """One post as its readers see it.

    ``account`` is the handle that lists filter by, ``author`` the name on the page (default:
    the handle). ``text`` is plain, never HTML. ``links`` are the clickable ranges of ``text``;
    None lets the page find http(s) addresses itself. ``parent`` is the id of the post that this
    one replies to, ``link`` the address of a link card or link post, ``card`` what the card says
    where the client built it, ``url`` the permalink.
    ``extra`` is the emulator's own. The timeline fills ``created_at`` where it is left out, and
    ``live_at`` and ``listed_at``: before these the post does not exist, or is not in lists.
    """

    network: str
    id: str
    account: str
    text: str = ""
    author: str = ""
    links: tuple[TextLink, ...] | None = None
    media: tuple[ShownMedia, ...] = ()
    parent: str | None = None
    title: str | None = None
    link: str | None = None
    card: ShownCard | None = None
    target: str | None = None
    content_warning: str | None = None
    language: str | None = None
    visibility: str | None = None
    replies: str | None = None
    tags: tuple[str, ...] = ()
    """Those beside the text; hashtags of the text are not among them."""
    poll: ShownPoll | None = None
    url: str | None = None
    created_at: datetime = _EPOCH
    live_at: datetime = _EPOCH
    listed_at: datetime = _EPOCH
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What ``GET /_postkit/posts`` shows: everything but ``extra``."""
        poll = self.poll and {
            "options": list(self.poll.options),
            "multiple": self.poll.multiple,
            "ends_at": self.poll.ends_at and self.poll.ends_at.isoformat(),
        }
        return {
            "network": self.network,
            "id": self.id,
            "account": self.account,
            "text": self.text,
            "media": [
                {
                    "sha256": media.sha256,
                    "mime": media.mime,
                    "width": media.width,
                    "height": media.height,
                    "alt": media.alt,
                }
                for media in self.media
            ],
            "parent": self.parent,
            "title": self.title,
            "link": self.link,
            "card": self.card
            and {
                "title": self.card.title,
                "description": self.card.description,
                "image": self.card.image and self.card.image.sha256,
            },
            "target": self.target,
            "content_warning": self.content_warning,
            "language": self.language,
            "visibility": self.visibility,
            "replies": self.replies,
            "tags": list(self.tags),
            "poll": poll,
            "url": self.url,
            "created_at": self.created_at.isoformat(),
        }


_Posts = list[LivePost]  # a name of its own: inside Timeline, list is a method


class Timeline:
    """All posts. Safe to use from the server's loop and from a test's thread at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._posts: dict[tuple[str, str], LivePost] = {}

    def add(self, post: LivePost, *, after: float = 0.0) -> LivePost:
        """Make a post live, now or when the fault at work lets it; the post as it was stored.

        ``after``: seconds that the network itself takes before. A second post of the same
        network and id replaces the first.
        """
        now = self._clock.now()
        held = delay.get() or Delay()
        live = now + timedelta(seconds=held.live + after)
        created = now if post.created_at == _EPOCH else post.created_at
        post = replace(
            post,
            created_at=max(created, live) if live > now else created,
            live_at=live,
            listed_at=live + timedelta(seconds=held.listed),
        )
        with self._lock:
            self._posts[post.network, post.id] = post
        return post

    def get(self, network: str, id: str) -> LivePost | None:  # noqa: A002 - the field's name
        """The live post of that id, whether lists show it or not."""
        with self._lock:
            post = self._posts.get((network, id))
        return post if post is not None and post.live_at <= self._clock.now() else None

    def hasten(self, network: str, id: str) -> LivePost | None:  # noqa: A002
        """The post of that id, made live now if it was still on its way.

        For a repeated create with the same key: the repeat arrives first, and the late
        original then finds the key used.
        """
        with self._lock:
            post = self._posts.get((network, id))
            if post is None:
                return None
            now = self._clock.now()
            if post.live_at > now:
                post = replace(post, live_at=now, listed_at=now, created_at=now)
                self._posts[network, id] = post
            return post

    def pending(self, network: str, account: str) -> _Posts:
        """The posts that were received and are not live yet, oldest first.

        For a network that refuses what it was asked before: it compares with these too.
        """
        now = self._clock.now()
        with self._lock:
            posts = list(self._posts.values())
        return [
            p for p in posts if (p.network, p.account) == (network, account) and p.live_at > now
        ]

    def update(self, post: LivePost) -> None:
        """Store an edited post; its times stay. Raises KeyError where there is none."""
        with self._lock:
            old = self._posts[post.network, post.id]
            self._posts[post.network, post.id] = replace(
                post, created_at=old.created_at, live_at=old.live_at, listed_at=old.listed_at
            )

    def delete(self, network: str, id: str) -> LivePost | None:  # noqa: A002
        """Remove a live post and return it; None where there was none."""
        with self._lock:
            post = self.get(network, id)
            if post is not None:
                del self._posts[network, id]
            return post

    def list(self, network: str | None = None, account: str | None = None) -> _Posts:
        """What the network's lists show, newest first: live, and past any index lag."""
        now = self._clock.now()
        return [post for post in self.live(network, account) if post.listed_at <= now]

    def live(self, network: str | None = None, account: str | None = None) -> _Posts:
        """Every live post, newest first, whether lists show it yet or not."""
        now = self._clock.now()
        with self._lock:
            posts = list(self._posts.values())
        # Reversed first: of two posts with one time stamp, the later one is the newer.
        found = [
            post
            for post in reversed(posts)
            if post.live_at <= now
            and network in (None, post.network)
            and account in (None, post.account)
        ]
        return sorted(found, key=lambda post: post.live_at, reverse=True)

    def replies(self, network: str, id: str) -> _Posts:  # noqa: A002
        """The posts in lists that answer this one, oldest first."""
        return [post for post in reversed(self.list(network)) if post.parent == id]

    def clear(self) -> None:
        with self._lock:
            self._posts.clear()

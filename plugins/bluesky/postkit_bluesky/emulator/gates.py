"""Reply gates: written with their post, and left behind where the post alone is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postkit.emulator.timeline import LivePost
from postkit.emulator.world import World

NETWORK = "bluesky"
GATES = "app.bsky.feed.threadgate"
_WORDS = {"followerRule": "followers", "followingRule": "following", "mentionRule": "mentioned"}

Row = dict[str, Any]


class Gates:
    """The records of ``app.bsky.feed.threadgate``, by key. A gate is as live as its post."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orphans: dict[str, Row] = {}

    def clear(self) -> None:
        self._orphans.clear()

    def get(self, rkey: str) -> Row | None:
        return self.all().get(rkey)

    def all(self) -> dict[str, Row]:
        posts = self._world.timeline.list(NETWORK)
        kept = {key_of(post): gate for post in posts if (gate := post.extra.get("gate"))}
        return {**self._orphans, **kept}

    def leave(self, post: LivePost) -> None:
        """``post`` is deleted, and its gate is not."""
        if gate := post.extra.get("gate"):
            self._orphans[key_of(post)] = gate

    def forget(self, rkey: str) -> bool:
        return self._orphans.pop(rkey, None) is not None


def replies_of(gate: Mapping[str, Any] | None) -> str:
    """Who may reply, in postkit's words; several rules are joined."""
    allowed = None if gate is None else gate.get("allow")
    if not isinstance(allowed, list):
        return "everyone"
    named = [rule.get("$type") if isinstance(rule, dict) else rule for rule in allowed]
    kinds = [str(name).rpartition("#")[2] for name in named]
    return ", ".join(_WORDS.get(kind, kind) for kind in kinds) or "nobody"


def key_of(post: LivePost) -> str:
    return post.id.rpartition("/")[2]

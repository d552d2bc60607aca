"""One network's emulator and Kit, used for one post after the other."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from postkit.emulator.server import EmulatorServer
from postkit.emulator.timeline import LivePost
from postkit.errors import PlanRefused
from postkit.kit import Kit
from postkit.limits.model import Limits
from postkit.network import Network
from postkit.plan import Wishes
from postkit.plugins import Plugins
from postkit.post import Post
from postkit.report import DeliveryReport

ACCOUNT = "emulated"


@dataclass(frozen=True, slots=True)
class Sent:
    """What the report says, and what the emulator holds: posts, oldest first, bytes by their
    SHA-256, and how many requests could have made a post."""

    plan: DeliveryReport
    delivery: DeliveryReport | None
    live: list[LivePost]
    media: Mapping[str, bytes]
    creates: int

    @property
    def report(self) -> DeliveryReport:
        return self.delivery or self.plan


class Bench:
    """Close it with its Kit. ``name`` is the network's."""

    def __init__(self, name: str, home: Path) -> None:
        [emulator] = [kind for kind in Plugins().emulators() if kind.network == name]
        self._name = name
        self._bytes: dict[str, bytes] = {}
        self.server = EmulatorServer([emulator])
        self.kit = Kit(home=home, key=os.urandom(32))
        [mine] = self.server.accounts()
        account, problem = self.kit.connect(
            name, mine.credentials, name=ACCOUNT, endpoint=mine.endpoint
        )
        assert problem is None, problem
        target = emulator.sample_target
        self.address = f"{name}:{ACCOUNT}" + (f"/{target}" if target else "")
        self.network: Network[Any] = self.kit.plugins.network(name)
        self.limits: Limits = self.network.limits_for(account)

    def close(self) -> None:
        self.kit.close()
        self.server.close()

    def send(self, post: Post, *, numbering: bool = False) -> Sent:
        """Publish to an empty network that counts no calls from before."""
        self.server.reset()
        with sqlite3.connect(self.kit.home.store_path) as store:
            store.execute("DELETE FROM budget")
        store.close()
        wishes = Wishes(again=True, numbering=numbering)
        plan = self.kit.plan(post, [self.address], wishes=wishes).report.deliveries[0]
        delivery = None
        with contextlib.suppress(PlanRefused):
            delivery = self.kit.publish(post, [self.address], wishes=wishes).deliveries[0]
        creates = [entry for entry in self.server.requests(self._name) if entry.create]
        live = self.server.posts(self._name)
        return Sent(plan, delivery, live, self._media(live), len(creates))

    def bare(self) -> LivePost:
        """A post of one word: what the network says of every post."""
        title = "x" if self.limits.title_required else None
        [post] = self.send(Post("Bare", title=title)).live
        return replace(post, title=None)

    def _media(self, live: list[LivePost]) -> dict[str, bytes]:
        found = {}
        for sha256 in {media.sha256 for post in live for media in post.media}:
            stored = self.server.world.media.get(sha256)
            assert stored is not None, f"The emulator shows {sha256}, and does not have it."
            # Many posts show the same picture: one copy of it is enough.
            found[sha256] = self._bytes.setdefault(sha256, stored.data)
        return found

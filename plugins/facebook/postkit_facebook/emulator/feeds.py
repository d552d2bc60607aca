"""The Pages' posts, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from postkit.emulator.timeline import LivePost, ShownMedia
from postkit.emulator.world import World

from .owners import PAGE, PAGES, Owner
from .photos import Photos
from .posts import attachments, stamp

NETWORK = "facebook"


class Feeds:
    """``root`` is where the emulated network is."""

    def __init__(self, world: World, photos: Photos, root: Callable[[], str]) -> None:
        self._world = world
        self._photos = photos
        self._root = root

    def node(self, page: Owner) -> Mapping[str, str]:
        return {**page.node, "link": f"{self._world.base_url}/#{NETWORK}"}

    def add(
        self,
        page: Owner,
        message: str,
        *,
        link: str | None = None,
        photo_ids: Sequence[str] = (),
    ) -> LivePost:
        number = 330_000_000_000_000 + self._world.number()
        return self._world.timeline.add(
            LivePost(
                NETWORK,
                f"{page.id}_{number}",
                account=page.id,
                author=page.node["name"],
                text=message,
                media=self._photos.attach(photo_ids),
                link=link,
                url=f"{self._root()}/{page.id}/posts/{number}",
            )
        )

    def show(self, text: str, title: str | None, video: ShownMedia, processing: float) -> LivePost:
        """A video of the first Page, live after ``processing`` seconds."""
        number = 330_000_000_000_000 + self._world.number()
        return self._world.timeline.add(
            LivePost(
                NETWORK,
                f"{PAGE.id}_{number}",
                account=PAGE.id,
                author=PAGE.node["name"],
                text=text,
                title=title,
                media=(video,),
                url=f"{self._root()}/{PAGE.id}/videos/{video.id}/",
            ),
            after=processing,
        )

    def row(self, post: LivePost) -> dict[str, Any]:
        return {
            "id": post.id,
            "message": post.text or None,
            "created_time": stamp(post.created_at),
            "permalink_url": post.url,
            "attachments": attachments(post),
            "from": {"id": post.account, "name": PAGES[post.account].node["name"]},
            "is_published": True,
        }

"""Submissions: what is asked for, judged in Reddit's way, and made live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from postkit.emulator.timeline import LivePost, ShownMedia, ShownPoll
from postkit.emulator.world import World

from .answers import NO_TEXT, USER, in_band
from .communities import Community
from .markup import shown
from .uploads import Lease, Uploads

MAX_TITLE = 300
MAX_TEXT = 40_000
MAX_CAPTION = 180
MAX_OPTION = 120
OPTIONS = (2, 6)
DAYS = (1, 7)
GALLERY = (2, 20)
FIRST_ID = 36**6
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One submission that a client asks for."""

    kind: str
    subreddit: str
    title: str
    text: str = ""
    url: str = ""
    poster: str = ""
    items: tuple[Mapping[str, Any], ...] = ()
    options: tuple[str, ...] = ()
    days: int = 0
    flair_id: str = ""
    nsfw: bool = False
    spoiler: bool = False
    sendreplies: bool = True
    resubmit: bool = True


def wanted(kind: str, data: Mapping[str, Any]) -> Wanted:
    items, options = data.get("items"), data.get("options")
    days = data.get("duration")
    return Wanted(
        kind=kind,
        subreddit=str(data.get("sr") or ""),
        title=str(data.get("title") or "").strip(),
        text=str(data.get("text") or ""),
        url=str(data.get("url") or "").strip(),
        poster=str(data.get("video_poster_url") or "").strip(),
        items=tuple(item for item in items if isinstance(item, Mapping))
        if isinstance(items, list)
        else (),
        options=tuple(str(option) for option in options) if isinstance(options, list) else (),
        days=days if type(days) is int else 0,
        flair_id=str(data.get("flair_id") or ""),
        nsfw=_truth(data.get("nsfw")),
        spoiler=_truth(data.get("spoiler")),
        sendreplies=_truth(data.get("sendreplies", True)),
        resubmit=_truth(data.get("resubmit", True)),
    )


class Submissions:
    """Makes them live. ``root`` is the address of the emulated site."""

    def __init__(self, world: World, uploads: Uploads, root: str) -> None:
        self._world = world
        self._uploads = uploads
        self._root = root

    def make(self, ask: Wanted, processing: float = 0.0) -> LivePost | None:
        """The post, live after ``processing`` seconds, or None where its medium cannot be
        processed. Raises Refusal."""
        community = Community(ask.subreddit)
        community.check(ask.kind)
        _check_texts(ask)
        flair = community.flair(ask.flair_id)
        link = self._link(ask) if ask.kind == "link" else None
        media = self._media(ask)
        if media is None:
            return None
        number = _base36(FIRST_ID + self._world.number())
        permalink = f"/{community.path}/comments/{number}/{_slug(ask.title)}/"
        url = f"{self._root}{permalink}"
        captions = tuple(str(item.get("caption") or "") for item in ask.items)
        address = {
            "link": link,
            "image": f"https://i.redd.it/{media[0].id}.{media[0].mime[6:]}" if media else None,
            "video": f"https://v.redd.it/{media[0].id}" if media else None,
            "gallery": f"https://www.reddit.com/gallery/{number}",
        }.get(ask.kind) or url
        text = shown(ask.text)
        under = "\n".join(caption for caption in captions if caption)
        extra = {
            "kind": ask.kind,
            "subreddit": ask.subreddit,
            "source": ask.text,
            "url": address,
            "permalink": permalink,
            "captions": captions,
            "nsfw": ask.nsfw,
            "spoiler": ask.spoiler,
            "sendreplies": ask.sendreplies,
            "resubmit": ask.resubmit,
            "flair_id": flair.id if flair else None,
            "flair_text": flair.text if flair else None,
            "domain": (urlsplit(address).hostname or "")
            if ask.kind not in ("self", "poll")
            else f"self.{ask.subreddit}",
        }
        warnings = [word for word, on in (("NSFW", ask.nsfw), ("Spoiler", ask.spoiler)) if on]
        return self._world.timeline.add(
            LivePost(
                "reddit",
                f"t3_{number}",
                account=USER,
                author=f"u/{USER}",
                title=ask.title,
                text="\n\n".join(piece for piece in (text, under) if piece),
                link=link,
                media=media,
                target=community.path.replace("user/", "u/"),
                poll=self._poll(ask),
                content_warning=", ".join(warnings) or None,
                url=url,
                extra=extra,
            ),
            after=processing,
        )

    def _poll(self, ask: Wanted) -> ShownPoll | None:
        if ask.kind != "poll":
            return None
        return ShownPoll(ask.options, ends_at=self._world.clock.now() + timedelta(days=ask.days))

    def _link(self, ask: Wanted) -> str:
        if not ask.url:
            raise in_band("NO_URL", "a url is required", "url")
        parts = urlsplit(ask.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise in_band("BAD_URL", "you should check that url", "url")
        known = any(
            post.link == ask.url and post.extra["subreddit"].lower() == ask.subreddit.lower()
            for post in self._world.timeline.live("reddit")
        )
        if known and not ask.resubmit:
            raise in_band("ALREADY_SUB", "that link has already been submitted", "url")
        return ask.url

    def _media(self, ask: Wanted) -> tuple[ShownMedia, ...] | None:
        if ask.kind == "image":
            picture = self._uploads.picture(self._upload(ask.url, "url", video=False))
            return (picture,) if picture else None
        if ask.kind == "video":
            poster = self._upload(ask.poster, "video_poster_url", video=False)
            video = self._uploads.video(self._upload(ask.url, "url", video=True))
            return (video,) if video and self._uploads.picture(poster) else None
        pictures = []
        for item in ask.items:
            lease = self._uploads.asset(str(item.get("media_id") or ""))
            picture = self._uploads.picture(lease) if lease else None
            if picture is None:
                raise in_band("INVALID_MEDIA", "one of the pictures is not there", "items")
            pictures.append(picture)
        return tuple(pictures)

    def _upload(self, url: str, name: str, *, video: bool) -> Lease:
        lease = self._uploads.at(url)
        if lease is None or lease.is_video != video:
            raise in_band("BAD_URL", "you should check that url", name)
        return lease


def _check_texts(ask: Wanted) -> None:
    if not ask.title:
        raise in_band(*NO_TEXT, "title")
    if len(ask.title) > MAX_TITLE:
        raise in_band("TOO_LONG", f"this is too long (max: {MAX_TITLE})", "title")
    if len(ask.text) > MAX_TEXT:
        raise in_band("TOO_LONG", f"this is too long (max: {MAX_TEXT})", "text")
    if ask.kind == "gallery" and not GALLERY[0] <= len(ask.items) <= GALLERY[1]:
        raise in_band("BAD_GALLERY_SIZE", f"a gallery has {GALLERY[0]} to {GALLERY[1]}", "items")
    if ask.kind == "poll":
        _check_poll(ask)
    for item in ask.items:
        if len(str(item.get("caption") or "")) > MAX_CAPTION:
            raise in_band("TOO_LONG", f"this is too long (max: {MAX_CAPTION})", "items")


def _check_poll(ask: Wanted) -> None:
    """The bounds are praw's; the codes and words are guesses."""
    if not OPTIONS[0] <= len(ask.options) <= OPTIONS[1]:
        raise in_band("BAD_POLL_OPTIONS", f"a poll has {OPTIONS[0]} to {OPTIONS[1]}", "options")
    for option in ask.options:
        if not option.strip():
            raise in_band(*NO_TEXT, "options")
        if len(option) > MAX_OPTION:
            raise in_band("TOO_LONG", f"this is too long (max: {MAX_OPTION})", "options")
    if not DAYS[0] <= ask.days <= DAYS[1]:
        raise in_band("BAD_POLL_DURATION", f"a poll has {DAYS[0]} to {DAYS[1]} days", "duration")


def _truth(value: object) -> bool:
    return value is True or str(value).lower() in ("true", "1", "on")


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:50] or "_"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"

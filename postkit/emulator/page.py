"""The page at ``/``: every network's timeline as its readers would see it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from postkit.pages.card import card_style
from postkit.pages.markup import Markup, escape

from .base import Emulator
from .post_card import post_card
from .timeline import LivePost
from .world import World

NEWEST = 100
"""Threads of a network that the page shows; a telephone would not scroll through more."""
_PUBLISH = 'postkit publish --text "Hello" --to {address}'


class Page:
    """Renders HTML without scripts; every text is escaped, and the policy forbids the rest."""

    def __init__(self, world: World, emulators: Mapping[str, Emulator]) -> None:
        self._world = world
        self._emulators = emulators
        # Kept apart by name: the style is inline, and the policy admits this one by its hash.
        own = files("postkit.emulator").joinpath("page.css").read_text("utf-8")
        self._style = card_style() + own

    def answer(self, request: Request) -> Response:
        """The page for ``/``, a 404 page for all else."""
        if request.url.path == "/" and request.method in ("GET", "HEAD"):
            return self.timelines()
        return self._html("Not found", _missing(request.url.path), 404)

    def post(self, post: LivePost) -> Response:
        """The page of one post: its thread alone."""
        emulator = self._emulators[post.network]
        live = {other.id: other for other in self._world.timeline.live(post.network)}
        root = post
        seen = {root.id}
        while root.parent in live and root.parent not in seen:
            root = live[root.parent]
            seen.add(root.id)
        chain = [thread for thread in _threads(list(live.values())) if root in thread]
        body = self._section(emulator, chain or [[post]])
        back = Markup('<p class="back"><a href="/">All timelines</a></p>')
        return self._html(f"{post.account} on {emulator.title}", Markup(back + body), 200, "one")

    def timelines(self) -> Response:
        """Every network's timeline."""
        timeline = self._world.timeline
        sections = [
            self._section(one, _threads(timeline.live(name)), NEWEST)
            for name, one in self._emulators.items()
        ]
        empty = Markup('<p class="empty">No network is emulated here.</p>')
        body = Markup("".join(sections)) if sections else empty
        count = len(timeline.live())
        return self._html("Timelines", body, 200, "many", count)

    def _section(
        self, emulator: Emulator, threads: Sequence[list[LivePost]], most: int | None = None
    ) -> Markup:
        now = self._world.clock.now()
        cards = "".join(_thread(thread, now) for thread in threads[:most])
        if older := sum(map(len, threads[most:] if most else ())):
            cards += (
                f'<p class="older">{older} older, '
                f'<a href="/_postkit/posts?network={escape(emulator.network)}">as JSON</a></p>'
            )
        name = escape(emulator.network)
        return Markup(
            f'<section id="{name}" aria-labelledby="{name}-title">'
            f'<h2 id="{name}-title">{escape(emulator.title)}</h2>'
            f"{cards or _empty(emulator)}</section>"
        )

    def _html(
        self, title: str, body: Markup, status: int, layout: str = "one", count: int | None = None
    ) -> Response:
        told = "" if count is None else f"<p>{_counted(count, len(self._emulators))}</p>"
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{escape(title)} - postkit emulator</title><style>{self._style}</style></head>"
            f'<body><header><h1><a href="/">postkit <span>emulator</span></a></h1>{told}</header>'
            f'<main class="{layout}">{body}</main></body></html>'
        )
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; img-src 'self'; media-src 'self'; style-src 'sha256-{digest}'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        # A lone surrogate may come in through JSON; it cannot be encoded.
        content = page.encode("utf-8", "replace")
        return Response(content, status, headers, media_type="text/html")


def _threads(posts: list[LivePost]) -> list[list[LivePost]]:
    """Posts grouped into threads: the newest thread first, each from its first post on."""
    live = {post.id for post in posts}
    children: dict[str, list[LivePost]] = {}
    roots: list[LivePost] = []
    for post in posts:
        if post.parent in live and post.parent != post.id:
            children.setdefault(str(post.parent), []).append(post)
        else:
            roots.append(post)
    threads = []
    for root in roots:
        thread: list[LivePost] = []
        waiting = [root]
        while waiting:
            post = waiting.pop()
            thread.append(post)
            waiting.extend(children.pop(post.id, []))
        threads.append(thread)
    return threads


def _thread(thread: list[LivePost], now: datetime) -> str:
    kind = "thread joined" if len(thread) > 1 else "thread"
    cards = "".join(f"<li>{post_card(post, now)}</li>" for post in thread)
    return f'<ol class="{kind}">{cards}</ol>'


def _empty(emulator: Emulator) -> str:
    address = f"{emulator.network}:emulated"
    if emulator.sample_target:
        address += f"/{emulator.sample_target}"
    command = escape(_PUBLISH.format(address=address))
    return (
        '<div class="empty"><p><strong>Nothing is published yet.</strong></p>'
        f"<p>Connect with <code>postkit emulate --connect</code>, then:</p>"
        f"<pre><code>{command}</code></pre></div>"
    )


def _missing(path: str) -> Markup:
    return Markup(
        '<div class="empty"><p><strong>There is no page here.</strong></p>'
        f"<p><code>{escape(path)}</code> names nothing that is live. "
        'The timelines are at <a href="/">the start page</a>.</p></div>'
    )


def _counted(posts: int, networks: int) -> str:
    live = "1 live post" if posts == 1 else f"{posts} live posts"
    where = "1 network" if networks == 1 else f"{networks} networks"
    return f"{live} on {where}. Nothing here leaves this machine."

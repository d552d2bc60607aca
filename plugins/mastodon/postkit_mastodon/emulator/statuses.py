"""Statuses: written under the server's rules, listed, read, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.timeline import LivePost, ShownPoll
from postkit.emulator.world import World

from ..languages import LANGUAGES
from . import answers
from .answers import error, invalid, not_emulated, not_found
from .form import PollForm, StatusForm, read_status
from .media import Uploads

KEY_SECONDS = 3600
"""How long an Idempotency-Key is kept (docs, methods/statuses: up to one hour)."""
_VISIBILITIES = ("public", "unlisted", "private", "direct")
_LISTED, _MOST_LISTED = 20, 40


class Statuses:
    """``setting`` reads a setting of the emulator by its name."""

    def __init__(
        self, network: str, world: World, uploads: Uploads, setting: Callable[[str], Any]
    ) -> None:
        self._network = network
        self._world = world
        self._uploads = uploads
        self._setting = setting
        self._keys: dict[str, tuple[str, datetime]] = {}

    def clear(self) -> None:
        self._keys.clear()

    @property
    def root(self) -> str:
        return f"{self._world.base_url}/{self._network}"

    def count(self) -> int:
        return len(self._world.timeline.live(self._network))

    async def create(self, request: Request) -> Response:
        """POST /api/v1/statuses."""
        key = request.headers.get("idempotency-key")
        if key and self._setting("idempotency") and (known := self._repeated(key)):
            return JSONResponse(self.entity(known))
        form = await read_status(request)
        post = self._judged(form)
        self._uploads.take(post.media)
        post = self._world.timeline.add(post)
        if key:
            expires = self._world.clock.now() + timedelta(seconds=KEY_SECONDS)
            self._keys[key] = (post.id, expires)
        return JSONResponse(self.entity(post))

    async def show(self, request: Request) -> Response:
        return JSONResponse(self.entity(self._find(request)))

    async def source(self, request: Request) -> Response:
        post = self._find(request)
        warning = post.content_warning or ""
        return JSONResponse({"id": post.id, "text": post.text, "spoiler_text": warning})

    async def context(self, request: Request) -> Response:
        post = self._find(request)
        above: list[LivePost] = []
        parent = post.parent and self._world.timeline.get(self._network, post.parent)
        while parent:
            above.insert(0, parent)
            parent = parent.parent and self._world.timeline.get(self._network, parent.parent)
        below: list[LivePost] = []
        waiting = self._world.timeline.replies(self._network, post.id)
        while waiting:
            reply = waiting.pop(0)
            below.append(reply)
            waiting = self._world.timeline.replies(self._network, reply.id) + waiting
        return JSONResponse(
            {
                "ancestors": [self.entity(one) for one in above],
                "descendants": [self.entity(one) for one in below],
            }
        )

    async def delete(self, request: Request) -> Response:
        """DELETE: the status as it was, with its source, to write it anew."""
        post = self._find(request)
        entity = self.entity(post) | {"text": post.text}
        self._world.timeline.delete(self._network, post.id)
        return JSONResponse(entity)

    async def of_account(self, request: Request) -> Response:
        """GET /api/v1/accounts/:id/statuses, newest first."""
        if request.path_params["id"] != answers.ACCOUNT_ID:
            raise not_found()
        query = request.query_params
        if asked := [name for name in ("pinned", "tagged") if query.get(name)]:
            raise not_emulated(f"A list by {asked[0]}")
        posts = sorted(
            self._world.timeline.list(self._network), key=lambda one: int(one.id), reverse=True
        )
        for name, keeps in _PAGING.items():
            if name in query:
                edge = _number(query[name])
                posts = [one for one in posts if keeps(int(one.id), edge)]
        if _on(query.get("exclude_replies")):
            # A thread of one's own replies is no reply to somebody, and stays.
            posts = [one for one in posts if self._parent(one) or not one.parent]
        if _on(query.get("only_media")):
            posts = [one for one in posts if one.media]
        limit = min(_number(query.get("limit", str(_LISTED))) or _LISTED, _MOST_LISTED)
        posts = posts[-limit:] if "min_id" in query else posts[:limit]
        return JSONResponse([self.entity(one) for one in posts])

    def entity(self, post: LivePost) -> dict[str, Any]:
        return answers.status(
            post,
            root=self.root,
            base=self._world.base_url,
            parent=self._parent(post),
            replies=len(self._world.timeline.replies(self._network, post.id)),
            statuses=self.count(),
        )

    def _parent(self, post: LivePost) -> str | None:
        if post.parent is None or not self._world.timeline.get(self._network, post.parent):
            return None
        return post.parent

    def _find(self, request: Request) -> LivePost:
        post = self._world.timeline.get(self._network, request.path_params["id"])
        if post is None:
            raise not_found()
        return post

    def _repeated(self, key: str) -> LivePost | None:
        """The status that this key made within the hour. Raises Refusal if it was deleted."""
        known = self._keys.get(key)
        if known is None or known[1] <= self._world.clock.now():
            return None
        post = self._world.timeline.hasten(self._network, known[0])
        if post is None:
            raise not_found()
        return post

    def _judged(self, form: StatusForm) -> LivePost:
        if form.beyond:
            raise not_emulated(f"A status with {' and '.join(form.beyond)}")
        if form.in_reply_to_id is not None and not self._world.timeline.get(
            self._network, form.in_reply_to_id
        ):
            text = "The post you are trying to reply to does not appear to exist."
            raise error(404, text)
        if form.media_ids and form.poll:
            raise error(422, f"Cannot attach more than {answers.MAX_MEDIA} files")
        media = self._uploads.look(form.media_ids)
        if form.visibility not in _VISIBILITIES:
            raise invalid("Visibility is not included in the list")
        text, warning = form.text, form.spoiler_text
        if not text.strip() and warning and not media:
            text, warning = warning, ""
        if not text.strip() and not media:
            raise invalid("Text can't be blank")
        most = self._setting("max_characters")
        if answers.counter_of_text().count(warning + text) > most:
            raise invalid(f"Text character limit of {most} exceeded")
        now = self._world.clock.now()
        number = (int(now.timestamp() * 1000) << 16) | (self._world.number() & 0xFFFF)
        # An unknown language is no error: the account's own takes its place.
        asked = form.language or ""
        bare = re.split("[_-]", asked)[0]
        language = next((code for code in (asked, bare) if code in LANGUAGES), "en")
        return LivePost(
            network=self._network,
            id=str(number),
            account=f"@{answers.HANDLE}",
            author=answers.NAME,
            text=text,
            media=media,
            parent=form.in_reply_to_id,
            content_warning=warning or None,
            language=language,
            visibility=form.visibility,
            poll=_poll(form.poll, now) if form.poll else None,
            url=f"{self.root}/@{answers.HANDLE}/{number}",
            extra={"sensitive": form.sensitive or bool(warning)},
        )


def _poll(form: PollForm, now: datetime) -> ShownPoll:
    rules = answers.POLL
    problems = []
    if len(form.options) < 2:
        problems.append("Options must have more than one item")
    if len(form.options) > rules["max_options"]:
        problems.append(f"Options can't contain more than {rules['max_options']} items")
    longest = rules["max_characters_per_option"]
    if any(len(option) > longest for option in form.options):
        problems.append(f"Options cannot be longer than {longest} characters each")
    if any(not option.strip() for option in form.options):
        problems.append("Options can't be blank")
    if len(set(form.options)) != len(form.options):
        problems.append("Options contain duplicate items")
    if form.expires_in is None:
        problems.append("Expires at can't be blank")
    elif form.expires_in > rules["max_expiration"]:
        problems.append("Expires at is too far into the future")
    elif form.expires_in < rules["min_expiration"]:
        problems.append("Expires at is too soon")
    if problems:
        raise invalid(*problems)
    return ShownPoll(form.options, form.multiple, now + timedelta(seconds=form.expires_in or 0))


_PAGING: dict[str, Callable[[int, int], bool]] = {
    "since_id": int.__gt__,
    "min_id": int.__gt__,
    "max_id": int.__lt__,
}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 25 else 0


def _on(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true", "t", "on")

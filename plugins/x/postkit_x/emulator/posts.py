"""Posts: made, listed, deleted, with the refusals that X is known for."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from postkit.emulator.timeline import LivePost, ShownPoll
from postkit.emulator.world import World

from ..limits import COUNTER, MAX_CASHTAGS, RULES
from . import problems, schema
from .echo import echoed
from .uploads import Upload, Uploads

NETWORK = "x"
ACCOUNT = "emulated"
USER_ID = "1000000000000000001"
EPOCH_MS = 1_288_834_974_657
"""The first millisecond of X's ids."""
WEIGHT = 280
OTHERS = frozenset(
    ("quote_tweet_id", "edit_options", "card_uri", "direct_message_deep_link", "nullcast", "geo")
)
"""Fields that X knows and that would have no effect here: a post with one would not be what was
asked for. Quoting and editing change what a post is."""
REPLIES = {
    None: "everyone",
    "following": "following",
    "mentionedUsers": "mentioned",
    "subscribers": "subscribers",
    "verified": "verified",
}
"""``reply_settings``, and who may reply."""
SAME_TEXT = timedelta(hours=24)


class Posts:
    """The timeline of one user. ``setting`` reads what a test may change."""

    def __init__(self, world: World, uploads: Uploads, setting: Callable[[str], Any]) -> None:
        self._world = world
        self._uploads = uploads
        self._setting = setting

    async def create(self, request: Request) -> Response:
        """POST /2/tweets."""
        body = await request.json()
        if mistakes := list(schema.POST("", body)):
            raise problems.invalid(mistakes, body if isinstance(body, dict) else {})
        if others := sorted(OTHERS.intersection(body)):
            raise problems.not_emulated(f"A post with {' and '.join(others)}")
        if not self._setting("credits"):
            raise problems.credits_used_up()
        text = body.get("text", "")
        uploads = self._attached(body)
        self._check_text(text, body)
        parent = self._parent(body)
        if not uploads and "poll" not in body and self._is_repeated(text):
            raise problems.duplicate()
        post = self._made(body, text, uploads, parent)
        shown = {"id": post.id, "text": post.extra["shown"], "edit_history_post_ids": [post.id]}
        return JSONResponse({"data": shown}, 201)

    def _made(
        self, body: Mapping[str, Any], text: str, uploads: list[Upload], parent: LivePost | None
    ) -> LivePost:
        now = self._world.clock.now()
        # A snowflake: milliseconds, then what tells ids of one millisecond apart.
        number = int(now.timestamp() * 1000) - EPOCH_MS
        post_id = str(number << 22 | self._world.number() & 0x3FFFFF)
        poll = body.get("poll")
        keys = tuple(upload.key for upload in uploads)
        echo = echoed(text, post_id, ACCOUNT, keys)
        root = parent.extra.get("conversation_id", parent.id) if parent else post_id
        return self._world.timeline.add(
            LivePost(
                NETWORK,
                post_id,
                ACCOUNT,
                text,
                author="Emulated on X",
                media=tuple(upload.shown for upload in uploads),
                parent=parent.id if parent else None,
                poll=poll
                and ShownPoll(
                    tuple(poll["options"]),
                    ends_at=now + timedelta(minutes=poll["duration_minutes"]),
                ),
                replies=REPLIES[body.get("reply_settings")],
                url=f"{self._world.base_url}/{NETWORK}/{ACCOUNT}/status/{post_id}",
                extra={
                    "shown": echo.text,
                    "urls": list(echo.urls),
                    "media_keys": list(keys),
                    "conversation_id": root,
                    "asked": dict(body),
                },
            )
        )

    def _attached(self, body: Mapping[str, Any]) -> list[Upload]:
        ids = body.get("media", {}).get("media_ids", [])
        if ids and "poll" in body:
            raise problems.invalid([("poll", "A poll cannot go with media.")], body)
        found = [self._uploads.get(media_id) for media_id in ids]
        known = [upload for upload in found if upload is not None]
        if len(known) < len(ids) or len(set(ids)) < len(ids):
            raise problems.invalid([("media.media_ids", "Your media IDs are invalid.")], body)
        if len(known) > 1 and any(upload.category != "tweet_image" for upload in known):
            what = "A GIF or a video stands alone in a post."
            raise problems.invalid([("media.media_ids", what)], body)
        return known

    def _check_text(self, text: str, body: Mapping[str, Any]) -> None:
        if not text.strip() and "media" not in body:
            raise problems.invalid([("text", "$.text: is missing but it is required")], body)
        if COUNTER.count(text) > WEIGHT:
            raise problems.forbidden("Tweet needs to be a bit shorter.")
        cashtags = [entity for entity in RULES.detect(text) if entity.kind == "cashtag"]
        if len(cashtags) > MAX_CASHTAGS:
            raise problems.forbidden("A Tweet can have a maximum of one cashtag.")

    def _parent(self, body: Mapping[str, Any]) -> LivePost | None:
        if "reply" not in body:
            return None
        parent = self._world.timeline.get(NETWORK, body["reply"]["in_reply_to_tweet_id"])
        if parent is None:
            raise problems.forbidden(
                "You attempted to reply to a Tweet that is deleted or not visible to you."
            )
        mentions = [e.text.lower() for e in RULES.detect(parent.text) if e.kind == "mention"]
        if parent.account != ACCOUNT and f"@{ACCOUNT}" not in mentions:
            raise problems.forbidden(
                "Reply to this conversation is not allowed because you have not been mentioned "
                "or otherwise engaged by the author of the post you are replying to."
            )
        return parent

    def _is_repeated(self, text: str) -> bool:
        """Whether the same words were received before, live by now or not. The refusal is known
        of plain text only, so pictures and polls do not count: what relies on more must fail
        here."""
        timeline = self._world.timeline
        oldest = self._world.clock.now() - SAME_TEXT
        earlier = [p for p in timeline.live(NETWORK, ACCOUNT) if p.created_at > oldest]
        pending = timeline.pending(NETWORK, ACCOUNT)
        same = [post for post in (*earlier, *pending) if _is_plain(post, text)]
        for post in same:
            # The repeat is refused because of the first request, so that one has its post.
            timeline.hasten(NETWORK, post.id)
        return bool(same)

    async def delete(self, request: Request) -> Response:
        """DELETE /2/tweets/{id}."""
        post_id = request.path_params["id"]
        post = self._world.timeline.get(NETWORK, post_id)
        if post is None:
            raise problems.not_found("tweet with id", post_id)
        if post.account != ACCOUNT:
            raise problems.forbidden("You are not permitted to perform this action.")
        self._world.timeline.delete(NETWORK, post_id)
        return JSONResponse({"data": {"deleted": True}})


def _is_plain(post: LivePost, text: str) -> bool:
    return not post.media and post.poll is None and _bare(post.text) == _bare(text)


def _bare(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()

"""Our own posts as X lists them, and whether one of them is what we sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from postkit.network import Outgoing

from .client import Client
from .limits import RULES
from .request import media_of, reply_to

PAGE = 100
"""The most posts that one request lists."""
PAGES = 8
FEWEST = 5
"""The fewest that one request may ask for."""

FIELDS = [
    *("created_at", "text", "attachments", "entities", "referenced_tweets", "conversation_id"),
    "note_tweet",
]
_OWN_MEDIA = re.compile(r"/status/\d+/(?:photo|video)/\d+$")
_MENTIONS = re.compile(r"(?:@\w+\s+)+")


def listed(client: Client, *, since: datetime | None = None, count: int = PAGE) -> Iterator[Any]:
    """Our posts, newest first: those since ``since``, or the newest ``count``."""
    token = None
    for _ in range(PAGES):
        answer = client.api.get_users_tweets(
            client.me[0],
            start_time=since,
            max_results=max(FEWEST, min(count, PAGE)),
            pagination_token=token,
            tweet_fields=FIELDS,
            expansions=["attachments.media_keys"],
            user_auth=client.user_auth,
        )
        yield from answer.get("data") or ()
        token = answer.get("meta", {}).get("next_token")
        if token is None:
            return


def created_at(post: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(post["created_at"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def media_keys(post: Mapping[str, Any]) -> set[str]:
    return {str(key) for key in post.get("attachments", {}).get("media_keys", ())}


def same(post: Mapping[str, Any], outgoing: Outgoing) -> bool:
    """Whether a listed post has the content, the pictures and the parent of ``outgoing``."""
    parent = reply_to(outgoing)
    ours = {image["key"] for image in media_of(outgoing)}
    has_poll = bool(post.get("attachments", {}).get("poll_ids"))
    return (
        media_keys(post) == ours
        and _parent(post) == parent
        and has_poll == bool(outgoing.part.fields.get("poll"))
        and _same_text(plain(post), outgoing.part.text, is_reply=parent is not None)
    )


def plain(post: Mapping[str, Any]) -> str:
    """The text as its author wrote it: no HTML entities, no t.co, no address of a picture."""
    long = post.get("note_tweet")
    source = long if isinstance(long, Mapping) and long.get("text") else post
    text = str(source.get("text", ""))
    # Before the links come back: their own "&" are not escaped.
    for escaped, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, sign)
    for url in source.get("entities", {}).get("urls", ()):
        full = str(url.get("expanded_url") or "")
        is_picture = "media_key" in url or _OWN_MEDIA.search(full)
        text = text.replace(str(url["url"]), "" if is_picture else full or str(url["url"]), 1)
    return text.strip()


def _parent(post: Mapping[str, Any]) -> str | None:
    for row in post.get("referenced_tweets", ()):
        if row.get("type") == "replied_to":
            return str(row["id"])
    return None


def _same_text(theirs: str, ours: str, *, is_reply: bool) -> bool:
    theirs, ours = _bare(theirs), _bare(ours)
    if theirs == ours:
        return True
    # X may name those who are replied to at the start of a reply.
    return is_reply and _MENTIONS.sub("", theirs, count=1) == _MENTIONS.sub("", ours, count=1)


def _bare(text: str) -> str:
    """What stays the same on the way to X and back: letters, and where the links lead."""
    text = unicodedata.normalize("NFC", text)
    pieces: list[str] = []
    end = 0
    for url in RULES.urls_in(text):
        pieces += text[end : url.start], _bare_link(url.text)
        end = url.end
    pieces.append(text[end:])
    return " ".join("".join(pieces).split())


def _bare_link(url: str) -> str:
    # A bare domain comes back with a scheme, a host in lower case, and perhaps a slash.
    rest = re.sub(r"^https?://", "", url, flags=re.IGNORECASE)
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    behind = re.sub("^/(?=[?#])", "", rest[len(host) :])
    return host.lower() + behind.rstrip("/")

"""Posts and what belongs to them, with the fields that were asked for and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from postkit.emulator.timeline import LivePost

from .posts import ACCOUNT, USER_ID
from .problems import invalid, not_emulated

ALWAYS = ("id", "text", "edit_history_post_ids", "edit_history_tweet_ids")
"""The specification (August 2026) has the third name, tweepy 4.17.0 warns without the fourth."""
FIELDS: Mapping[str, frozenset[str]] = {
    "tweet.fields": frozenset(
        (
            *ALWAYS,
            *("created_at", "author_id", "lang"),
            *("conversation_id", "attachments", "entities", "referenced_tweets", "note_tweet"),
            *("reply_settings", "in_reply_to_user_id", "public_metrics"),
        )
    ),
    "expansions": frozenset(("attachments.media_keys", "author_id", "attachments.poll_ids")),
    "media.fields": frozenset(("media_key", "type", "alt_text", "width", "height")),
    "user.fields": frozenset(("id", "name", "username", "created_at", "protected")),
    "poll.fields": frozenset(("id", "options", "end_datetime", "duration_minutes")),
    "place.fields": frozenset(),
}
"""What is emulated, by parameter."""
BEYOND: Mapping[str, frozenset[str]] = {
    "tweet.fields": frozenset(
        (
            *("article", "card_uri", "community_id", "context_annotations", "edit_controls"),
            *("display_text_range", "geo", "media_metadata", "scopes"),
            *("non_public_metrics", "organic_metrics", "possibly_sensitive", "promoted_metrics"),
            *("source", "suggested_source_links", "withheld"),
        )
    ),
    "expansions": frozenset(
        (
            *("referenced_tweets.id", "referenced_tweets.id.author_id", "in_reply_to_user_id"),
            *("entities.mentions.username", "geo.place_id", "edit_history_tweet_ids"),
            *("author_screen_name", "pinned_tweet_id"),
        )
    ),
    "media.fields": frozenset(
        (
            *("duration_ms", "preview_image_url", "public_metrics", "url", "variants"),
            *("non_public_metrics", "organic_metrics", "promoted_metrics"),
        )
    ),
    "user.fields": frozenset(
        (
            *("description", "entities", "location", "pinned_tweet_id", "profile_image_url"),
            *("public_metrics", "url", "verified", "verified_type", "withheld", "affiliation"),
            *("connection_status", "most_recent_tweet_id", "profile_banner_url", "subscription"),
            *("subscription_type", "receives_your_dm", "is_identity_verified", "parody"),
        )
    ),
    "poll.fields": frozenset(("voting_status",)),
    "place.fields": frozenset(
        ("contained_within", "country", "country_code", "full_name", "geo", "name", "place_type")
    ),
}
"""What X has and is not: asking for it is no mistake, so the answer is a 501."""

Mistakes = list[tuple[str, str]]


def words(query: Mapping[str, str], name: str) -> set[str]:
    return {word for word in query.get(name, "").split(",") if word}


def check(query: Mapping[str, str], others: frozenset[str], mistakes: Mistakes) -> None:
    """Refuse what X does not document, besides ``mistakes`` that were found already."""
    found = [
        (name, f"The query parameter [{name}] is not one of the documented ones.")
        for name in query
        if name not in others and name not in FIELDS
    ]
    missing = []
    for name, known in FIELDS.items():
        unknown = sorted(words(query, name) - known)
        missing += [f"{name}={word}" for word in unknown if word in BEYOND[name]]
        found += [
            (name, f"The `{name}` query parameter value [{word}] is not one of the known ones.")
            for word in unknown
            if word not in BEYOND[name]
        ]
    if found or mistakes:
        raise invalid([*found, *mistakes], query)
    if missing:
        raise not_emulated(" and ".join(missing))


def page(posts: Sequence[LivePost], query: Mapping[str, str], replies: Any) -> dict[str, Any]:
    """``data`` and ``includes``. ``replies`` counts the answers to a post of that id."""
    answer: dict[str, Any] = {"data": [_post(post, query, replies) for post in posts]}
    expansions = words(query, "expansions")
    includes: dict[str, Any] = {}
    if "attachments.media_keys" in expansions:
        includes["media"] = [row for post in posts for row in _media(post, query)]
    if "attachments.poll_ids" in expansions:
        includes["polls"] = [_poll(post, query) for post in posts if post.poll]
    if "author_id" in expansions:
        includes["users"] = [user(query)]
    includes = {name: rows for name, rows in includes.items() if rows}
    return answer | ({"includes": includes} if includes else {})


def user(query: Mapping[str, str]) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": USER_ID,
        "name": "Emulated on X",
        "username": ACCOUNT,
        "created_at": "2026-01-01T00:00:00.000Z",
        "protected": False,
    }
    wanted = words(query, "user.fields") | {"id", "name", "username"}
    return {name: value for name, value in whole.items() if name in wanted}


def _post(post: LivePost, query: Mapping[str, str], replies: Any) -> dict[str, Any]:
    extra = post.extra
    attachments: dict[str, Any] = {}
    if extra.get("media_keys"):
        attachments["media_keys"] = extra["media_keys"]
    if post.poll is not None:
        attachments["poll_ids"] = [f"{post.id}1"]
    whole: dict[str, Any] = {
        "id": post.id,
        "text": extra.get("shown", post.text),
        "edit_history_post_ids": [post.id],
        "edit_history_tweet_ids": [post.id],
        "created_at": _stamp(post.created_at),
        "author_id": USER_ID,
        "conversation_id": extra.get("conversation_id", post.id),
        "reply_settings": extra.get("asked", {}).get("reply_settings", "everyone"),
        "lang": "und",
    }
    if attachments:
        whole["attachments"] = attachments
    if extra.get("urls"):
        whole["entities"] = {"urls": extra["urls"]}
    if post.parent:
        whole["referenced_tweets"] = [{"type": "replied_to", "id": post.parent}]
        whole["in_reply_to_user_id"] = USER_ID
    wanted = words(query, "tweet.fields") | set(ALWAYS)
    if "public_metrics" in wanted:
        names = ("retweet", "like", "quote", "bookmark", "impression")
        zeros = {f"{name}_count": 0 for name in names}
        whole["public_metrics"] = {**zeros, "reply_count": replies(post.id)}
    return {name: value for name, value in whole.items() if name in wanted}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _media(post: LivePost, query: Mapping[str, str]) -> list[dict[str, Any]]:
    wanted = words(query, "media.fields")
    rows = []
    for key, shown in zip(post.extra.get("media_keys", ()), post.media, strict=True):
        told = {"alt_text": shown.alt, "width": shown.width, "height": shown.height}
        # As uploads name them: 3_... is a photo, 16_... an animated GIF.
        kind = "animated_gif" if key.startswith("16_") else "photo"
        row: dict[str, Any] = {"media_key": key, "type": kind}
        rows.append(row | {name: told[name] for name in told if name in wanted and told[name]})
    return rows


def _poll(post: LivePost, query: Mapping[str, str]) -> dict[str, Any]:
    assert post.poll is not None  # noqa: S101 - for the type checker
    options = [
        {"position": number, "label": label, "votes": 0}
        for number, label in enumerate(post.poll.options, 1)
    ]
    row: dict[str, Any] = {"id": f"{post.id}1", "options": options}
    wanted = words(query, "poll.fields")
    if "end_datetime" in wanted and post.poll.ends_at:
        row["end_datetime"] = _stamp(post.poll.ends_at)
    if "duration_minutes" in wanted:
        row["duration_minutes"] = post.extra["asked"]["poll"]["duration_minutes"]
    return row

"""The documented shape of the JSON bodies: a field that is not in it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Mistakes = Iterator[tuple[str, str]]
Check = Callable[[str, Any], Mistakes]


def text(shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Check:
    def check(place: str, value: Any) -> Mistakes:
        if not isinstance(value, str):
            yield place, f"$.{place}: must be a string"
        elif len(value) < shortest or (longest is not None and len(value) > longest):
            yield place, f"$.{place}: must have {shortest} to {longest} characters"
        elif pattern is not None and not re.fullmatch(pattern, value):
            yield place, f"$.{place}: does not match the pattern {pattern}"

    return check


def boolean(place: str, value: Any) -> Mistakes:
    if not isinstance(value, bool):
        yield place, f"$.{place}: must be a boolean"


def whole(least: int, most: int) -> Check:
    def check(place: str, value: Any) -> Mistakes:
        if type(value) is not int or not least <= value <= most:
            yield place, f"$.{place}: must be an integer from {least} to {most}"

    return check


def one_of(*values: str) -> Check:
    def check(place: str, value: Any) -> Mistakes:
        if value not in values:
            yield place, f"$.{place}: must be one of {', '.join(values)}"

    return check


def rows(item: Check, fewest: int, most: int) -> Check:
    def check(place: str, value: Any) -> Mistakes:
        if not isinstance(value, list):
            yield place, f"$.{place}: must be an array"
        elif not fewest <= len(value) <= most:
            yield place, f"$.{place}: must have {fewest} to {most} items"
        else:
            for entry in value:
                yield from item(place, entry)

    return check


def table(fields: Mapping[str, Check], *required: str) -> Check:
    def check(place: str, value: Any) -> Mistakes:
        below = f"{place}." if place else ""
        if not isinstance(value, dict):
            yield place, f"$.{place}: must be an object"
            return
        for name in required:
            if name not in value:
                yield below + name, f"$.{below}{name}: is missing but it is required"
        for name, entry in value.items():
            if name in fields:
                yield from fields[name](below + name, entry)
            else:
                yield (
                    below + name,
                    f"$.{below}{name}: is not defined in the schema and the schema does not "
                    "allow additional properties",
                )

    return check


_ID = text(1, 19, r"[0-9]{1,19}")
_IDS = rows(_ID, 0, 10)

POST = table(
    {
        "text": text(),
        "media": table(
            {
                "media_ids": rows(_ID, 1, 4),
                "tagged_user_ids": _IDS,
                "title": text(),
                "description": text(),
                "embeddable": boolean,
                "preview_media_id": _ID,
                "call_to_actions": lambda _place, _value: iter(()),
            },
            "media_ids",
        ),
        "poll": table(
            {"options": rows(text(1, 25), 2, 4), "duration_minutes": whole(5, 10_080)},
            "options",
            "duration_minutes",
        ),
        "reply": table(
            {
                "in_reply_to_tweet_id": _ID,
                "exclude_reply_user_ids": _IDS,
                "auto_populate_reply_metadata": boolean,
            },
            "in_reply_to_tweet_id",
        ),
        "quote_tweet_id": _ID,
        "reply_settings": one_of("following", "mentionedUsers", "subscribers", "verified"),
        "community_id": _ID,
        "share_with_followers": boolean,
        "for_super_followers_only": boolean,
        "geo": table({"place_id": text()}),
        "card_uri": text(),
        "direct_message_deep_link": text(),
        "nullcast": boolean,
        "made_with_ai": boolean,
        "paid_partnership": boolean,
        "edit_options": table({"previous_post_id": _ID}, "previous_post_id"),
    }
)

METADATA = table(
    {"id": _ID, "metadata": table({"alt_text": table({"text": text(0, 1000)}, "text")})}, "id"
)

INITIALIZE = table(
    {
        "media_type": one_of(
            *("video/mp4", "video/webm", "video/mp2t", "video/quicktime", "text/srt", "text/vtt"),
            *("image/jpeg", "image/gif", "image/bmp", "image/png", "image/webp", "image/pjpeg"),
            *("image/tiff", "model/gltf-binary", "model/vnd.usdz+zip"),
        ),
        "total_bytes": whole(0, 17_179_869_184),
        "media_category": one_of(
            *("tweet_image", "tweet_video", "tweet_gif", "dm_image", "dm_video", "dm_gif"),
            *("subtitles", "amplify_video"),
        ),
        "additional_owners": rows(_ID, 0, 100),
        "shared": boolean,
    },
    "media_type",
    "total_bytes",
    "media_category",
)

APPEND = table(
    {"media": text(1), "segment_index": whole(0, 999)},
    "media",
    "segment_index",
)

UPLOAD = table(
    {
        "media": text(1),
        "media_category": one_of(
            "tweet_image",
            "tweet_video",
            "tweet_gif",
            "dm_image",
            "dm_video",
            "dm_gif",
            "subtitles",
        ),
        "media_type": text(),
        "additional_owners": rows(_ID, 0, 100),
        "shared": boolean,
    },
    "media",
    "media_category",
)

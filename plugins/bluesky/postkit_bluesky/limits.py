"""What Bluesky allows: the lexicons' numbers, and the rate limits of a server's source."""

from __future__ import annotations

from datetime import date

from postkit.limits.counters import Graphemes, Utf8Bytes
from postkit.limits.entities import EntityRules
from postkit.limits.model import CardLimit, ImageLimit, Limits, Rate, Source, TextLimit, VideoLimit

CHECKED = date(2026, 11, 23)
POST = Source("lexicon app.bsky.feed.post, bluesky-social/atproto of 2026-08-20", CHECKED)
IMAGES = Source("lexicon app.bsky.embed.images, bluesky-social/atproto of 2026-08-20", CHECKED)
CARDS = Source("lexicon app.bsky.embed.external, bluesky-social/atproto of 2026-08-20", CHECKED)
VIDEOS = Source("lexicon app.bsky.embed.video, bluesky-social/atproto of 2026-08-20", CHECKED)
SECONDS = Source("the app's own limit; the lexicon has none", CHECKED, verified=False)
ALT = Source("the app's own limit; the lexicon has none", CHECKED, verified=False)
RATES = Source("packages/pds of bluesky-social/atproto, and PDS 0.5.35 measured", CHECKED)
GATES = Source(
    "lexicon app.bsky.feed.threadgate, bluesky-social/atproto of 2026-08-20", date(2026, 11, 29)
)

MAX_TAG = 64
"""Graphemes of a tag without its sign, in a facet and in the record's own list."""

RULES = EntityRules(
    bare_domains=True, edges="spaced", mention="host", hashtags=True, hashtag_max=MAX_TAG + 1
)

LIMITS = Limits(
    source=POST,
    text=(TextLimit(Graphemes(), 300, POST), TextLimit(Utf8Bytes(), 3000, POST)),
    rules=RULES,
    threads=True,
    media_count=4,
    image=ImageLimit(
        mime_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        max_bytes=2_000_000,
        source=IMAGES,
    ),
    video=VideoLimit(
        mime_types=("video/mp4",),
        max_bytes=300_000_000,
        source=VIDEOS,
        max_seconds=180.0,
        seconds_source=SECONDS,
    ),
    alt=TextLimit(Graphemes(), 2000, ALT),
    alt_of_videos=TextLimit(Graphemes(), 1000, VIDEOS),
    link="text",
    cards=CardLimit(
        CARDS,
        ImageLimit(
            mime_types=("image/jpeg", "image/png", "image/webp"),
            max_bytes=1_000_000,
            source=CARDS,
        ),
    ),
    tags="field",
    max_tags=8,
    languages=3,
    replies=("everyone", "followers", "following", "mentioned", "nobody"),
    replies_source=GATES,
    rates=(
        Rate("posts of an account (2 points each)", 2500, 3600, RATES),
        Rate("posts of an account (2 points each)", 17_500, 86_400, RATES),
        Rate("uploads from an address", 1000, 86_400, RATES),
        Rate("logins of an account", 30, 300, RATES),
        Rate("logins of an account", 300, 86_400, RATES),
        Rate("all requests from an address", 3000, 300, RATES),
    ),
)

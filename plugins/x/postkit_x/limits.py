"""What X allows, what it counts, and what it charges."""

from __future__ import annotations

from datetime import date

from postkit.limits.counters import CodePoints, Weighted
from postkit.limits.entities import EntityRules
from postkit.limits.model import (
    ImageLimit,
    Limits,
    PollLimit,
    Price,
    Rate,
    Source,
    TextLimit,
    VideoLimit,
)

CHECKED = date(2026, 11, 23)
POSTING = Source("X API v2 OpenAPI 2.167, POST /2/tweets (22 Aug 2026)", CHECKED)
COUNTING = Source("twitter/twitter-text config/v3.json; docs.x.com counting-characters", CHECKED)
MEDIA = Source("docs.x.com media best-practices (Aug 2026)", CHECKED)
ALT = Source("X API v2 OpenAPI 2.167, POST /2/media/metadata (22 Aug 2026)", CHECKED)
RATES = Source("docs.x.com rate-limits (Aug 2026)", CHECKED)
PRICES = Source("docs.x.com changelog, prices of 20 Apr 2026", CHECKED)
CASHTAGS = Source("docs.x.com changelog, 16 Apr 2026", CHECKED)

RULES = EntityRules(
    bare_domains=True,
    short_host="t.co",
    mention="name",
    hashtags=True,
    cashtags=True,
)
COUNTER = Weighted(
    ranges=((0, 4351, 100), (8192, 8205, 100), (8208, 8223, 100), (8242, 8247, 100)),
    default_weight=200,
    url_length=23,
    emoji_weight=200,
    rules=RULES,
    scale=100,
)

MAX_CASHTAGS = 1
"""Per post; the source is CASHTAGS."""
POST_PRICE = 0.015
LINK_POST_PRICE = 0.20
"""What a post with any link costs, in place of POST_PRICE."""
METADATA_PRICE = 0.005
"""One alt text is one metadata request."""

LIMITS = Limits(
    source=POSTING,
    text=(TextLimit(COUNTER, 280, COUNTING),),
    rules=RULES,
    threads=True,
    distinct_parts=True,
    media_count=4,
    image=ImageLimit(
        mime_types=("image/jpeg", "image/png", "image/webp"),
        max_bytes=5_000_000,
        source=MEDIA,
    ),
    animation=ImageLimit(
        mime_types=("image/gif",),
        max_bytes=15_000_000,
        source=MEDIA,
        max_width=1280,
        max_height=1080,
        max_frames=350,
    ),
    # Newer notes tell of 20 minutes and 8 GB (changelog of 1 Sep 2026, unverified); this is what
    # the page of best practices says for every account.
    video=VideoLimit(
        mime_types=("video/mp4", "video/quicktime"),
        max_bytes=512_000_000,
        source=MEDIA,
        min_seconds=0.5,
        max_seconds=140.0,
        min_width=32,
        min_height=32,
        max_width=1280,
        max_height=1024,
        min_ratio=1 / 3,
        max_ratio=3.0,
        max_fps=60.0,
        max_audio_channels=2,
        he_aac=False,
        square_pixels=True,
    ),
    video_alt=False,
    alt=TextLimit(CodePoints(), 1000, ALT),
    link="text",
    tags="text",
    poll=PollLimit(2, 4, 25, 5, 10_080, POSTING, multiple=False, with_media=False),
    rates=(
        Rate("posts of an account", 100, 900, RATES),
        Rate("posts of an app", 10_000, 86_400, RATES),
        Rate("deletions", 50, 900, RATES),
        Rate("media uploads", 500, 900, RATES),
        Rate("alt texts", 500, 900, RATES),
        Rate("lists of own posts", 900, 900, RATES),
    ),
    replies=("everyone", "following", "mentioned"),
    prices=(
        Price("post", POST_PRICE, "USD", PRICES),
        Price("post with a link (in place of the price of a post)", LINK_POST_PRICE, "USD", PRICES),
        Price("alt text", METADATA_PRICE, "USD", PRICES),
        Price("own post read", 0.001, "USD", PRICES),
        Price("deletion", 0.010, "USD", PRICES),
    ),
    extra={"cashtags": MAX_CASHTAGS},
)

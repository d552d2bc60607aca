"""What a Facebook Page takes: text, a link card, up to ten photos, or a video."""

from __future__ import annotations

from datetime import date

from postkit.limits.counters import CodePoints, Utf16Units
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, Rate, Source, TextLimit, VideoLimit

CHECKED = date(2026, 11, 23)
POSTS = Source("developers.facebook.com/docs/pages-api/posts (v25.0 examples)", CHECKED)
MESSAGE = Source(
    "what API clients use; no official page names it, nor its unit: UTF-16 units are the "
    "strictest reading",
    CHECKED,
    verified=False,
)
PHOTO = Source("Page photos reference: error 1366046, 4 MB read as 4,000,000 bytes", CHECKED)
PHOTO_COUNT = Source("a cap that clients share; undocumented", CHECKED, verified=False)
ALT = Source(
    "no limit is documented; no more than the message of a post, since no lower one is known",
    CHECKED,
    verified=False,
)
RATES = Source("Graph API rate limiting: Pages, business use case", CHECKED)

VIDEO = Source(
    "Video API error codes: 1363023, at most 2 GB. An older page of resumable uploads: 10 GB and 4 "
    "hours, of others 1 GB and 20 minutes; none tells of codecs",
    date(2026, 11, 29),
    verified=False,
)
TITLES = Source("no limit is documented; a guess", CHECKED, verified=False)

MESSAGE_LENGTH = 63_206
PHOTO_BYTES = 4_000_000
VIDEO_BYTES = 2_000_000_000
VIDEO_SECONDS = 4 * 3600.0
VIDEO_TYPES = ("video/mp4", "video/quicktime")
PHOTO_TYPES = ("image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff")

VIDEO_TITLE = TextLimit(CodePoints(), 255, TITLES)
"""A post has a title where it is a video."""

RULES = EntityRules(urls=True, hashtags=True)

LIMITS = Limits(
    source=POSTS,
    text=(TextLimit(Utf16Units(), MESSAGE_LENGTH, MESSAGE),),
    rules=RULES,
    threads=False,
    media_count=10,
    media_count_source=PHOTO_COUNT,
    image=ImageLimit(mime_types=PHOTO_TYPES, max_bytes=PHOTO_BYTES, source=PHOTO),
    video=VideoLimit(VIDEO_TYPES, max_bytes=VIDEO_BYTES, source=VIDEO, max_seconds=VIDEO_SECONDS),
    video_alt=False,
    alt=TextLimit(Utf16Units(), MESSAGE_LENGTH, ALT),
    link="field",
    link_with_media=False,
    tags="text",
    rates=(Rate("calls of a Page for each engaged user", 4800, 86_400, RATES),),
)

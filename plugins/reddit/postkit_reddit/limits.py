"""What Reddit allows. A community may allow less; that is asked for before sending."""

from __future__ import annotations

import re
from datetime import date

from postkit.limits.counters import CodePoints
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, PollLimit, Rate, Source, TextLimit, VideoLimit

CHECKED = date(2026, 11, 23)
PRAW = Source("praw 8.0.3 source, models/reddit/subreddit/subreddit.py", CHECKED)
WINDOW = Source("prawcore 4.0.0 source, const.py and rate_limit.py", CHECKED)
TITLES = Source("getlate-dev/openapi-specs reddit.yaml (third party)", CHECKED, verified=False)
BODIES = Source("general knowledge of the API; no page states it", CHECKED, verified=False)
CALLS = Source("announcement of 2023: 100 a minute for each OAuth client", CHECKED, verified=False)

POLLS = Source(
    "praw 8.0.3 source, models/reddit/subreddit/subreddit.py; 120 characters of an option: "
    "general knowledge, no page states it",
    date(2026, 11, 29),
    verified=False,
)

TITLE_LENGTH = 300
TEXT_LENGTH = 40_000
CAPTION_LENGTH = 180
GALLERY_MIN = 2
GALLERY_MAX = 20
IMAGE_BYTES = 20_000_000
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif")
VIDEO_BYTES = 1_000_000_000
VIDEO_SECONDS = 900.0
VIDEO_TYPES = ("video/mp4", "video/quicktime")
POLL_OPTIONS = (2, 6)
POLL_OPTION_LENGTH = 120
POLL_DAYS = (1, 7)
DAY = 24 * 60
"""Minutes."""
CALLS_PER_WINDOW = 1000
WINDOW_SECONDS = 600

RULES = EntityRules(urls=True, edges="spaced", mention=r"(?<![\w/])/?[ur]/[A-Za-z0-9_-]{2,21}")
CAPTION = TextLimit(CodePoints(), CAPTION_LENGTH, PRAW)

LIMITS = Limits(
    source=PRAW,
    text=(TextLimit(CodePoints(), TEXT_LENGTH, BODIES),),
    rules=RULES,
    threads=False,
    media_count=GALLERY_MAX,
    media_count_source=BODIES,
    image=ImageLimit(IMAGE_TYPES, IMAGE_BYTES, BODIES),
    # A GIF is posted as a picture; a videogif would be a video without sound.
    animation=ImageLimit(("image/gif",), IMAGE_BYTES, BODIES),
    video=VideoLimit(VIDEO_TYPES, VIDEO_BYTES, BODIES, max_seconds=VIDEO_SECONDS),
    alt=None,
    title=TextLimit(CodePoints(), TITLE_LENGTH, TITLES),
    title_required=True,
    link="field",
    link_with_media=False,
    tags="none",
    markup="markdown",
    poll=PollLimit(
        *POLL_OPTIONS,
        POLL_OPTION_LENGTH,
        POLL_DAYS[0] * DAY,
        POLL_DAYS[1] * DAY,
        POLLS,
        step_minutes=DAY,
    ),
    target="required",
    target_name="subreddit",
    rates=(Rate("calls of a client", CALLS_PER_WINDOW, WINDOW_SECONDS, CALLS),),
)

_SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}")
_PROFILE = re.compile(r"u_[A-Za-z0-9_-]{3,20}")


def subreddit_of(target: str | None) -> str:
    """The name in a target: ``r/python`` is ``python``, ``u/acme`` the profile ``u_acme``."""
    name = (target or "").strip().strip("/")
    for prefix, shown in (("r/", ""), ("u/", "u_"), ("user/", "u_")):
        if name.lower().startswith(prefix):
            return shown + name[len(prefix) :]
    return name


def is_subreddit(name: str) -> bool:
    return bool(_PROFILE.fullmatch(name) if name.startswith("u_") else _SUBREDDIT.fullmatch(name))

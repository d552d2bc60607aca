"""What a Mastodon server allows by default, and how its own configuration changes that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from postkit.limits.counters import CodePoints, Graphemes
from postkit.limits.entities import EntityRules
from postkit.limits.model import ImageLimit, Limits, PollLimit, Rate, Source, TextLimit

CHECKED = date(2026, 11, 23)
INSTANCE = Source("docs.joinmastodon.org/methods/instance, sample of mastodon.social", CHECKED)
POSTING = Source("docs.joinmastodon.org/methods/statuses", CHECKED)
COUNTING = Source("mastodon/mastodon app/validators/status_length_validator.rb", CHECKED)
RATES = Source("docs.joinmastodon.org/api/rate-limits", CHECKED)
GIFS = Source("mastodon/mastodon app/models/concerns/attachmentable.rb", date(2026, 11, 29))

# The server finds links as twitter-text does, in paths of any script: a host needs a known ending.
RULES = EntityRules(urls=True, unicode_paths=True, mention="name@host", hashtags=True)
URL_LENGTH = 23


def _text(maximum: int, url_length: int) -> TextLimit:
    counter = Graphemes(url_length=url_length, rules=RULES, mention_local_only=True)
    return TextLimit(counter, maximum, COUNTING)


LIMITS = Limits(
    source=INSTANCE,
    text=(_text(500, URL_LENGTH),),
    rules=RULES,
    threads=True,
    media_count=4,
    image=ImageLimit(
        # No GIF: one of more than 921,600 pixels is refused, also where it does not move.
        mime_types=("image/jpeg", "image/png", "image/webp"),
        max_bytes=16_777_216,
        max_pixels=33_177_600,
        source=INSTANCE,
    ),
    # The server makes a silent video of it ("gifv").
    animation=ImageLimit(
        mime_types=("image/gif",),
        max_bytes=16_777_216,
        max_pixels=921_600,
        source=GIFS,
    ),
    alt=TextLimit(CodePoints(), 1500, INSTANCE),
    link="text",
    tags="text",
    poll=PollLimit(2, 4, 50, 5, 43_829, INSTANCE, multiple=True, with_media=False),
    content_warning=True,
    languages=1,
    visibility=("public", "unlisted", "private", "direct"),
    rates=(
        Rate("all requests of an account", 300, 300, RATES),
        Rate("media uploads", 30, 1800, RATES),
        Rate("deletions", 30, 1800, RATES),
    ),
)


def limits_of(configuration: Mapping[str, Any]) -> Limits:
    """The limits that a server states in ``configuration`` of GET /api/v2/instance."""
    statuses = configuration.get("statuses", {})
    media = configuration.get("media_attachments", {})
    polls = configuration.get("polls", {})
    image, poll = LIMITS.image, LIMITS.poll
    assert image is not None  # noqa: S101 - the table above has both
    assert poll is not None  # noqa: S101
    offered = [m for m in media.get("supported_mime_types", ()) if m in image.mime_types]
    return LIMITS.changed(
        text=(
            _text(
                int(statuses.get("max_characters", 500)),
                int(statuses.get("characters_reserved_per_url", URL_LENGTH)),
            ),
        ),
        media_count=int(statuses.get("max_media_attachments", LIMITS.media_count)),
        image=replace(
            image,
            mime_types=tuple(offered) or image.mime_types,
            max_bytes=int(media.get("image_size_limit", image.max_bytes)),
            max_pixels=int(media.get("image_matrix_limit", image.max_pixels or 0)) or None,
        ),
        alt=TextLimit(CodePoints(), int(media.get("description_limit", 1500)), INSTANCE),
        poll=replace(
            poll,
            max_options=int(polls.get("max_options", poll.max_options)),
            max_option_length=int(polls.get("max_characters_per_option", poll.max_option_length)),
            min_minutes=-(-int(polls.get("min_expiration", 300)) // 60),
            max_minutes=int(polls.get("max_expiration", 2_629_746)) // 60,
        ),
    )

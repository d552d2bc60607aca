"""What a network allows, as frozen tables: each row has its source and the date of the check."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from .counters import Counter
from .entities import EntityRules

if TYPE_CHECKING:
    from ..rendition import MediaKind

Where = Literal["none", "text", "field"]
Markup = Literal["none", "markdown"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact is from. ``verified=False`` marks a default that no official page confirms."""

    text: str
    checked: date
    verified: bool = True


@dataclass(frozen=True, slots=True)
class TextLimit:
    """At most ``maximum`` units of ``counter``."""

    counter: Counter
    maximum: int
    source: Source


@dataclass(frozen=True, slots=True)
class ImageLimit:
    """What an image may be. Bytes, pixels; ``None`` means that no limit is known."""

    mime_types: tuple[str, ...]
    max_bytes: int
    source: Source
    max_width: int | None = None
    max_height: int | None = None
    max_pixels: int | None = None
    max_frames: int | None = None


@dataclass(frozen=True, slots=True)
class VideoLimit:
    """What a video may be. Bytes, seconds, pixels as displayed, frames and bits a second;
    a ratio is width by height, ``max_pixels`` width times height; ``None`` means that no limit is
    known. The seconds are from ``seconds_source`` where that is another source.

    ``count`` is how many one part may carry; ``beside_images``: also together with pictures.
    ``he_aac``: sound may be coded as HE-AAC too; ``square_pixels``: no others are taken.
    ``fast_start``: the index (the moov box) must come before the pictures and the sound.
    """

    mime_types: tuple[str, ...]
    max_bytes: int
    source: Source
    video_codecs: tuple[str, ...] = ("h264",)
    audio_codecs: tuple[str, ...] = ("aac",)
    min_seconds: float | None = None
    max_seconds: float | None = None
    min_width: int | None = None
    min_height: int | None = None
    max_width: int | None = None
    max_height: int | None = None
    max_pixels: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None
    max_fps: float | None = None
    max_bit_rate: int | None = None
    max_audio_channels: int | None = None
    he_aac: bool = True
    square_pixels: bool = False
    fast_start: bool = False
    count: int = 1
    beside_images: bool = False
    seconds_source: Source | None = None


@dataclass(frozen=True, slots=True)
class CardLimit:
    """A network whose clients build the card of a link. ``image``: what its picture may be
    (``None``: cards have none)."""

    source: Source
    image: ImageLimit | None = None


@dataclass(frozen=True, slots=True)
class PollLimit:
    """Options are counted in code points, durations in minutes; a duration is a multiple of
    ``step_minutes``."""

    min_options: int
    max_options: int
    max_option_length: int
    min_minutes: int
    max_minutes: int
    source: Source
    multiple: bool = False
    with_media: bool = False
    step_minutes: int = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` calls of ``what`` in ``seconds`` seconds."""

    what: str
    calls: int
    seconds: int
    source: Source


@dataclass(frozen=True, slots=True)
class Price:
    """What one ``what`` costs, in ``currency``."""

    what: str
    amount: float
    currency: str
    source: Source


@dataclass(frozen=True, slots=True)
class Limits:
    """One network's rules for a post. ``source`` speaks for the fields without one of their own.

    ``text`` holds for each part; several limits may hold at once. ``threads`` says whether a
    part can follow another. ``media_count`` is how many pictures a part carries (0: none), and
    from ``media_count_source`` where that is another source. ``animation`` is what an animated
    picture may be that stays one (``None``: it becomes a video where there are videos); it stands
    alone in its part. ``link``, ``tags`` say how a link or a tag travels: as a field, written
    into the text, or not at all; ``link_with_media``: a link's field may stand beside pictures or
    a poll. ``markup`` is how a text can carry emphasis, lists and the like;
    with ``threads`` it must be "none", since a text is split as plain text (ValueError).
    ``cards`` is set where the client must build a link's card; the others fetch the page
    themselves, or show none.
    """

    source: Source
    text: tuple[TextLimit, ...]
    rules: EntityRules
    threads: bool
    media_count: int
    media_count_source: Source | None = field(default=None, kw_only=True)
    distinct_parts: bool = field(default=False, kw_only=True)
    """Whether a part that says what another says is refused: a text is cut elsewhere then."""
    image: ImageLimit | None = None
    animation: ImageLimit | None = None
    video: VideoLimit | None = None
    video_alt: bool = True
    """Whether a video carries an alternative text as pictures do."""
    animation_alt: bool = True
    """Whether an animated picture that stays one does."""
    alt: TextLimit | None = None
    alt_of_videos: TextLimit | None = None
    """Where a video's alternative text has another limit than a picture's."""
    title: TextLimit | None = None
    title_required: bool = False
    link: Where = "text"
    link_with_media: bool = True
    cards: CardLimit | None = None
    tags: Where = "text"
    markup: Markup = "none"
    max_tags: int | None = None
    poll: PollLimit | None = None
    content_warning: bool = False
    languages: int = 0
    visibility: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    """Who can be chosen to reply, of ``post.REPLIES``; where it is empty, nobody can be kept
    from it."""
    replies_source: Source | None = field(default=None, kw_only=True)
    target: Literal["none", "optional", "required"] = "none"
    target_name: str = "target"
    empty_text: bool = True
    rates: tuple[Rate, ...] = ()
    prices: tuple[Price, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.markup != "none" and self.threads:
            raise ValueError("markup is for networks without threads: texts are split as plain.")

    def alt_limit(self, kind: MediaKind) -> TextLimit | None:
        """How long the alternative text of such a medium may be; None where it carries none."""
        if kind == "video":
            return (self.alt_of_videos or self.alt) if self.alt and self.video_alt else None
        return self.alt if kind == "image" or self.animation_alt else None

    def changed(self, **fields: Any) -> Limits:
        """A copy with other values: what one account or server allows beyond the table."""
        return replace(self, **fields)

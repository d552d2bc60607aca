"""A network's limits as rows for people: terminal, README and documentation show the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .model import ImageLimit, Limits, Source, VideoLimit

WHERE = {"text": "written into the text", "field": "its own field", "none": "not carried"}


@dataclass(frozen=True, slots=True)
class Fact:
    what: str
    value: str
    source: str
    checked: str


def describe(limits: Limits) -> list[Fact]:
    return list(_facts(limits))


def markdown(limits: Limits) -> str:
    """A Markdown table of the limits."""
    rows = ["| limit | value | source | checked |", "|---|---|---|---|"]
    rows += [f"| {f.what} | {f.value} | {f.source} | {f.checked} |" for f in describe(limits)]
    return "\n".join(rows)


def _facts(limits: Limits) -> Iterator[Fact]:
    own = limits.source
    for text in limits.text:
        yield _fact("text", f"{text.maximum:,} {text.counter.unit}", text.source)
    yield _fact("threads", "yes" if limits.threads else "no: parts are joined", own)
    if limits.title is not None:
        need = ", required" if limits.title_required else ""
        value = f"{limits.title.maximum:,} {limits.title.counter.unit}{need}"
        yield _fact("title", value, limits.title.source)
    yield from _media(limits)
    yield _fact("link", WHERE[limits.link], own)
    if limits.cards is not None:
        picture = limits.cards.image
        most = f"; its picture: {picture.max_bytes:,} bytes" if picture else ""
        yield _fact("link card", f"built by the client{most}", limits.cards.source)
    yield _fact("tags", WHERE[limits.tags], own)
    poll = limits.poll
    if poll is None:
        yield _fact("poll", "not carried", own)
    else:
        value = (
            f"{poll.min_options} to {poll.max_options} options of {poll.max_option_length} "
            f"characters, {poll.min_minutes:,} to {poll.max_minutes:,} minutes"
        )
        if poll.step_minutes > 1:
            value += f" in steps of {poll.step_minutes:,}"
        yield _fact("poll", value, poll.source)
    yield _fact("content warning", "yes" if limits.content_warning else "not carried", own)
    languages = f"up to {limits.languages}" if limits.languages else "not carried"
    yield _fact("languages", languages, own)
    yield _fact("visibility", ", ".join(limits.visibility) or "not carried", own)
    replies = ", ".join(limits.replies) or "cannot be limited"
    yield _fact("who may reply", replies, limits.replies_source or own)
    for rate in limits.rates:
        yield _fact(f"rate: {rate.what}", f"{rate.calls:,} in {rate.seconds:,} s", rate.source)
    for price in limits.prices:
        yield _fact(f"price: {price.what}", f"{price.amount} {price.currency}", price.source)


def _media(limits: Limits) -> Iterator[Fact]:
    own = limits.source
    yield _fact("pictures in one post", str(limits.media_count), limits.media_count_source or own)
    if limits.image is not None:
        yield from _image("picture", limits.image)
    if limits.animation is not None:
        yield from _image("animation (stands alone)", limits.animation)
    if limits.video is None:
        yield _fact("video", "not carried", own)
    else:
        yield from _video(limits.video)
    if limits.alt is None:
        yield _fact("alt text", "not carried", own)
    else:
        only = "" if limits.video_alt or limits.video is None else ", of pictures"
        if limits.animation is not None and not limits.animation_alt:
            only += ", not of animated ones" if only else ", not of animated pictures"
        value = f"{limits.alt.maximum:,} {limits.alt.counter.unit}{only}"
        yield _fact("alt text", value, limits.alt.source)
    if limits.alt_of_videos is not None:
        own_alt = limits.alt_of_videos
        value = f"{own_alt.maximum:,} {own_alt.counter.unit}"
        yield _fact("alt text of a video", value, own_alt.source)


def _image(what: str, image: ImageLimit) -> Iterator[Fact]:
    kinds = ", ".join(mime.removeprefix("image/") for mime in image.mime_types)
    yield _fact(what, f"{kinds}; {image.max_bytes:,} bytes", image.source)
    if image.max_pixels:
        yield _fact(f"{what}, pixels", f"{image.max_pixels:,}", image.source)
    if image.max_width or image.max_height:
        size = f"{image.max_width or 'any'} x {image.max_height or 'any'}"
        yield _fact(f"{what}, width x height", size, image.source)
    if image.max_frames:
        yield _fact(f"{what}, frames", f"{image.max_frames:,}", image.source)


def _video(video: VideoLimit) -> Iterator[Fact]:
    company = "beside pictures too" if video.beside_images else "without pictures"
    yield _fact("videos in one post", f"{video.count}, {company}", video.source)
    kinds = ", ".join(mime.removeprefix("video/") for mime in video.mime_types)
    codecs = f"{'/'.join(video.video_codecs)} with {'/'.join(video.audio_codecs)}"
    codecs += "" if video.he_aac else ", not HE-AAC"
    yield _fact("video", f"{kinds} ({codecs}); {video.max_bytes:,} bytes", video.source)
    if video.min_seconds is not None or video.max_seconds is not None:
        seconds = _range(video.min_seconds, video.max_seconds)
        yield _fact("video, seconds", seconds, video.seconds_source or video.source)
    for what, least, most in (
        ("width", video.min_width, video.max_width),
        ("height", video.min_height, video.max_height),
        ("pixels", None, video.max_pixels),
        ("width / height", video.min_ratio, video.max_ratio),
        ("frames a second", None, video.max_fps),
        ("bits a second", None, video.max_bit_rate),
        ("channels of sound", None, video.max_audio_channels),
    ):
        if least is not None or most is not None:
            yield _fact(f"video, {what}", _range(least, most), video.source)
    if video.square_pixels:
        yield _fact("video, pixels' shape", "square", video.source)


def _range(least: float | None, most: float | None) -> str:
    if least is None:
        return f"at most {most:,g}"
    return f"at least {least:,g}" if most is None else f"{least:,g} to {most:,g}"


def _fact(what: str, value: str, source: Source) -> Fact:
    text = source.text + ("" if source.verified else " (unverified)")
    return Fact(what, value, text, source.checked.isoformat())

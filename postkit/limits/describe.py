"""A network's limits as rows for people: terminal, README and documentation show the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .model import Limits, Source

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
    yield _fact("pictures in one post", str(limits.media_count), limits.media_count_source or own)
    image = limits.image
    if image is not None:
        kinds = ", ".join(mime.removeprefix("image/") for mime in image.mime_types)
        yield _fact("picture", f"{kinds}; {image.max_bytes:,} bytes", image.source)
        if image.max_pixels:
            yield _fact("picture, pixels", f"{image.max_pixels:,}", image.source)
        if image.max_width or image.max_height:
            size = f"{image.max_width or 'any'} x {image.max_height or 'any'}"
            yield _fact("picture, width x height", size, image.source)
        if limits.alt is None:
            yield _fact("alt text", "not carried", own)
        else:
            value = f"{limits.alt.maximum:,} {limits.alt.counter.unit}"
            yield _fact("alt text", value, limits.alt.source)
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
        yield _fact("poll", value, poll.source)
    yield _fact("content warning", "yes" if limits.content_warning else "not carried", own)
    languages = f"up to {limits.languages}" if limits.languages else "not carried"
    yield _fact("languages", languages, own)
    yield _fact("visibility", ", ".join(limits.visibility) or "not carried", own)
    for rate in limits.rates:
        yield _fact(f"rate: {rate.what}", f"{rate.calls:,} in {rate.seconds:,} s", rate.source)
    for price in limits.prices:
        yield _fact(f"price: {price.what}", f"{price.amount} {price.currency}", price.source)


def _fact(what: str, value: str, source: Source) -> Fact:
    text = source.text + ("" if source.verified else " (unverified)")
    return Fact(what, value, text, source.checked.isoformat())

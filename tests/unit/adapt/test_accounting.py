"""Nothing is silently lost: each field of any post is sent, told, or refused."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from postkit.adapt.default import adapt
from postkit.limits.model import Limits
from postkit.network import CannotRender, RenderOptions, Rendition
from postkit.post import Media, Part, Poll, Post, Settings

WORDS = st.sampled_from(
    [
        "word",
        "Sentence.",
        "中文。",
        "คำ",
        "👨‍👩‍👧",
        "https://e.com/a",
        "file.py",
        "@you",
        "#t0",
        "\n\n",
        "\r\n",
    ]
)
TEXTS = st.lists(WORDS, max_size=30).map(" ".join)
SHORT = st.text("abcdefgh é中", min_size=1, max_size=34).filter(str.strip)
KINDS = ("plain", "exif", "wide")


@cache
def file(kind: str, colour: int) -> bytes:
    """A picture that stays as it is, one with a place to hide, one that must be scaled."""
    image = Image.new("RGB", (2100 if kind == "wide" else 8, 8), (colour, 0, 255 - colour))
    block = Image.Exif()
    block[0x010F] = "Camera"
    data = io.BytesIO()
    image.save(data, "JPEG", **({"exif": block.tobytes()} if kind == "exif" else {}))
    return data.getvalue()


@st.composite
def posts(draw: st.DrawFn) -> Post:
    kinds = iter(draw(st.lists(st.sampled_from(KINDS), max_size=7)))
    parts = []
    for number in range(draw(st.integers(1, 4))):
        media = [
            Media(
                file(kind, number * 50 + place),
                draw(st.sampled_from(["", f"alt {number} {place}", "long alt " * 4])),
                name=f"m{number}-{place}.jpg",
            )
            for place, kind in enumerate(kinds)
            if place < 6
        ]
        if number == 0 and draw(st.booleans()):
            kinds = iter(draw(st.lists(st.sampled_from(KINDS), max_size=3)))
        parts.append(Part(draw(TEXTS), tuple(media)))
    own = st.builds(
        Settings,
        text=st.none() | TEXTS,
        title=st.none() | SHORT,
        link=st.none() | st.just("https://own.example/"),
        options=st.just({}) | st.just({"flair": "News"}),
    )
    option = st.text("xyz", min_size=1, max_size=9)
    options = st.lists(option, min_size=2, max_size=4, unique=True)
    polls = st.builds(Poll, options.map(tuple), st.sampled_from([60, 1440]), st.booleans())
    # A link of its own, so that no generated post is empty.
    return Post(
        parts,
        title=draw(st.none() | SHORT),
        link=draw(st.sampled_from(["https://e.com/a", "https://e.com/abc"])),
        poll=draw(st.none() | polls),
        tags=draw(st.lists(st.sampled_from(["t0", "t1", "T1", "t2"]), max_size=4)),
        content_warning=draw(st.none() | SHORT),
        lang=draw(st.sampled_from([None, "en", "de"])),
        visibility=draw(st.sampled_from([None, "public", "direct"])),
        replies=draw(st.sampled_from([None, "everyone", "nobody"])),
        networks=draw(st.just({}) | own.map(lambda mine: {"here": mine})),
    )


def bare(text: str) -> str:
    return "".join(text.split())


def told(rendition: Rendition, field: str, *words: str, lost: bool = True) -> bool:
    lines = rendition.losses if lost else rendition.changes
    return any(line.field == field and all(w in line.text for w in words) for line in lines)


def missing(post: Post, options: RenderOptions, rendition: Rendition) -> Iterator[str]:
    """Each field of ``post`` that is neither in ``rendition`` nor in its report."""
    own = post.networks.get("here") or Settings()
    parts = rendition.parts
    sent = [part.text for part in parts]
    if options.numbering and len(parts) > 1:
        sent = [re.sub(r" \(\d+/\d+\)$", "", text) for text in sent]
    yield from _texts(post, own, sent, rendition)
    yield from _media(post, rendition)
    fields = parts[0].fields
    whole = bare("".join(sent))

    title = (own.title if own.title is not None else post.title or "").strip()
    kept = fields.get("title") == title or bare(title) in whole
    if title and not kept and not told(rendition, "title", title):
        yield "title"
    link = own.link if own.link is not None else post.link
    written = link and any(re.search(re.escape(link) + r"(\s|$)", text) for text in sent)
    if link and fields.get("link") != link and not written and not told(rendition, "link", link):
        yield "link"
    for tag in {tag.lower() for tag in post.tags}:
        in_fields = tag in [given.lower() for given in fields.get("tags", [])]
        in_text = re.search(rf"#{tag}(?!\w)", "\n".join(sent), re.IGNORECASE)
        losses = "\n".join(line.text for line in rendition.losses if line.field == "tags")
        if not in_fields and not in_text and not re.search(rf"#{tag}\b", losses, re.IGNORECASE):
            yield f"tag {tag}"
    if post.poll:
        poll = {
            "options": list(post.poll.options),
            "minutes": post.poll.minutes,
            "multiple": post.poll.multiple,
        }
        if fields.get("poll") != poll and not told(rendition, "poll", *post.poll.options):
            yield "poll"
    for name in ("content_warning", "lang", "visibility"):
        value = getattr(post, name)
        kept = all(part.fields.get(name) == value for part in parts)
        # What is public anyway is a change in words alone; all else is a loss or a refusal.
        lost = not (name == "visibility" and value == "public")
        if value and not kept and not told(rendition, name, value, lost=lost):
            yield name
    replies = fields.get("replies")
    if post.replies and replies != post.replies and not told(rendition, "replies", lost=False):
        yield "replies"
    wanted = {**own.options, **options.values}
    if any(dict(part.fields.get("options", {})) != wanted for part in parts):
        yield "options"
    overridden = {"text": own.text, "title": own.title, "link": own.link}
    for name, value in overridden.items():
        differs = value is not None and value != getattr(post, name)
        if differs and not told(rendition, name, lost=False):
            yield f"own {name}"


def _texts(post: Post, own: Settings, sent: list[str], rendition: Rendition) -> Iterator[str]:
    given = [part.text for part in post.parts] if own.text is None else [own.text]
    at, whole = 0, bare("".join(sent))
    for number, text in enumerate(given, 1):
        at = whole.find(bare(text), at)
        if at < 0:
            yield f"text of part {number}, or its order"
            return
        at += len(bare(text))
    same = [text.replace("\r\n", "\n") for text in given] == [part.text for part in rendition.parts]
    if not same and not rendition.changes and not rendition.losses:
        yield "a changed text without a line"


def _media(post: Post, rendition: Rendition) -> Iterator[str]:
    attachments = [attachment for part in rendition.parts for attachment in part.media]
    order = [attachment.name for attachment in attachments]
    given = [media.name for media in post.media]
    if order != [name for name in given if name in order]:
        yield f"the order of the pictures: {order} of {given}"
    for media in post.media:
        found = [attachment for attachment in attachments if attachment.name == media.name]
        if not found:
            if not told(rendition, "media", media.name, media.alt.strip()):
                yield f"picture {media.name}"
            continue
        (attachment,) = found
        if attachment.alt != media.alt and not told(rendition, "alt", media.name, media.alt):
            yield f"alt text of {media.name}"
        as_given = attachment.sha256 == hashlib.sha256(media.read()).hexdigest()
        if not as_given and not told(rendition, "media", media.name, lost=False):
            yield f"a changed picture without a line: {media.name}"


CHOICES = st.builds(
    RenderOptions,
    values=st.just({}) | st.just({"flair": "Other", "count": 3}),
    numbering=st.booleans(),
    split=st.booleans(),
)


@pytest.mark.parametrize(
    "name",
    [
        "weighted thread",
        "graphemes and bytes",
        "title and no threads",
        "server",
        "text alone",
    ],
)
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(post=posts(), options=CHOICES)
def test_every_field_is_accounted_for(
    name: str, tables: dict[str, Limits], post: Post, options: RenderOptions
) -> None:
    limits = tables[name]
    rendition: Rendition | None = None
    reasons: tuple[str, ...] = ()
    try:
        rendition = adapt("here", post, limits, options)
    except CannotRender as refusal:
        reasons = refusal.reasons
    if rendition is None:
        assert reasons
        assert all(reason.endswith(".") for reason in reasons)
        return
    assert list(missing(post, options, rendition)) == []
    for part in rendition.parts:
        assert part.text.strip() or part.media or part.fields
        assert all(limit.counter.count(part.text) <= limit.maximum for limit in limits.text)
        assert len(part.media) <= limits.media_count
    numbers = {line.part for line in (*rendition.changes, *rendition.losses)} - {None}
    assert all(1 <= number <= len(rendition.parts) for number in numbers if number)


def test_most_posts_are_rendered_somewhere(tables: dict[str, Limits]) -> None:
    """The property would hold for an adapter that refuses everything."""
    outcomes: dict[str, list[bool]] = {name: [] for name in tables}

    @settings(max_examples=120, deadline=None, database=None, derandomize=True)
    @given(posts())
    def attempt(post: Post) -> None:
        for name, limits in tables.items():
            try:
                adapt("here", post, limits, RenderOptions())
            except CannotRender:
                outcomes[name].append(False)
            else:
                outcomes[name].append(True)

    attempt()
    shares: dict[str, Any] = {name: sum(found) / len(found) for name, found in outcomes.items()}
    assert min(shares.values()) > 0.03, shares
    assert max(shares.values()) > 0.6, shares

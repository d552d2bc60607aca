"""The judge can fail: each lie of a report, and each damage to what the network holds, is found."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from postkit.emulator.timeline import LivePost, ShownMedia, ShownPoll
from postkit.report import DeliveryReport

from .bench import Sent
from .conftest import FULL, Published
from .pictures import exif

pytestmark = pytest.mark.timeout(1800 if FULL else 120)

Damage = Callable[[Sent], Sent | None]
SOME = 12
"""Posts of each network that are damaged."""


def _with(sent: Sent, place: int, **fields: Any) -> Sent:
    live = list(sent.live)
    live[place] = replace(live[place], **fields)
    return replace(sent, live=live)


def _worded(sent: Sent, text: str, place: int) -> Sent:
    """``text`` as the emulator holds it, also as the source of Markdown where it has one."""
    post = sent.live[place]
    extra = {**post.extra, "source": text} if "source" in post.extra else post.extra
    return _with(sent, place, text=text, extra=extra)


def _text_of(post: LivePost) -> str:
    return str(post.extra.get("source", post.text))


def a_cut_text(sent: Sent) -> Sent | None:
    text = _text_of(sent.live[-1])
    return _worded(sent, text[:-1], -1) if text.strip() and text[-1].isalnum() else None


def a_word_too_many(sent: Sent) -> Sent | None:
    return _worded(sent, f"{_text_of(sent.live[0])} indeed".lstrip(), 0)


def another_letter(sent: Sent) -> Sent | None:
    text = _text_of(sent.live[0])
    return _worded(sent, text.replace("o", "0", 1), 0) if "o" in text else None


def a_line_break_for_a_space(sent: Sent) -> Sent | None:
    text = _text_of(sent.live[0])
    return _worded(sent, text.replace(" ", "\n\n", 1), 0) if " " in text.strip() else None


def a_part_too_few(sent: Sent) -> Sent | None:
    return replace(sent, live=sent.live[:-1]) if len(sent.live) > 1 else None


def a_part_twice(sent: Sent) -> Sent | None:
    return replace(sent, live=[*sent.live, replace(sent.live[-1], parent=sent.live[-1].id)])


def parts_that_changed_places(sent: Sent) -> Sent | None:
    if len(sent.live) < 2:
        return None
    one, two = sent.live[:2]
    swapped = [replace(two, id=one.id, parent=one.parent), replace(one, id=two.id, parent=one.id)]
    return replace(sent, live=[*swapped, *sent.live[2:]])


def a_reply_to_nobody(sent: Sent) -> Sent | None:
    return _with(sent, -1, parent=None) if len(sent.live) > 1 else None


def _media_of(sent: Sent) -> int | None:
    return next((n for n, post in enumerate(sent.live) if post.media), None)


def _first_media(sent: Sent, change: Callable[[ShownMedia], ShownMedia | None]) -> Sent | None:
    place = _media_of(sent)
    if place is None:
        return None
    first, *others = sent.live[place].media
    changed = change(first)
    return None if changed is None else _with(sent, place, media=(changed, *others))


def no_alt_text(sent: Sent) -> Sent | None:
    return _first_media(sent, lambda media: replace(media, alt="") if media.alt else None)


def an_alt_text_of_its_own(sent: Sent) -> Sent | None:
    return _first_media(sent, lambda media: replace(media, alt=f"{media.alt} image"))


def a_picture_too_few(sent: Sent) -> Sent | None:
    place = _media_of(sent)
    return None if place is None else _with(sent, place, media=sent.live[place].media[1:])


def a_picture_twice(sent: Sent) -> Sent | None:
    place = _media_of(sent)
    return None if place is None else _with(sent, place, media=sent.live[place].media[:1] * 2)


def pictures_that_changed_places(sent: Sent) -> Sent | None:
    place = next((n for n, post in enumerate(sent.live) if len(post.media) > 1), None)
    if place is None:
        return None
    one, two, *others = sent.live[place].media
    # The alternative texts stay, so that the pictures alone tell.
    swapped = (replace(two, alt=one.alt), replace(one, alt=two.alt), *others)
    return _with(sent, place, media=swapped)


def _encoded(sent: Sent, encode: Callable[[Image.Image], Image.Image], **how: Any) -> Sent | None:
    """The first still picture in another encoding, under the hash of its new bytes."""
    place = _media_of(sent)
    if place is None or sent.live[place].media[0].mime == "video/mp4":
        return None
    media = sent.live[place].media[0]
    with Image.open(io.BytesIO(sent.media[media.sha256])) as image:
        if getattr(image, "n_frames", 1) > 1 or image.width > 2000:
            return None
        if image.format == "GIF":
            return None
        made, form = encode(image), image.format
    target = io.BytesIO()
    made.save(target, form, **how)
    name = hashlib.sha256(target.getvalue()).hexdigest()
    changed = _first_media(sent, lambda media: replace(media, sha256=name))
    return changed and replace(changed, media={**sent.media, name: target.getvalue()})


def another_colour(sent: Sent) -> Sent | None:
    return _encoded(
        sent, lambda image: image.convert("RGB").point([v // 2 for v in range(256)] * 3)
    )


def upside_down(sent: Sent) -> Sent | None:
    return _encoded(sent, lambda image: image.transpose(Image.Transpose.ROTATE_180))


def half_as_large(sent: Sent) -> Sent | None:
    return _encoded(sent, lambda image: image.resize((image.width // 2, image.height // 2)))


def a_camera_in_it(sent: Sent) -> Sent | None:
    return _encoded(sent, lambda image: image.copy(), exif=exif(1))


def no_title(sent: Sent) -> Sent | None:
    return _with(sent, 0, title=None) if sent.live[0].title else None


def a_title(sent: Sent) -> Sent | None:
    return _with(sent, 0, title="A title that nobody gave")


def no_link(sent: Sent) -> Sent | None:
    link = sent.live[0].link
    return _with(sent, 0, link=None) if link and link not in sent.live[0].text else None


def a_link(sent: Sent) -> Sent | None:
    return _with(sent, 0, link="https://stranger.example/")


def a_tag(sent: Sent) -> Sent | None:
    return _with(sent, 0, tags=(*sent.live[0].tags, "stranger"))


def a_tag_too_few(sent: Sent) -> Sent | None:
    tags = sent.live[0].tags
    return _with(sent, 0, tags=tags[1:]) if tags else None


def a_poll(sent: Sent) -> Sent | None:
    return _with(sent, 0, poll=None if sent.live[0].poll else ShownPoll(("a", "b")))


def another_answer(sent: Sent) -> Sent | None:
    poll = sent.live[0].poll
    return _with(sent, 0, poll=replace(poll, options=poll.options[::-1])) if poll else None


def a_longer_poll(sent: Sent) -> Sent | None:
    poll = sent.live[0].poll
    if poll is None or poll.ends_at is None:
        return None
    later = poll.ends_at + (poll.ends_at - sent.live[0].created_at)
    return _with(sent, 0, poll=replace(poll, ends_at=later))


def a_warning(sent: Sent) -> Sent | None:
    there = sent.live[-1].content_warning
    return _with(sent, -1, content_warning=f"{there}, Beware" if there else "Beware")


def no_warning(sent: Sent) -> Sent | None:
    outcomes = {row["field"]: row["outcome"] for row in sent.report.fields}
    is_there = outcomes.get("content_warning") in ("delivered", "adapted")
    return _with(sent, -1, content_warning=None) if is_there else None


def another_language(sent: Sent) -> Sent | None:
    return _with(sent, -1, language="eo")


def another_audience(sent: Sent) -> Sent | None:
    return _with(sent, -1, visibility="followers")


def other_repliers(sent: Sent) -> Sent | None:
    there = sent.live[-1].replies
    return _with(sent, -1, replies="nobody" if there != "nobody" else "everyone")


def a_request(sent: Sent) -> Sent | None:
    return replace(sent, creates=1) if sent.report.state != "live" else None


HELD: tuple[Damage, ...] = (
    *(a_cut_text, a_word_too_many, another_letter, a_line_break_for_a_space),
    *(a_part_too_few, a_part_twice, parts_that_changed_places, a_reply_to_nobody),
    *(no_alt_text, an_alt_text_of_its_own, a_picture_too_few, a_picture_twice),
    *(pictures_that_changed_places, another_colour, upside_down, half_as_large, a_camera_in_it),
    *(no_title, a_title, no_link, a_link, a_tag, a_tag_too_few, a_poll, another_answer),
    *(a_longer_poll, a_warning, no_warning, another_language, another_audience),
    *(other_repliers, a_request),
)


def test_what_the_network_holds_is_looked_at(published: Published) -> None:
    for number, (given, sent) in enumerate(published.all[:SOME]):
        for damage in HELD:
            if (sent.report.state == "live") == (damage is a_request):
                continue
            damaged = damage(sent)
            if damaged is not None:
                found = published.mismatches(given, damaged)
                assert found, f"post {number}, {damage.__name__}: {given.post}, {damaged.live}"


def test_every_damage_is_done(published: Published) -> None:
    """One that fits no post would prove nothing; a network need not have polls or titles."""
    posts = [sent for _, sent in published.all if sent.report.state == "live"]
    done = {damage for damage in HELD if any(damage(sent) is not None for sent in posts)}
    assert len(done) >= len(HELD) * 0.7


Rows = tuple[Mapping[str, Any], ...]


def _lies(rows: Rows) -> Iterator[Rows]:
    """The rows with one of them that says something else, is missing, or is there twice."""
    for place, row in enumerate(rows):
        before, after = rows[:place], rows[place + 1 :]
        for outcome in ("delivered", "lost", "refused"):
            if outcome != row["outcome"]:
                how = "" if outcome == "delivered" else row["how"]
                yield (*before, {**row, "outcome": outcome, "how": how}, *after)
        yield (*before, *after)
        yield (*before, row, row, *after)


def test_every_row_is_a_claim(published: Published) -> None:
    for number, (given, sent) in enumerate(published.all[:SOME]):
        for rows in _lies(sent.report.fields):

            def lying(report: DeliveryReport, rows: Rows = rows) -> DeliveryReport:
                return replace(report, fields=rows)

            delivery = sent.delivery and lying(sent.delivery)
            told = replace(sent, plan=lying(sent.plan), delivery=delivery)
            lie = [row for row in rows if row not in sent.report.fields]
            assert published.mismatches(given, told), f"post {number}: {lie} of {given.post}"


def test_a_plan_that_said_something_else_is_found(published: Published) -> None:
    for given, sent in published.all[:SOME]:
        if sent.delivery is not None and sent.report.state == "live":
            first, *others = sent.plan.fields
            plan = replace(sent.plan, fields=({**first, "how": "otherwise"}, *others))
            assert published.mismatches(given, replace(sent, plan=plan))

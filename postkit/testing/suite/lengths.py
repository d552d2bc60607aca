"""Lengths: what the table allows is taken as it is, and one unit more is never sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postkit.errors import Refused
from postkit.limits.model import TextLimit
from postkit.post import Media, Poll

from ..pictures import picture
from ..rig import Rig, story
from ..texts import exactly
from .bench import Bench


def texts(rig: Rig, more: int = 0) -> list[tuple[TextLimit, str]]:
    """For each limit of a part's text: a text that is ``more`` units past its maximum."""
    found = []
    limits = rig.limits.text
    for limit in limits:
        others = [other for other in limits if other is not limit]
        text = exactly(limit, limit.maximum + more, others)
        if text is not None:
            found.append((limit, text))
    assert found, "No text could be made that reaches a limit of the table."
    return found


class LengthConformance(Bench):
    """Each maximum of the table, at the maximum and one past it."""

    def test_a_text_at_the_maximum_is_one_part_and_unchanged(self, rig: Rig) -> None:
        for limit, text in texts(rig):
            rig.server.reset()
            report = rig.publish(rig.post(text))
            assert report.state == "live", story(rig, report)
            assert len(report.parts) == 1, (
                f"{limit.maximum} {limit.counter.unit} fit, but became {len(report.parts)} parts."
            )
            assert [post.text for post in rig.live()] == [text], (
                f"A text of {limit.maximum} {limit.counter.unit} did not arrive as it is."
            )

    def test_a_text_past_the_maximum_is_split_or_refused(self, rig: Rig) -> None:
        for limit, text in texts(rig, 1):
            rig.server.reset()
            past = f"A text of {limit.maximum + 1} {limit.counter.unit}"
            report = rig.publish_or_refuse(rig.post(text))
            if report is None:
                assert not rig.limits.threads, f"{past} could be a thread, but was refused."
                continue
            assert report.state == "live", story(rig, report)
            posts = rig.live()
            assert len(posts) > 1, f"{past} was published as one post."
            assert "".join("".join(p.text for p in posts).split()) == "".join(text.split()), (
                f"{past} lost or gained letters when it was split."
            )
            assert report.changes, f"{past} was split without a word in the report."

    def test_without_splitting_a_long_text_is_refused(self, rig: Rig) -> None:
        for limit, text in texts(rig, 1):
            planned = rig.plan(rig.post(text), split=False)
            assert planned.rendition is None, f"{limit.maximum + 1} {limit.counter.unit} were taken"
        assert not rig.creates()

    def test_the_emulator_keeps_to_the_table(self, rig: Rig) -> None:
        for limit, text in texts(rig):
            rig.server.reset()
            part = rig.part(rig.post(text))
            rig.send_raw(part)
            assert len(rig.live()) == 1
            longer = exactly(limit, limit.maximum + 1)
            assert longer is not None
            with pytest.raises(Refused):
                rig.send_raw(replace(part, text=longer))
            assert len(rig.live()) == 1, (
                f"The emulator took {limit.maximum + 1} {limit.counter.unit}; the table says "
                f"{limit.maximum}. One of them is wrong."
            )

    def test_a_link_counts_as_the_table_says(self, rig: Rig) -> None:
        link = "https://example.com/a/path/that/is/longer/than/any/network/shortens?to=anything"
        for limit in rig.limits.text:
            count = limit.counter.count
            text = f"{link} " + "a" * (limit.maximum - count(f"{link} "))
            if not all(other.counter.count(text) <= other.maximum for other in rig.limits.text):
                continue
            rig.server.reset()
            part = rig.part(rig.post(text))
            rig.send_raw(part)
            assert len(rig.live()) == 1
            with pytest.raises(Refused):
                rig.send_raw(replace(part, text=text + "a"))

    def test_alt_text_at_the_maximum_arrives(self, rig: Rig) -> None:
        limit = rig.limits.alt
        if limit is None or not rig.limits.media_count:
            return
        alt = exactly(limit, limit.maximum)
        assert alt is not None
        report = rig.publish(rig.post(media=[Media(picture(), alt, name="one.png")]))
        assert report.state == "live", story(rig, report)
        assert [media.alt for post in rig.live() for media in post.media] == [alt]

    def test_alt_text_past_the_maximum_is_told(self, rig: Rig) -> None:
        limit = rig.limits.alt
        if limit is None or not rig.limits.media_count:
            return
        alt = exactly(limit, limit.maximum + 1)
        assert alt is not None
        planned = rig.plan(rig.post(media=[Media(picture(), alt, name="one.png")]))
        told = [c.field for c in (planned.rendition.changes + planned.rendition.losses)] if (
            planned.rendition
        ) else ["alt"]  # fmt: skip
        assert "alt" in told, "An alt text that is too long was neither refused nor reported."

    def test_a_title_at_the_maximum_arrives_and_past_it_is_told(self, rig: Rig) -> None:
        limit = rig.limits.title
        if limit is None:
            return
        title = exactly(limit, limit.maximum)
        assert title is not None
        report = rig.publish(rig.post(title=title))
        assert report.state == "live", story(rig, report)
        assert [post.title for post in rig.live()] == [title]
        longer = exactly(limit, limit.maximum + 1)
        assert longer is not None
        planned = rig.plan(rig.post("Another text.", title=longer))
        told = planned.rendition is None or any(
            c.field == "title" for c in planned.rendition.changes + planned.rendition.losses
        )
        assert told, "A title that is too long was neither refused nor reported."

    def test_a_poll_at_the_maximum_arrives_and_past_it_is_told(self, rig: Rig) -> None:
        limit = rig.limits.poll
        if limit is None:
            return
        options = tuple(
            str(n) + "o" * (limit.max_option_length - 1) for n in range(limit.max_options)
        )
        report = rig.publish(rig.post(poll=Poll(options, limit.max_minutes)))
        assert report.state == "live", story(rig, report)
        assert [post.poll and post.poll.options for post in rig.live()] == [options]
        short = tuple(f"option {n}" for n in range(limit.max_options + 1))
        for what, poll in (
            ("one option too many", Poll(short, limit.max_minutes)),
            ("an option that is too long", Poll((options[0] + "o", "b"), limit.max_minutes)),
            ("a minute too long", Poll(short[:2], limit.max_minutes + 1)),
            ("a minute too short", Poll(short[:2], limit.min_minutes - 1)),
        ):
            planned = rig.plan(rig.post("Another text.", poll=poll))
            told = planned.rendition is None or any(
                c.field == "poll" for c in planned.rendition.changes + planned.rendition.losses
            )
            assert told, f"A poll with {what} was neither refused nor reported."

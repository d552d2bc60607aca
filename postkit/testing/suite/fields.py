"""Fields: what an author wrote is delivered, or the report says that it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postkit.emulator.timeline import LivePost
from postkit.post import REPLIES, Media, Part, Poll

from ..pictures import picture
from ..rig import Rig, story
from .bench import Bench

TITLE = "We ship the seventh version"
LINK = "https://example.com/conformance/launch"
TAGS = ("launchday", "opensource")
WARNING = "Contains spoilers for version 8"
ALTS = ("A rocket on its pad", "The team, waving")

Found = Callable[[list[LivePost]], bool]


def _everywhere(posts: list[LivePost]) -> str:
    return "\n".join(post.text for post in posts)


FIELDS: dict[str, tuple[dict[str, Any], Found]] = {
    "title": (
        {"title": TITLE},
        lambda posts: posts[0].title == TITLE or TITLE in _everywhere(posts),
    ),
    "link": (
        {"link": LINK},
        lambda posts: LINK in (posts[0].link or "") or LINK in _everywhere(posts),
    ),
    "tags": (
        {"tags": TAGS},
        lambda posts: all(f"#{tag}" in _everywhere(posts) or tag in posts[0].tags for tag in TAGS),
    ),
    "content_warning": (
        {"content_warning": WARNING},
        lambda posts: all(post.content_warning == WARNING for post in posts),
    ),
    "lang": ({"lang": "de"}, lambda posts: all(post.language == "de" for post in posts)),
    "replies": ({"replies": "everyone"}, lambda posts: posts[0].replies == "everyone"),
    "poll": (
        {"poll": Poll(("Yes", "No", "Perhaps"), 1440)},
        lambda posts: bool(posts[0].poll and posts[0].poll.options == ("Yes", "No", "Perhaps")),
    ),
}
"""Each field: what is posted, and how it is found in the emulator's posts."""


class FieldConformance(Bench):
    """Each field alone, then all of them together."""

    @pytest.mark.parametrize("field", sorted(FIELDS))
    def test_a_field_is_delivered_or_reported(self, rig: Rig, field: str) -> None:
        more, found = FIELDS[field]
        post = rig.post(**more)
        planned = rig.plan(post)
        if planned.rendition is None:
            assert any(field.replace("_", " ") in r or field in r for r in planned.reasons), (
                f"The post was refused, but no reason names {field}: {planned.reasons}"
            )
            return
        report = rig.publish(post)
        assert report.state == "live", story(rig, report)
        told = {row["field"] for row in (*report.changes, *report.losses)}
        assert found(rig.live()) or field in told, (
            f"{field} was given, is not in the live post, and the report does not say so."
            f"\n{story(rig, report)}"
        )

    @pytest.mark.parametrize("field", sorted(FIELDS))
    def test_a_reported_loss_is_a_refusal_when_strict(self, rig: Rig, field: str) -> None:
        post = rig.post(**FIELDS[field][0])
        planned = rig.plan(post)
        if planned.rendition is None or not planned.rendition.losses:
            return
        strict = rig.plan(post, strict=True)
        assert strict.rendition is None, f"--strict sends a post without its {field}."

    def test_each_visibility_is_delivered(self, rig: Rig) -> None:
        for visibility in rig.limits.visibility:
            rig.server.reset()
            report = rig.publish(rig.post(f"For {visibility} eyes.", visibility=visibility))
            assert report.state == "live", story(rig, report)
            assert [post.visibility for post in rig.live()] == [visibility]

    def test_an_unknown_visibility_is_never_dropped_silently(self, rig: Rig) -> None:
        planned = rig.plan(rig.post(visibility="only-my-cat"))
        told = planned.rendition is None or any(
            row.field == "visibility"
            for row in planned.rendition.changes + planned.rendition.losses
        )
        assert told, "An audience that the network does not have was neither refused nor reported."

    @pytest.mark.parametrize("replies", REPLIES)
    def test_who_may_reply_is_delivered_or_refused(self, rig: Rig, replies: str) -> None:
        parts: list[str | Part] = ["Who may reply to this?", "And to this?"]
        post = rig.post(parts if rig.limits.threads else "Who may reply?", replies=replies)
        if replies not in rig.limits.replies and replies != "everyone":
            planned = rig.plan(post)
            assert planned.rendition is None, "What was meant for a few would be open to all."
            assert any("replies" in reason for reason in planned.reasons), planned.reasons
            return
        report = rig.publish(post)
        assert report.state == "live", story(rig, report)
        told = [row["field"] for row in (*report.changes, *report.losses)]
        assert rig.live()[0].replies == replies or "replies" in told, story(rig, report)

    @pytest.mark.parametrize("fault", ["lose_answer", "reset", "truncate"])
    def test_a_lost_answer_leaves_one_post_with_its_reply_control(
        self, rig: Rig, fault: str
    ) -> None:
        limited = [word for word in rig.limits.replies if word != "everyone"]
        if not limited:
            return
        rig.fault(fault)
        report = rig.publish(rig.post("Not for all to answer.", replies=limited[0]))
        posts = rig.live()
        assert report.state in ("live", "uncertain"), story(rig, report)
        assert [post.replies for post in posts] == [limited[0]], story(rig, report)

    def test_a_thread_arrives_whole(self, rig: Rig) -> None:
        parts = ["The first part of it.", "The second part of it."]
        report = rig.publish_or_refuse(rig.post(list(parts)))
        if report is None:
            return
        assert report.state == "live", story(rig, report)
        posts = rig.live()
        if rig.limits.threads:
            assert [post.text for post in posts] == parts
            assert [post.parent for post in posts] == [None, posts[0].id]
            return
        assert len(posts) == 1
        assert all(part in posts[0].text for part in parts), "A part of the thread is missing."
        assert report.changes, "A thread became one post without a word in the report."

    def test_a_full_post(self, rig: Rig) -> None:
        images = [Media(picture(n), alt, name=f"{n}.png") for n, alt in enumerate(ALTS)]
        post = rig.post(
            [Part("The first part of it.", (images[0],)), Part("The second.", (images[1],))],
            title=TITLE,
            link=LINK,
            tags=TAGS,
            content_warning=WARNING,
            lang="de",
            replies="everyone",
        )
        report = rig.publish_or_refuse(post)
        if report is None:
            return
        assert report.state == "live", story(rig, report)
        posts = rig.live()
        told = {row["field"] for row in (*report.changes, *report.losses)}
        for field, (_, found) in FIELDS.items():
            if field != "poll":
                assert field in told or found(posts), (
                    f"{field} is neither live nor in the report.\n{story(rig, report)}"
                )
        arrived = [media.alt for one in posts for media in one.media]
        assert arrived == list(ALTS) or told & {"alt", "media"}, (
            f"Of the alt texts {ALTS}, {arrived} arrived, and the report does not say so."
        )
        for text in ("The first part of it.", "The second."):
            assert text in _everywhere(posts), f"{text!r} is not live."

"""Videos: the very bytes of the rendition, never in bad company, and uploads that go on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from postkit.errors import Refused
from postkit.network import Attachment
from postkit.post import Media

from ..pictures import picture
from ..rig import Rig, story
from ..videos import video
from .bench import Bench

MOST_STEPS = 60


class Crash(BaseException):
    """The process is no more; nothing may handle it."""


class Breaking(MutableMapping[str, Any]):
    """A journal that is durable, in a process that dies right after its n-th line."""

    def __init__(self, kept: dict[str, Any], lines: int) -> None:
        self._kept = kept
        self._left = lines

    def _wrote(self) -> None:
        self._left -= 1
        if self._left <= 0:
            raise Crash

    def __setitem__(self, name: str, value: Any) -> None:
        self._kept[name] = value
        self._wrote()

    def __delitem__(self, name: str) -> None:
        del self._kept[name]
        self._wrote()

    def __getitem__(self, name: str) -> Any:
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def clip(number: int = 0, **more: Any) -> Media:
    return Media(video(number, **more), f"A rocket that leaves, {number}", name=f"{number}.mp4")


class VideoConformance(Bench):
    """Nothing here holds for a network without videos; its tests then only look at the plan."""

    def test_a_video_arrives_as_planned(self, rig: Rig) -> None:
        post = rig.post(media=[clip()])
        planned = rig.plan(post)
        if rig.limits.video is None:
            told = planned.rendition is None or any(
                line.field == "media" for line in planned.rendition.losses
            )
            assert told, "A video vanishes without a word."
            return
        assert planned.rendition is not None, planned.reasons
        report = rig.publish(post)
        assert report.state == "live", story(rig, report)
        wanted = [m for part in planned.rendition.parts for m in part.media]
        found = [m for one in rig.live() for m in one.media]
        assert [m.sha256 for m in found] == [m.sha256 for m in wanted], (
            "The bytes at the network are not those that the plan shows."
        )
        assert [m.alt for m in found] == [m.alt for m in wanted], "Alt texts differ from the plan."

    def test_two_videos_and_a_picture_stay_apart_or_are_refused(self, rig: Rig) -> None:
        limit = rig.limits.video
        if limit is None:
            return
        media = [clip(1), Media(picture(), "A fish", name="fish.png"), clip(2)]
        report = rig.publish_or_refuse(rig.post(media=media))
        if report is None:
            return
        assert report.state == "live", story(rig, report)
        kinds = [[m.mime.partition("/")[0] for m in one.media] for one in rig.live()]
        assert [kind for one in kinds for kind in one] == ["video", "image", "video"], kinds
        for one in kinds:
            assert one.count("video") <= limit.count, kinds
            assert limit.beside_images or len(set(one)) <= 1, kinds

    def test_a_video_that_is_too_long_is_refused_with_the_reason(self, rig: Rig) -> None:
        limit = rig.limits.video
        if limit is None or limit.max_seconds is None:
            return
        planned = rig.plan(rig.post(media=[clip(seconds=limit.max_seconds + 2)]))
        assert planned.rendition is None, "What is too long is cut, or sent and refused there."
        assert f"at most {limit.max_seconds:g} s" in " ".join(planned.reasons)

    def test_the_emulator_refuses_a_video_that_is_too_long(self, rig: Rig) -> None:
        limit = rig.limits.video
        if limit is None or limit.max_seconds is None:
            return
        part = rig.part(rig.post(media=[clip()]))
        data = video(seconds=limit.max_seconds + 2)
        with pytest.raises(Refused):
            rig.send_raw(replace(part, media=(_raw(data, part.media[0]),)))
        assert not rig.live(), f"The emulator took more than {limit.max_seconds:g} seconds."

    def test_an_upload_goes_on_where_a_crash_has_left_it(self, rig: Rig) -> None:
        if rig.limits.video is None:
            return
        part = rig.part(rig.post(media=[clip()]))
        with rig.connected() as connection:
            outgoing = rig.outgoing(part, connection)
            once = len(rig.writes())
            for lines in range(1, MOST_STEPS):
                kept: dict[str, Any] = {}
                before = len(rig.writes())
                try:
                    rig.network.prepare(connection.client, part, Breaking(kept, lines))
                except Crash:
                    assert kept, "The journal was told of nothing."
                else:
                    break
                connection.ask(partial(rig.network.prepare, connection.client, part, kept))
                spent = len(rig.writes()) - before
                assert spent <= once, f"After line {lines} something was uploaded again."
                assert not rig.live(), "prepare() made something visible."
                outgoing = replace(outgoing, prepared=kept)
            assert lines > 1, "prepare() writes nothing down."
            rig.sent(outgoing, connection)
        assert [len(one.media) for one in rig.live()] == [1]


def _raw(data: bytes, like: Attachment) -> Attachment:
    """``data`` as it would never be sent: nobody has made it fit."""
    digest = hashlib.sha256(data).hexdigest()
    return replace(like, sha256=digest, size=len(data), load=lambda: data, stream=None)

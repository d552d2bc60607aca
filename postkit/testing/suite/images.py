"""Images: the very bytes of the rendition, with the very alt texts, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from postkit.errors import NetworkError, Refused
from postkit.network import Attachment, RenderedPart
from postkit.post import Media

from ..pictures import KINDS, padded, picture
from ..rig import Rig, story
from .bench import Bench


def pictures(count: int) -> list[Media]:
    return [Media(picture(n), f"Picture number {n}", name=f"{n}.png") for n in range(count)]


def attachment(data: bytes, like: Attachment) -> Attachment:
    """``data`` as it would never be sent: nobody has made it fit."""
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    return replace(
        like, sha256=digest, mime="image/jpeg", size=len(data), name="raw.jpg", load=lambda: data
    )


class ImageConformance(Bench):
    """Nothing here holds for a network without pictures; its tests then only look at the plan."""

    def test_bytes_and_alt_texts_arrive_as_planned(self, rig: Rig) -> None:
        post = rig.post(media=pictures(max(1, min(2, rig.limits.media_count))))
        planned = rig.plan(post)
        if not rig.limits.media_count:
            assert _told(planned.rendition, "media"), "Pictures vanish without a word."
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
        if rig.limits.alt is not None:
            assert [m.alt for m in found] == [m.alt for m in post.media]

    def test_a_picture_without_alt_text_arrives_without(self, rig: Rig) -> None:
        if not rig.limits.media_count:
            return
        report = rig.publish(rig.post(media=[Media(picture(), name="one.png")]))
        assert report.state == "live", story(rig, report)
        assert [m.alt for one in rig.live() for m in one.media] == [""]

    def test_as_many_pictures_as_the_table_allows(self, rig: Rig) -> None:
        most = rig.limits.media_count
        if not most:
            return
        report = rig.publish(rig.post(media=pictures(most)))
        assert report.state == "live", story(rig, report)
        assert [len(one.media) for one in rig.live()] == [most]
        assert _alts(rig) == [f"Picture number {n}" for n in range(most)] or _losses(report)

    def test_one_picture_more_goes_on_or_is_refused(self, rig: Rig) -> None:
        count = rig.limits.media_count + 1
        report = rig.publish_or_refuse(rig.post(media=pictures(count)))
        if report is None:
            return
        assert report.state == "live", story(rig, report)
        arrived = sum(len(one.media) for one in rig.live())
        assert arrived == count or _losses(report, "media"), (
            f"Of {count} pictures {arrived} arrived, and the report does not say so."
        )
        assert all(len(one.media) <= rig.limits.media_count for one in rig.live())

    def test_the_emulator_refuses_one_picture_more(self, rig: Rig) -> None:
        most = rig.limits.media_count
        if not most:
            return
        part = rig.part(rig.post(media=pictures(most)))
        extra = part.media[-1]
        more = replace(part, media=(*part.media, extra))
        with pytest.raises(NetworkError) as caught:
            rig.send_raw(more)
        assert isinstance(caught.value, Refused), f"not a definite no: {caught.value!r}"
        assert not rig.live(), f"The emulator took {most + 1} pictures; the table says {most}."

    def test_the_emulator_keeps_to_the_size_in_the_table(self, rig: Rig) -> None:
        limit = rig.limits.image
        if limit is None or not rig.limits.media_count or "image/jpeg" not in limit.mime_types:
            return
        part = rig.part(rig.post(media=pictures(1)))
        rig.send_raw(_with(part, [attachment(padded(limit.max_bytes), part.media[0])]))
        assert len(rig.live()) == 1, f"The emulator refuses {limit.max_bytes} bytes."
        with pytest.raises(Refused):
            rig.send_raw(_with(part, [attachment(padded(limit.max_bytes + 1), part.media[0])]))
        assert len(rig.live()) == 1, f"The emulator took {limit.max_bytes + 1} bytes."

    def test_a_type_that_is_not_allowed_is_converted_or_refused(self, rig: Rig) -> None:
        limit = rig.limits.image
        if limit is None or not rig.limits.media_count:
            return
        for kind in (kind for mime, kind in KINDS.items() if mime not in limit.mime_types):
            rig.server.reset()
            name = f"picture.{kind.lower()}"
            post = rig.post(f"A {kind}.", media=[Media(picture(kind=kind), "A picture", name=name)])
            report = rig.publish_or_refuse(post)
            if report is None:
                continue
            assert report.state == "live", story(rig, report)
            found = [m for one in rig.live() for m in one.media]
            assert [m.mime in limit.mime_types for m in found] == [True], f"{kind}: {found}"
            assert any(row["field"] == "media" for row in report.changes), (
                f"A {kind} was converted without a word in the report."
            )

    def test_a_lying_name_does_not_matter(self, rig: Rig) -> None:
        if not rig.limits.media_count:
            return
        media = [Media(picture(kind="JPEG"), "A picture", name="photo.png")]
        report = rig.publish(rig.post(media=media))
        assert report.state == "live", story(rig, report)
        assert [m.mime for one in rig.live() for m in one.media] != []

    def test_uploads_show_nothing_and_are_not_repeated(self, rig: Rig) -> None:
        count = min(2, rig.limits.media_count)
        part = rig.part(rig.post(media=pictures(count)))
        with rig.connected() as connection:
            outgoing = rig.outgoing(part, connection)
            assert not rig.live(), "prepare() made something visible."
            before = len(rig.writes())
            journal = dict(outgoing.prepared)
            connection.ask(lambda: rig.network.prepare(connection.client, part, journal))
        assert len(rig.writes()) == before, "prepare() repeats what the journal has already."
        assert journal == outgoing.prepared

    def test_each_upload_is_written_down_at_once(self, rig: Rig) -> None:
        """A crash after the first upload must not lose its id."""
        count = min(2, rig.limits.media_count)
        if count < 2:
            return
        part = rig.part(rig.post(media=pictures(count)))
        whole: dict[str, object] = {}
        with rig.connected() as connection:
            connection.ask(lambda: rig.network.prepare(connection.client, part, whole))
            one: dict[str, object] = {}
            single = replace(part, media=part.media[:1])
            connection.ask(lambda: rig.network.prepare(connection.client, single, one))
            before = len(rig.writes())
            connection.ask(lambda: rig.network.prepare(connection.client, part, one))
        spent = len(rig.writes()) - before
        assert set(one) == set(whole), "The names in the journal depend on how far it has come."
        assert spent < before, "The first picture was uploaded again."


def _with(part: RenderedPart, media: Sequence[Attachment]) -> RenderedPart:
    return replace(part, media=tuple(media))


def _alts(rig: Rig) -> list[str]:
    return [m.alt for one in rig.live() for m in one.media]


def _losses(report: object, *names: str) -> list[object]:
    rows = getattr(report, "losses", ())
    return [row for row in rows if not names or row["field"] in names]


def _told(rendition: object, name: str) -> bool:
    if rendition is None:
        return True
    rows = (*getattr(rendition, "changes", ()), *getattr(rendition, "losses", ()))
    return any(row.field == name for row in rows)

"""Looking back: finding our own post and no other, listing, deleting, repeating."""

from __future__ import annotations

import pytest

from postkit.errors import Duplicate
from postkit.network import CanDelete, CanList, Outgoing

from ..pictures import picture
from ..rig import Rig, name_of, story
from .bench import Bench


class LookupConformance(Bench):
    """find, recent, delete, and what the guarantee says of a repeat."""

    def test_nothing_is_found_for_a_post_that_was_never_made(self, rig: Rig) -> None:
        rig.publish(rig.post("Another post of the same account."))
        with rig.connected() as connection:
            outgoing = rig.outgoing(rig.part(rig.post("It was never sent.")), connection)
            found = rig.find(outgoing, connection)
        assert not list(found), f"find() takes another post for ours: {found}"

    def test_our_own_post_is_found(self, rig: Rig) -> None:
        if rig.guarantee().kind == "blind":
            return
        with rig.connected() as connection:
            outgoing = rig.outgoing(rig.part(rig.post()), connection)
            receipt = rig.create(outgoing, connection)
            found = rig.find(outgoing, connection)
        assert [c.receipt.id for c in found] == [receipt.id]
        assert [c.receipt.url for c in found] == [receipt.url]

    def test_a_post_with_everything_in_it_is_found(self, rig: Rig) -> None:
        """Networks rewrite what they show: links, white space, letters with a meaning in HTML."""
        if rig.guarantee().kind == "blind":
            return
        from postkit.post import Media

        text = "Fish & <chips> at https://example.com/a?b=1&c=2 \n\nnow #fresh, 5 > 4 🎉"
        media = [Media(picture(), "A fish", name="fish.png")] if rig.limits.media_count else []
        with rig.connected() as connection:
            outgoing = rig.outgoing(rig.part(rig.post(text, media=media)), connection)
            receipt = rig.sent(outgoing, connection)
            found = rig.find(outgoing, connection)
        assert [c.receipt.id for c in found] == [receipt.id], "find() does not know its own post."

    def test_a_request_survives_the_store(self, rig: Rig) -> None:
        """What another process reads back is the same request."""
        import json

        with rig.connected() as connection:
            outgoing = rig.outgoing(rig.part(rig.post()), connection)
            data = json.loads(json.dumps(outgoing.to_json()))
            again = Outgoing.from_json(data, rig.kit.media)
            receipt = rig.create(again, connection)
        assert [post.id for post in rig.live()], receipt
        kept = json.loads(json.dumps(receipt.to_json()))
        assert kept == receipt.to_json(), "receipt.data must survive a round trip through JSON."

    def test_a_repeat_does_what_the_guarantee_says(self, rig: Rig) -> None:
        part = rig.part(rig.post())
        guarantee = rig.guarantee(part)
        if guarantee.kind not in ("key", "probe", "duplicate_refusal"):
            assert not guarantee.resend_when_absent or guarantee.kind == "read_back"
            return
        with rig.connected() as connection:
            outgoing = rig.outgoing(part, connection)
            first = rig.create(outgoing, connection)
            if guarantee.kind == "duplicate_refusal":
                with pytest.raises(Duplicate):
                    rig.create(outgoing, connection)
            else:
                second = rig.create(outgoing, connection)
                assert second.id == first.id, "The repeat of a request gave another id."
        assert len(rig.live()) == 1, f"A repeat made {len(rig.live())} posts ({guarantee.kind})."

    def test_recent_lists_what_was_published(self, rig: Rig) -> None:
        if not isinstance(rig.network, CanList):
            return
        first = rig.publish(rig.post("The older post."))
        second = rig.publish(rig.post("The newer post."))
        listed = rig.kit.recent(rig.account.label)
        wanted = [second.parts[0].remote_id, first.parts[0].remote_id]
        assert [post.receipt.id for post in listed] == wanted, "recent() lists the newest first."
        assert ["newer" in listed[0].text, "older" in listed[1].text] == [True, True]
        assert listed[0].receipt.url == second.parts[0].url

    def test_a_person_can_name_the_live_post(self, rig: Rig) -> None:
        """The answer `--is-live URL` is taken from recent()."""
        if not isinstance(rig.network, CanList):
            return
        report = rig.publish(rig.post())
        urls = [post.receipt.url for post in rig.kit.recent(rig.account.label)]
        assert all(urls), "A listed post has no link, so nobody could name it."
        assert report.urls[0] in urls

    def test_delete(self, rig: Rig) -> None:
        if not isinstance(rig.network, CanDelete):
            return
        report = rig.publish(rig.post())
        rig.kit.delete(name_of(report))
        assert not rig.live(), "The post is still live."
        assert rig.kit.report(name_of(report)).deliveries[0].state == "cancelled"

    def test_deleting_what_is_gone_is_no_error(self, rig: Rig) -> None:
        if not isinstance(rig.network, CanDelete):
            return
        report = rig.publish(rig.post())
        for post in rig.live():
            rig.server.world.timeline.delete(post.network, post.id)
        rig.kit.delete(name_of(report))
        again = rig.kit.delete(name_of(report))
        assert again.deliveries[0].state == "cancelled", story(rig, report)

"""Faults: whatever happens to the one request, there is one live post or an honest question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postkit.emulator.faults import KINDS
from postkit.errors import InDoubt, Refused
from postkit.network import Guarantee
from postkit.report import DeliveryReport

from ..rig import Rig, name_of, story
from .bench import PATIENCE, Bench, MakeRig
from .lengths import texts

NOTHING_MADE = ("rate_limit", "expire_token")
"""Kinds that say no for certain; ``suite/access.py`` has their tests."""
SPOILED = tuple(kind for kind in KINDS if kind not in NOTHING_MADE)
SECONDS = {"late": 0.3, "index_lag": 0.3, "slow": 0.2}
"""All shorter than the quiet window of an emulator."""


def repeats(guarantee: Guarantee) -> bool:
    """Whether the guarantee lets the core send the same request again by itself."""
    return guarantee.resend_when_absent


class FaultConformance(Bench):
    """Every fault kind on the create request, with the post made and with none made."""

    def rig_for(self, make_rig: MakeRig, kind: str, *, accepted: bool) -> Rig:
        rig = make_rig(self.short_timeout if kind == "hang" else PATIENCE)
        more = {"seconds": SECONDS[kind]} if kind in SECONDS else {}
        rig.fault(kind, accepted=accepted, **more)
        return rig

    @pytest.mark.parametrize("kind", SPOILED)
    def test_made_but_the_answer_spoiled(self, make_rig: MakeRig, kind: str) -> None:
        rig = self.rig_for(make_rig, kind, accepted=True)
        report = rig.publish(rig.post())
        posts = rig.live()
        assert len(posts) == 1, f"{len(posts)} live posts after {kind}.\n{story(rig, report)}"
        guarantee = rig.guarantee()
        most = 2 if repeats(guarantee) else 1
        assert 1 <= len(rig.creates()) <= most, (
            f"{len(rig.creates())} create requests, at most {most} allowed.\n{story(rig, report)}"
        )
        if guarantee.kind == "blind" and kind != "slow":
            assert report.state == "uncertain", story(rig, report)
            assert_asks(report)
            return
        assert report.state == "live", (
            f"The post is there and a guarantee {guarantee.kind!r} finds it.\n{story(rig, report)}"
        )
        if posts[0].url is not None:
            assert report.urls == (posts[0].url,), "The report links to something else."

    @pytest.mark.parametrize("kind", SPOILED)
    def test_not_made_and_no_answer(self, make_rig: MakeRig, kind: str) -> None:
        rig = self.rig_for(make_rig, kind, accepted=False)
        report = rig.publish(rig.post())
        guarantee = rig.guarantee()
        posts = rig.live()
        if repeats(guarantee):
            assert report.state == "live", story(rig, report)
            assert len(posts) == 1, f"{len(posts)} live posts after {kind}.\n{story(rig, report)}"
            assert len(rig.creates()) == 2, story(rig, report)
            return
        assert report.state == "uncertain", (
            f"Absence proves nothing with this guarantee ({guarantee.kind}), so a person must be "
            f"asked.\n{story(rig, report)}"
        )
        assert_asks(report)
        assert not posts, story(rig, report)
        assert len(rig.creates()) == 1, story(rig, report)

    @pytest.mark.parametrize("kind", SPOILED)
    def test_one_request_for_one_publish(self, make_rig: MakeRig, kind: str) -> None:
        """Whatever the client library repeats by itself: publish() sends one request."""
        rig = self.rig_for(make_rig, kind, accepted=True)
        with rig.connected() as connection:
            outgoing = rig.outgoing(rig.part(rig.post()), connection)
            before = len(rig.writes())
            if kind == "slow":
                rig.create(outgoing, connection)
            else:
                # Nobody can know what happened: neither a success nor a definite no.
                with pytest.raises(InDoubt):
                    rig.create(outgoing, connection)
        assert len(rig.writes()) - before == 1, story_of_writes(rig)

    def test_late_past_the_quiet_window(self, make_rig: MakeRig) -> None:
        """Not listed when the core gives up looking, and live afterwards."""
        rig = make_rig()
        guarantee = rig.guarantee()
        quiet = float(rig.account.settings.get("quiet", guarantee.quiet))
        rig.fault("late", seconds=2 * quiet + 1)
        report = rig.publish(rig.post())
        posts = rig.live()
        assert len(posts) == 1, f"{len(posts)} live posts in the end.\n{story(rig, report)}"
        assert len(rig.creates()) <= (2 if repeats(guarantee) else 1), story(rig, report)
        if report.state == "live":
            assert report.parts[0].remote_id == posts[0].id, story(rig, report)
            return
        assert report.state == "uncertain", story(rig, report)
        assert not repeats(guarantee), (
            f"A guarantee {guarantee.kind!r} that lets the core repeat the request must end "
            f"without a question.\n{story(rig, report)}"
        )
        assert_asks(report)

    def test_in_doubt_is_never_sent_twice_by_finishing(self, make_rig: MakeRig) -> None:
        """Finishing again and again, as a scheduled job would."""
        rig = make_rig()
        rig.fault("lose_answer")
        report = rig.publish(rig.post(), wait=0)
        for _ in range(3):
            report = rig.finish(report, wait=0)
        report = rig.finish(report)
        assert len(rig.live()) == 1, story(rig, report)
        assert len(rig.creates()) <= (2 if repeats(rig.guarantee()) else 1), story(rig, report)

    def test_a_question_can_be_answered(self, make_rig: MakeRig) -> None:
        """Where a person must decide, `resend` ends in one live post."""
        rig = make_rig()
        rig.fault("lose_answer", accepted=False)
        report = rig.publish(rig.post())
        if report.state == "uncertain":
            answered = rig.kit.resolve(name_of(report), resend=True)
            report = rig.kept(answered.deliveries[0])
        assert report.state == "live", story(rig, report)
        assert len(rig.live()) == 1, story(rig, report)

    def test_a_definite_no_is_not_doubted(self, rig: Rig) -> None:
        """A refusal of the network ends the delivery at once: no second request."""
        limit, text = texts(rig)[0]
        part = replace(rig.part(rig.post(text)), text=text + "a" * (limit.maximum + 1))
        with rig.connected() as connection:
            outgoing = rig.outgoing(part, connection)
            with pytest.raises(Refused) as caught:
                rig.create(outgoing, connection)
        assert caught.value.message, "A refusal needs a sentence for the user."
        assert caught.value.status is not None, "A refusal carries the status of the answer."


def assert_asks(report: DeliveryReport) -> None:
    assert report.question is not None, "The delivery is uncertain but asks nothing."
    assert report.question["text"]
    assert report.question["answers"], "The question does not say how to answer it."
    assert report.exit_status == 3


def story_of_writes(rig: Rig) -> str:
    rows = [f"  {e.method} {e.path} -> {e.status}" for e in rig.writes()]
    return "publish() sent more than one request:\n" + "\n".join(rows)

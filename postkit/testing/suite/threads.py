"""Threads: they go on where they stopped, in order, and never begin anew."""

from __future__ import annotations

import pytest

from ..rig import Rig, story
from .access import login_again
from .bench import Bench

PARTS = ("The first part.", "The second part.", "The third part.")


class ThreadConformance(Bench):
    """Three parts, and trouble at each of them. Without threads there is nothing to test."""

    @pytest.mark.parametrize("k", [1, 2, 3])
    @pytest.mark.parametrize("kind", ["lose_answer", "no_id"])
    def test_an_answer_lost_at_part(self, rig: Rig, kind: str, k: int) -> None:
        if not rig.limits.threads:
            return
        rig.fault(kind, skip=k - 1)
        report = rig.publish(rig.post(list(PARTS)))
        if rig.guarantee().kind == "blind":
            assert report.state == "uncertain", story(rig, report)
            assert [post.text for post in rig.live()] == list(PARTS[:k]), story(rig, report)
            return
        assert report.state == "live", story(rig, report)
        assert_chain(rig)

    @pytest.mark.parametrize("k", [2, 3])
    def test_throttled_at_part(self, rig: Rig, k: int) -> None:
        if not rig.limits.threads:
            return
        rig.fault("rate_limit", skip=k - 1, seconds=1)
        report = rig.publish(rig.post(list(PARTS)))
        assert report.state == "live", story(rig, report)
        assert_chain(rig)
        assert len(rig.creates()) == len(PARTS) + 1, story(rig, report)

    @pytest.mark.parametrize("k", [1, 2, 3])
    def test_access_ends_at_part(self, rig: Rig, k: int) -> None:
        """Refreshed, or after a person's login: the thread goes on at that part."""
        if not rig.limits.threads:
            return
        rig.fault("expire_token", skip=k - 1)
        report = rig.publish(rig.post(list(PARTS)))
        if report.state != "live":
            assert report.exit_status == 75, story(rig, report)
            assert [post.text for post in rig.live()] == list(PARTS[: k - 1]), story(rig, report)
            login_again(rig)
            report = rig.finish(report)
        assert report.state == "live", story(rig, report)
        assert_chain(rig)

    def test_an_interrupted_thread_is_finished(self, rig: Rig) -> None:
        if not rig.limits.threads:
            return
        rig.fault("rate_limit", skip=1, seconds=2)
        report = rig.publish(rig.post(list(PARTS)), wait=0)
        assert [post.text for post in rig.live()] == list(PARTS[:1]), story(rig, report)
        assert report.exit_status == 75, story(rig, report)
        report = rig.finish(report)
        assert report.state == "live", story(rig, report)
        assert_chain(rig)

    def test_deleting_takes_all_parts(self, rig: Rig) -> None:
        from postkit.network import CanDelete

        if not rig.limits.threads or not isinstance(rig.network, CanDelete):
            return
        report = rig.publish(rig.post(list(PARTS)))
        rig.kit.delete(report.id or "")
        assert not rig.live(), "Deleting a thread left a part behind."


def assert_chain(rig: Rig) -> None:
    """Exactly the three parts, each one the answer to the one before it."""
    posts = rig.live()
    assert [post.text for post in posts] == list(PARTS), (
        f"Wanted {PARTS}; live are {[post.text for post in posts]}."
    )
    parents = [post.parent for post in posts]
    assert parents == [None, *(post.id for post in posts[:-1])], f"The chain is broken: {parents}"

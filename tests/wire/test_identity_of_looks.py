"""Nothing is read, settled or deleted with access that is another account's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from postkit.errors import NeedsLogin, NotDeleted
from postkit.kit import Kit

from .board import HandClock, Server
from .test_identity import BRAND, MINE, Members, board, give, home, kit, kit_at, publish, swap

__all__ = ["board", "home", "kit"]


def post_of_the_brand(server: Server, clock: HandClock, text: str) -> None:
    at = (clock.now() + timedelta(seconds=1)).isoformat()
    server.posts.append({"id": "77", "at": at, "text": text})


def test_a_post_of_another_account_settles_nothing(
    home: Path, board: Members, clock: HandClock, server: Server
) -> None:
    """The brand has said the same words; the request of ours was lost before it arrived."""
    server.script = ["drop"]
    with kit_at(home, board, clock) as kit:
        report = publish(kit, "We ship", wait=0)
        assert report.state == "checking"
    post_of_the_brand(server, clock, "We ship")
    with kit_at(home, board, clock) as kit:
        swap(kit)
        found = kit.finish(report.id, wait=1).deliveries[0]
        assert found.state == "checking"
        why = kit.history(report.id)[-1].reason + kit.history(report.id)[-2].reason
        assert "was connected as @me" in why
        assert "nothing was sent" not in why, "who knows what was sent before"
        assert kit.account("board:mine").state == "needs_login"
    assert server.creates == 1


def test_its_own_access_finds_out_what_waited(kit: Kit, server: Server, clock: HandClock) -> None:
    server.script, server.hidden = ["lose"], True
    report = publish(kit, "one", wait=0)
    server.hidden = False
    give(kit, "mine", BRAND)
    assert kit.finish(report.id, wait=1).deliveries[0].state == "checking"
    kit.connect("board", {"token": MINE}, name="mine", replace=True)
    assert kit.finish(report.id, wait=60).ok
    assert server.creates == 1


def test_a_late_look_with_anothers_access_tells_nothing(
    kit: Kit, server: Server, clock: HandClock
) -> None:
    report = publish(kit, "one")
    post_of_the_brand(server, clock, "one")
    give(kit, "mine", BRAND)
    clock.offset += timedelta(minutes=16)
    kit.work(wait=0)
    assert kit.report(report.id).deliveries[0].copies == ()


def test_nothing_is_deleted_with_anothers_access(kit: Kit, server: Server) -> None:
    """A network that answers 404 for what is not one's own would make it look deleted."""
    report = publish(kit, "one")
    give(kit, "mine", BRAND)
    with pytest.raises(NotDeleted, match="was connected as @me"):
        kit.delete(report.id)
    assert [post["text"] for post in server.posts] == ["one"]
    assert kit.report(report.id).deliveries[0].state == "live"


def test_a_link_is_looked_up_at_its_own_account(kit: Kit, server: Server, clock: HandClock) -> None:
    report = publish(kit, "one")
    give(kit, "mine", BRAND)
    with pytest.raises(NeedsLogin, match="its access is now @brand's"):
        kit.recent("board:mine")
    assert kit.report(report.id).deliveries[0].state == "live"

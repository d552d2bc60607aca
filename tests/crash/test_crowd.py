"""Single stories of a crowd that the machine meets too seldom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn

import pytest

from postkit.errors import StoreBusy
from postkit.network import RenderedPart
from postkit.store.publications import Due, NewDelivery

from .crowd import ACCOUNTS, STALL, Crowd
from .invariants import finished, problems
from .machine import TEMPLATE
from .member import Member


@pytest.fixture
def crowd(request: pytest.FixtureRequest) -> Iterator[Crowd]:
    crowd = Crowd(TEMPLATE, dict.fromkeys(ACCOUNTS, request.param))
    yield crowd
    found = problems(crowd) or finished(crowd, "")
    crowd.close()
    assert not found


def publish(crowd: Crowd) -> None:
    now = crowd.clock.now()
    due = Due(now, now + timedelta(hours=6))
    new = NewDelivery(
        "d_1", "a_1", "toy:a_1", "toy", None, "h", [RenderedPart("One")], [], [], None, due
    )
    crowd.texts["d_1.1"] = "One"
    crowd.publications.accept("p_1", [new], content="c")


def turns(crowd: Crowd, count: int) -> None:
    for number in range(count):
        crowd.members[number % len(crowd.members)].turn()
        assert not problems(crowd)
        crowd.clock.move(16)


def reasons(crowd: Crowd, event: str) -> list[str]:
    return [row.reason for row in crowd.publications.history("d_1") if row.event == event]


@pytest.mark.parametrize("crowd", ["duplicate_refusal"], indirect=True)
def test_a_repeat_that_is_refused_as_a_duplicate_is_not_made_a_third_time(crowd: Crowd) -> None:
    publish(crowd)
    crowd.remote.script[:] = ["late"]
    crowd.members[0].turn()
    crowd.remote.posts[0].listed_at += timedelta(days=10)
    turns(crowd, 30)
    assert crowd.parts()[0]["state"] == "UNCERTAIN"
    assert len(crowd.remote.requests) == 2
    assert reasons(crowd, "doubt")[-1] == "It is there."
    assert "refuses a repeat as a duplicate" in reasons(crowd, "ask")[0]


@pytest.mark.parametrize("crowd", ["key"], indirect=True)
def test_a_repeat_that_is_refused_leaves_the_first_request_in_doubt(crowd: Crowd) -> None:
    publish(crowd)
    crowd.remote.script[:] = ["lose refused", "refuse"]
    turns(crowd, 6)
    assert reasons(crowd, "doubt") == ["No answer.", "Not with ***."]
    assert crowd.parts()[0]["state"] == "IN_DOUBT"
    assert "Not with" in crowd.parts()[0]["error"]


@pytest.mark.parametrize("crowd", ["read_back"], indirect=True)
def test_a_lost_answer_is_written_down_as_doubt_with_its_reason(crowd: Crowd) -> None:
    publish(crowd)
    crowd.remote.script[:] = ["lose accepted"]
    crowd.members[0].turn()
    assert reasons(crowd, "doubt") == ["The answer to *** was lost."]
    turns(crowd, 2)
    assert crowd.parts()[0]["state"] == "LIVE"
    assert len(crowd.remote.requests) == 1


@pytest.mark.parametrize("crowd", ["read_back"], indirect=True)
def test_a_late_receipt_outlives_the_process_that_has_it(crowd: Crowd) -> None:
    publish(crowd)

    def stopped(member: Member) -> None:
        crowd.overtake(member, STALL)
        # Its first write is fenced and ends without a commit; with the second one, its next commit,
        # it wants to say that it is live.
        member.trouble, member.countdown = "kill before", 1

    crowd.interlude = ("leaving", stopped)
    crowd.members[0].turn()
    assert len(crowd.dead) == 1
    crowd.remote.posts[0].listed_at += timedelta(days=10)
    turns(crowd, 5)
    assert crowd.parts()[0]["state"] == "LIVE"
    assert reasons(crowd, "found") == ["The receipt was kept beside the store."]


@pytest.mark.parametrize("crowd", ["read_back"], indirect=True)
def test_a_late_receipt_is_kept_before_the_store_is_asked(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(crowd)

    def locked(*_: object) -> NoReturn:
        raise StoreBusy("It is locked.")

    def stopped(member: Member) -> None:
        crowd.overtake(member, STALL)
        monkeypatch.setattr(member.ledger, "parts", locked)

    crowd.interlude = ("leaving", stopped)
    crowd.members[0].turn()
    monkeypatch.undo()
    crowd.remote.posts[0].listed_at += timedelta(days=10)
    turns(crowd, 5)
    assert reasons(crowd, "found") == ["The receipt was kept beside the store."]


@pytest.mark.parametrize("crowd", ["blind"], indirect=True)
def test_a_receipt_that_the_store_does_not_take_is_kept_beside_it(crowd: Crowd) -> None:
    publish(crowd)

    def stopped(member: Member) -> None:
        member.trouble, member.countdown = "fail before", 1

    crowd.interlude = ("leaving", stopped)
    crowd.members[0].turn()
    assert crowd.parts()[0]["state"] == "SENDING"
    turns(crowd, 10)
    assert crowd.parts()[0]["state"] == "LIVE"
    assert reasons(crowd, "found") == ["The receipt was kept beside the store."]

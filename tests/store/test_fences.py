"""State and fence together: who has read a part before another took it can change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from postkit.clock import SystemClock, micros
from postkit.deliver.gates import Expired, NotYet, Paused, resume_at
from postkit.deliver.ledger import Fenced, Ledger
from postkit.deliver.pauses import ALL, Pauses
from postkit.errors import InDoubt, Refused, Unavailable
from postkit.network import Account, Outgoing, Receipt, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import Due, NewDelivery, PublicationRows
from postkit.store.rows import PartRow

CLOCK = SystemClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "postkit.db")
    AccountRows(database, CLOCK).add(Account("a_1", "toy", "one"))
    now = CLOCK.now()
    for number, late in ((1, 0), (2, 1)):
        parts = [RenderedPart(f"{number} one"), RenderedPart(f"{number} two")]
        due = Due(now + timedelta(milliseconds=late), now + timedelta(hours=1))
        new = NewDelivery(
            f"d_{number}", "a_1", "toy:one", "toy", None, f"{number}", parts, [], [], None, due
        )
        PublicationRows(database, CLOCK).accept(f"p_{number}", [new], content=f"{number}")
    yield database
    database.close()


@pytest.fixture
def mine(database: Database) -> Ledger:
    return Ledger(database, CLOCK, "me")


@pytest.fixture
def theirs(database: Database) -> Ledger:
    return Ledger(database, CLOCK, "other")


def part(ledger: Ledger, delivery: str = "d_1", number: int = 1) -> PartRow:
    return ledger.parts(delivery)[number - 1]


def outgoing() -> Outgoing:
    return Outgoing(RenderedPart("1 one"), {}, "key-1", CLOCK.now())


def test_a_claim_and_each_take_over_raise_the_fence(mine: Ledger, theirs: Ledger) -> None:
    claimed = mine.claim(part(mine), "key-1")
    assert claimed.fence == 1
    freed = theirs.take_over(claimed)
    assert (freed.state, freed.fence, freed.owner) == ("SCHEDULED", 2, None)
    sending = mine.send(mine.claim(freed, "key-1"), outgoing())
    doubtful = theirs.take_over(sending)
    assert (doubtful.state, doubtful.fence, doubtful.owner) == ("IN_DOUBT", 4, "other")
    looking = mine.take_over(doubtful)
    assert (looking.state, looking.fence, looking.owner) == ("IN_DOUBT", 5, "me")
    assert doubtful.doubt_at is not None
    with pytest.raises(Fenced):
        theirs.looked(doubtful, "nothing", CLOCK.now())


def test_who_was_taken_over_sends_nothing_under_the_claim_of_another(
    mine: Ledger, theirs: Ledger
) -> None:
    old = mine.claim(part(mine), "key-1")
    new = theirs.claim(theirs.take_over(old), "key-2")
    assert (old.state, new.state) == ("CLAIMED", "CLAIMED")
    with pytest.raises(Fenced):
        mine.send(old, outgoing())
    assert part(mine).owner == "other"
    theirs.send(new, outgoing())
    assert part(mine).attempts == 1


def test_what_was_held_meanwhile_is_not_claimed(mine: Ledger, theirs: Ledger) -> None:
    seen = part(mine)
    held = theirs.hold(seen, "person", "A person has stopped it.")
    assert held.fence == seen.fence
    with pytest.raises(Fenced):
        mine.claim(seen, "key-1")
    assert part(mine).state == "HELD"


def test_what_is_claimed_has_passed_every_gate(database: Database, mine: Ledger) -> None:
    pauses = Pauses(database, CLOCK, "person")
    pauses.add([ALL], "because")
    with pytest.raises(Paused, match="because"):
        mine.claim(part(mine), "key-1")
    pauses.end([ALL], send=True)
    with pytest.raises(NotYet, match="earlier"):
        mine.claim(part(mine, "d_2"), "key-2", ordered=True)
    claimed = mine.claim(part(mine), "key-1", ordered=True)
    with pytest.raises(NotYet) as busy:
        mine.claim(part(mine, "d_2"), "key-2")
    assert busy.value.blocker is not None
    assert busy.value.blocker.id == claimed.id
    mine.release(claimed, Unavailable("away"), CLOCK.now())
    database.write(lambda connection: connection.execute("UPDATE part SET expires_at = 1").close())
    with pytest.raises(Expired):
        mine.claim(part(mine), "key-1")


def test_the_gates_are_asked_again_before_the_request_leaves(
    database: Database, mine: Ledger
) -> None:
    claimed = mine.claim(part(mine), "key-1")
    pauses = Pauses(database, CLOCK, "person")
    pauses.add([ALL], "because")
    with pytest.raises(Paused):
        mine.send(claimed, outgoing())
    pauses.end([ALL], send=False)
    database.write(lambda connection: connection.execute("UPDATE part SET expires_at = 1").close())
    with pytest.raises(Expired):
        mine.send(part(mine), outgoing())
    assert part(mine).state == "CLAIMED"
    assert part(mine).attempts == 0


def test_the_cause_is_written_before_what_follows_from_it(database: Database, mine: Ledger) -> None:
    sent = mine.send(mine.claim(part(mine), "key-1"), outgoing())
    mine.failed(sent, "rejected", Refused("no"))
    lines = [(line.part_id, line.event) for line in PublicationRows(database, CLOCK).history("d_1")]
    assert lines[-2:] == [("d_1.1", "rejected"), ("d_1.2", "hold")]


def test_a_late_answer_counts_in_whatever_doubt(mine: Ledger, theirs: Ledger) -> None:
    sent = mine.send(mine.claim(part(mine), "key-1"), outgoing())
    asked = theirs.ask(theirs.take_over(sent), {"text": "Is it live?"})
    with pytest.raises(Fenced):
        mine.live(sent, "accepted", Receipt("7"), "late")
    with pytest.raises(Fenced):
        mine.doubt(sent, InDoubt("late"))
    assert mine.live(asked, "found", Receipt("7"), "late").state == "LIVE"


def test_a_limit_of_the_account_is_written_with_the_part(database: Database, mine: Ledger) -> None:
    until = CLOCK.now() + timedelta(seconds=30)
    sent = mine.send(mine.claim(part(mine), "key-1"), outgoing())
    mine.unsent(sent, Unavailable("away"), CLOCK.now(), also=resume_at("a_1", until))
    with pytest.raises(NotYet, match="limit") as wait:
        mine.claim(part(mine, "d_2"), "key-2")
    assert wait.value.at == until
    assert database.read("SELECT resume_at FROM account")[0]["resume_at"] == micros(until)


def test_a_shift_moves_the_whole_thread_and_its_last_moment(mine: Ledger) -> None:
    first = part(mine)
    at = first.due_at + timedelta(minutes=30)
    moved = mine.shift(first, at, "The rules have changed.")
    assert (moved.due_at, moved.not_before) == (at, at)
    assert moved.expires_at is not None
    assert first.expires_at is not None
    assert moved.expires_at - at == first.expires_at - first.due_at
    second = part(mine, "d_1", 2)
    assert (second.due_at, second.not_before, second.expires_at) == (at, at, None)

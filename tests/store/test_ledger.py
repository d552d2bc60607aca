"""Every step of a part is on the disk before the next one is taken, and by its owner alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from postkit.clock import SystemClock
from postkit.deliver.ledger import Fenced, Ledger, Taken
from postkit.errors import InDoubt, Refused, StoreBusy, Unavailable
from postkit.network import Account, Outgoing, Receipt, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import NewDelivery, PublicationRows
from postkit.store.rows import PartRow
from postkit.testing.media import OneMedium

ME, OTHER = "host/boot/1/1", "host/boot/2/2"
CLOCK = SystemClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "postkit.db")
    AccountRows(database, CLOCK).add(Account("a_1", "toy", "one"))
    delivery = NewDelivery(
        "d_1",
        "a_1",
        "toy:one",
        "toy",
        None,
        "hash",
        [RenderedPart("one"), RenderedPart("two"), RenderedPart("three")],
        [],
        [],
        None,
    )
    PublicationRows(database, CLOCK).accept("p_1", [delivery], content="c")
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, CLOCK, ME)


def part(ledger: Ledger, number: int = 1) -> PartRow:
    return ledger.parts("d_1")[number - 1]


def outgoing(text: str = "one") -> Outgoing:
    return Outgoing(RenderedPart(text), {"media_0": "9"}, "key-1", CLOCK.now())


def sending(ledger: Ledger, number: int = 1) -> PartRow:
    return ledger.send(ledger.claim(part(ledger, number), "key-1"), outgoing())


def test_sending_holds_key_and_request_before_the_socket(ledger: Ledger) -> None:
    row = sending(ledger)
    assert row.state == "SENDING"
    assert row.key == "key-1"
    assert row.attempts == 1
    assert row.outgoing is not None
    again = Outgoing.from_json(row.outgoing, OneMedium())
    assert again.part.text == "one"
    assert again.prepared == {"media_0": "9"}


def test_two_workers_cannot_claim_one_part(database: Database, ledger: Ledger) -> None:
    other = Ledger(database, CLOCK, OTHER)
    seen_by_both = part(ledger)
    other.claim(seen_by_both, "key-2")
    with pytest.raises(Fenced):
        ledger.claim(seen_by_both, "key-1")
    assert part(ledger).owner == OTHER
    assert part(ledger).key == "key-2"


def test_who_was_taken_over_never_reaches_sending(database: Database, ledger: Ledger) -> None:
    mine = ledger.claim(part(ledger), "key-1")
    Ledger(database, CLOCK, OTHER).take_over(mine)
    with pytest.raises(Fenced):
        ledger.send(mine, outgoing())
    assert part(ledger).state == "SCHEDULED"


def test_a_part_found_sending_is_in_doubt(database: Database, ledger: Ledger) -> None:
    row = sending(ledger)
    taken = Ledger(database, CLOCK, OTHER).take_over(row)
    assert taken.state == "IN_DOUBT"
    with pytest.raises(Fenced):
        ledger.live(row, "accepted", Receipt("7"), "late")


def test_prepared_ids_are_kept_one_by_one(ledger: Ledger) -> None:
    row = ledger.claim(part(ledger), "key-1")
    journal = ledger.journal(row)
    journal["media_0"] = "11"
    assert part(ledger).prepared == {"media_0": "11"}
    journal["media_1"] = {"id": "12", "done": False}
    assert part(ledger).prepared == {"media_0": "11", "media_1": {"id": "12", "done": False}}
    assert dict(journal) == part(ledger).prepared


def test_a_key_that_was_chosen_is_kept_over_attempts(ledger: Ledger) -> None:
    row = ledger.claim(part(ledger), "key-1")
    back = ledger.release(row, Unavailable("no route"), CLOCK.now() + timedelta(seconds=5))
    assert back.state == "SCHEDULED"
    assert ledger.claim(back, "key-2").key == "key-1"


def test_a_repeat_keeps_the_time_of_the_first_request(ledger: Ledger) -> None:
    first = sending(ledger)
    doubt = ledger.doubt(first, InDoubt("lost"))
    again = ledger.claim(ledger.absent(doubt, "not there"), "key-2")
    second = ledger.send(again, outgoing())
    assert second.key == "key-1"
    assert second.sending_at == first.sending_at
    assert second.attempts == 2


def test_a_failure_holds_the_rest_of_the_thread(ledger: Ledger) -> None:
    ledger.live(sending(ledger), "accepted", Receipt("1"), "ok")
    ledger.failed(sending(ledger, 2), "rejected", Refused("too long", status=422, code="x1"))
    assert [row.state for row in ledger.parts("d_1")] == ["LIVE", "FAILED", "HELD"]
    assert part(ledger, 3).held_reason == "earlier_part"
    error = part(ledger, 2).error
    assert error is not None
    assert (error["kind"], error["status"], error["code"]) == ("refused", 422, "x1")


def test_what_was_refused_can_be_tried_again_with_the_rest(ledger: Ledger) -> None:
    ledger.live(sending(ledger), "accepted", Receipt("1"), "ok")
    refused = ledger.failed(sending(ledger, 2), "rejected", Refused("no permission"))
    again = ledger.retry(refused)
    assert [row.state for row in ledger.parts("d_1")] == ["LIVE", "SCHEDULED", "SCHEDULED"]
    assert (again.key, again.outgoing, again.error) == (None, None, None)


def test_what_was_ever_in_doubt_is_tried_again_under_its_key(ledger: Ledger) -> None:
    doubt = ledger.doubt(sending(ledger), InDoubt("lost"))
    second = ledger.send(ledger.claim(ledger.absent(doubt, "not there"), "key-2"), outgoing())
    again = ledger.retry(ledger.failed(second, "rejected", Refused("no permission")))
    assert again.key == "key-1"
    assert again.outgoing == second.outgoing


def test_an_answered_question_frees_the_rest(ledger: Ledger) -> None:
    row = ledger.ask(ledger.doubt(sending(ledger), InDoubt("lost")), {"text": "Is it live?"})
    assert [r.state for r in ledger.parts("d_1")] == ["UNCERTAIN", "HELD", "HELD"]
    live = ledger.live(row, "is_live", Receipt("5", "https://example.com/5"), "found")
    assert [r.state for r in ledger.parts("d_1")] == ["LIVE", "SCHEDULED", "SCHEDULED"]
    assert live.question is None
    assert live.url == "https://example.com/5"


def test_one_remote_post_settles_one_part(ledger: Ledger) -> None:
    ledger.live(sending(ledger), "accepted", Receipt("1"), "ok")
    with pytest.raises(Taken, match=r"d_1\.1"):
        ledger.live(sending(ledger, 2), "accepted", Receipt("1"), "again")
    assert part(ledger, 2).state == "SENDING"


def test_what_cannot_happen_does_not(ledger: Ledger) -> None:
    with pytest.raises(Fenced):
        ledger.send(part(ledger), outgoing())
    live = ledger.live(sending(ledger), "accepted", Receipt("1"), "ok")
    with pytest.raises(Fenced):
        ledger.claim(live, "key-9")


def test_the_history_is_a_chain(database: Database, ledger: Ledger) -> None:
    ledger.live(sending(ledger), "accepted", Receipt("1"), "The network accepted it.")
    lines = [dict(row) for row in database.read("SELECT * FROM history ORDER BY id")]
    assert [row["event"] for row in lines[:2]] == ["connect", "publish"]
    assert [(row["before"], row["after"]) for row in lines[2:]] == [
        ("SCHEDULED", "CLAIMED"),
        ("CLAIMED", "SENDING"),
        ("SENDING", "LIVE"),
    ]
    previous = ""
    for row in lines:
        content = {k: v for k, v in row.items() if k != "hash"}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        assert row["previous"] == previous
        assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()
        previous = row["hash"]


def test_no_secret_reaches_the_history(database: Database, ledger: Ledger) -> None:
    from postkit.accounts.secret import Secret

    secret = Secret("pk_canary_ledger_value")
    ledger.doubt(sending(ledger), InDoubt(f"lost with {secret.reveal()}"))
    everything = json.dumps([tuple(r) for r in database.read("SELECT * FROM history")])
    everything += json.dumps([tuple(r) for r in database.read("SELECT * FROM part")])
    assert "pk_canary" not in everything


def refuse(database: Database, event: str) -> None:
    database.write(
        lambda connection: connection.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON history WHEN NEW.event = '{event}' "
            "BEGIN SELECT raise(FAIL, 'database or disk is full'); END"
        ).close()
    )


def test_a_part_and_the_rest_of_its_thread_move_together(
    database: Database, ledger: Ledger
) -> None:
    row = ledger.ask(ledger.doubt(sending(ledger), InDoubt("lost")), {"text": "Is it live?"})
    refuse(database, "free")
    with pytest.raises(StoreBusy):
        ledger.live(row, "is_live", Receipt("5"), "found")
    assert [r.state for r in ledger.parts("d_1")] == ["UNCERTAIN", "HELD", "HELD"]


def test_what_is_held_with_a_part_is_held_at_once(database: Database, ledger: Ledger) -> None:
    row = sending(ledger)
    refuse(database, "hold")
    with pytest.raises(StoreBusy):
        ledger.failed(row, "rejected", Refused("no"))
    assert [r.state for r in ledger.parts("d_1")] == ["SENDING", "SCHEDULED", "SCHEDULED"]


def test_the_journal_holds_what_was_assigned_last_and_nothing_else(ledger: Ledger) -> None:
    journal = ledger.journal(ledger.claim(part(ledger), "key-1"))
    journal["media"] = {"id": "1", "done": None}
    journal["media"] = {"size": (1, 2)}
    journal["none"] = None
    assert dict(journal) == part(ledger).prepared == {"media": {"size": [1, 2]}, "none": None}
    del journal["none"]
    assert dict(journal) == part(ledger).prepared == {"media": {"size": [1, 2]}}


def test_a_sign_of_life_is_given_by_the_owner_alone(database: Database, ledger: Ledger) -> None:
    mine = ledger.claim(part(ledger), "key-1")
    Ledger(database, CLOCK, OTHER).renew(mine)
    assert part(ledger).lease_until == mine.lease_until
    ledger.renew(mine)
    lease = part(ledger).lease_until
    assert lease is not None
    assert mine.lease_until is not None
    assert lease > mine.lease_until

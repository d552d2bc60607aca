from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from postkit.deliver.lookup import Verdict, decide
from postkit.network import Candidate, Guarantee, Receipt

SENT = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
READ_BACK = Guarantee("read_back", quiet=900)
KEY = Guarantee("key", quiet=120, key_ttl=3000, resend_when_absent=True)


def candidate(name: str, seconds: float = 1, proof: bool = False) -> Candidate:
    return Candidate(
        Receipt(name, f"https://example.com/{name}"), SENT + timedelta(seconds=seconds), proof
    )


def verdict(*found: Candidate, **given: Any) -> Verdict:
    values: dict[str, Any] = {
        "guarantee": READ_BACK,
        "sending_at": SENT,
        "doubt_at": SENT + timedelta(seconds=30),
        "now": SENT + timedelta(seconds=31),
        "looks": 1,
        "taken": frozenset(),
    }
    return decide(found, **{**values, **given})


def test_one_match_settles_at_once() -> None:
    found = verdict(candidate("1"))
    assert found.kind == "live"
    assert found.receipt == Receipt("1", "https://example.com/1")


def test_an_older_post_with_the_same_words_is_not_ours() -> None:
    assert verdict(candidate("old", seconds=-31)).kind == "wait"


def test_a_clock_that_differs_by_seconds_is_forgiven() -> None:
    assert verdict(candidate("1", seconds=-29)).kind == "live"


def test_proof_needs_no_time() -> None:
    assert verdict(candidate("1", seconds=-500, proof=True)).kind == "live"


def test_a_post_that_settles_another_part_is_not_taken_twice() -> None:
    assert verdict(candidate("1"), taken=frozenset({"1"})).kind == "wait"


def test_two_candidates_ask_a_person_with_both_links() -> None:
    found = verdict(candidate("1"), candidate("2"))
    assert found.kind == "ask"
    assert found.links == ("https://example.com/1", "https://example.com/2")


def test_proof_decides_between_two() -> None:
    found = verdict(candidate("1"), candidate("2", proof=True))
    assert found.kind == "live"
    assert found.receipt is not None
    assert found.receipt.id == "2"


def test_absence_counts_only_after_the_quiet_window() -> None:
    just_before = SENT + timedelta(seconds=30 + 899)
    found = verdict(now=just_before, looks=99)
    assert found.kind == "wait"
    assert found.again == SENT + timedelta(seconds=930)


def test_absence_counts_only_after_three_looks() -> None:
    late = SENT + timedelta(seconds=2000)
    assert verdict(now=late, looks=2).kind == "wait"
    assert verdict(now=late, looks=3).kind == "ask"


def test_absence_is_no_proof_where_the_network_cannot_refuse_a_repeat() -> None:
    assert verdict(now=SENT + timedelta(seconds=2000), looks=3).kind == "ask"


def test_a_key_that_is_still_valid_lets_us_send_again() -> None:
    found = verdict(guarantee=KEY, now=SENT + timedelta(seconds=151), looks=3)
    assert found.kind == "absent"


def test_a_key_that_is_too_old_does_not() -> None:
    found = verdict(guarantee=KEY, now=SENT + timedelta(seconds=3001), looks=3)
    assert found.kind == "ask"


def test_a_blind_network_asks_at_once() -> None:
    assert verdict(guarantee=Guarantee("blind")).kind == "ask"


def test_a_strongly_consistent_read_waits_for_nothing() -> None:
    exact = Guarantee("key", quiet=0, resend_when_absent=True)
    found = verdict(guarantee=exact, now=SENT + timedelta(seconds=30), looks=3)
    assert found.kind == "absent"

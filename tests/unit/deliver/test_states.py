from __future__ import annotations

from typing import get_args

import pytest

from postkit.deliver.states import (
    EXIT_STATUS,
    SETTLED,
    TRANSITIONS,
    DeliveryState,
    Event,
    PartState,
    delivery_state,
    worst_exit,
)


def test_every_event_and_every_state_is_used() -> None:
    assert {event for _, event in TRANSITIONS} == set(get_args(Event))
    reached = set(TRANSITIONS.values()) | {"SCHEDULED"}
    assert reached == set(get_args(PartState))


def test_only_sending_reaches_the_network_and_only_claimed_reaches_sending() -> None:
    sending = {key for key, after in TRANSITIONS.items() if after == "SENDING"}
    assert sending == {("CLAIMED", "send"), ("SENDING", "wake")}
    sources = {before for (before, event), _ in TRANSITIONS.items() if event == "accepted"}
    assert sources == {"SENDING"}


def test_what_is_live_is_never_sent_again() -> None:
    after_live = {
        event: after for (before, event), after in TRANSITIONS.items() if before == "LIVE"
    }
    assert after_live == {
        "deleted": "CANCELLED", "audit": "LIVE", "duplicate": "LIVE", "wake": "LIVE",
    }  # fmt: skip
    others = {key for key in TRANSITIONS if key[0] in SETTLED - {"LIVE"}}
    missed = {("MISSED", event) for event in ("reschedule", "edit", "cancel")}
    by_a_person_or_by_proof = {("FAILED", event) for event in ("retry", "reopen", "found")}
    assert others == {*by_a_person_or_by_proof, *missed}
    assert TRANSITIONS["FAILED", "found"] == "LIVE"
    assert TRANSITIONS["FAILED", "reopen"] == "IN_DOUBT"


def test_to_be_woken_changes_no_state() -> None:
    woken = {before: after for (before, event), after in TRANSITIONS.items() if event == "wake"}
    assert all(before == after for before, after in woken.items())
    assert set(woken) == {"SCHEDULED", "HELD", "CLAIMED", "SENDING", "IN_DOUBT", "LIVE"}


def test_doubt_ends_by_proof_or_by_a_person_alone() -> None:
    after_doubt = {TRANSITIONS[key] for key in TRANSITIONS if key[0] == "IN_DOUBT"}
    assert after_doubt == {"IN_DOUBT", "LIVE", "SCHEDULED", "UNCERTAIN"}


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        (["LIVE", "LIVE"], "live"),
        (["SCHEDULED"], "scheduled"),
        (["CLAIMED", "SCHEDULED"], "sending"),
        (["LIVE", "SENDING"], "sending"),
        (["LIVE", "IN_DOUBT", "SCHEDULED"], "checking"),
        (["UNCERTAIN", "HELD"], "uncertain"),
        (["LIVE", "UNCERTAIN"], "uncertain"),
        (["FAILED", "HELD"], "failed"),
        (["LIVE", "FAILED", "HELD"], "partly_live"),
        (["HELD"], "held"),
        (["LIVE", "SCHEDULED"], "scheduled"),
        (["CANCELLED"], "cancelled"),
        (["LIVE", "CANCELLED"], "partly_live"),
        (["MISSED"], "missed"),
    ],
)
def test_what_a_delivery_shows(parts: list[PartState], state: DeliveryState) -> None:
    assert delivery_state(parts) == state


def test_every_delivery_state_has_an_exit_status() -> None:
    assert set(EXIT_STATUS) == set(get_args(DeliveryState))


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [([], 0), ([0, 0], 0), ([75, 0], 75), ([75, 4], 4), ([4, 1], 1), ([1, 3], 3), ([3, 70], 70)],
)
def test_of_several_exit_statuses_the_worst_wins(statuses: list[int], worst: int) -> None:
    assert worst_exit(statuses) == worst

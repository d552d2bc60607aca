"""The simulation can fail: each of these breaks one rule of delivery, and a seed must show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from postkit.deliver import attempt, courier, doubt, ledger, lookup
from postkit.deliver.ledger import Ledger
from postkit.errors import InDoubt, Unavailable
from postkit.network import Receipt
from postkit.sim.run import Simulator
from postkit.sim.store import Gate

Mutate = Callable[[pytest.MonkeyPatch], None]


def in_doubt_means_unavailable(patch: pytest.MonkeyPatch) -> None:
    real = attempt.create

    def create(*given: Any) -> Any:
        try:
            return real(*given)
        except InDoubt as error:
            raise Unavailable(error.message) from error

    patch.setattr(courier, "create", create)


def the_request_leaves_before_sending_is_committed(patch: pytest.MonkeyPatch) -> None:
    def send(self: Ledger, part: Any, outgoing: Any, *_: Any) -> Any:
        return replace(part, state="SENDING", outgoing=outgoing.to_json())

    patch.setattr(Ledger, "send", send)


def a_fence_means_nothing(patch: pytest.MonkeyPatch) -> None:
    real = Gate.execute

    def execute(self: Gate, sql: str, values: Any = ()) -> Any:
        return real(self, sql.replace("AND state = :state AND fence = :old_fence", ""), values)

    patch.setattr(Gate, "execute", execute)


def no_quiet_window(patch: pytest.MonkeyPatch) -> None:
    real = lookup.decide

    def decide(found: Any, **given: Any) -> Any:
        return real(found, **{**given, "doubt_at": given["now"] - timedelta(days=1), "looks": 3})

    patch.setattr(doubt, "decide", decide)


def a_repeat_takes_a_new_key(patch: pytest.MonkeyPatch) -> None:
    def absent(self: Ledger, part: Any, reason: str) -> Any:
        return self._move(
            part, "absent", reason, owner=None, lease_until=None, key=None, outgoing=None,
            not_before=self._now(),
        )  # fmt: skip

    patch.setattr(Ledger, "absent", absent)


def a_pause_is_not_asked_about(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "not_paused", lambda *_: None)


def who_was_sending_has_not_sent(patch: pytest.MonkeyPatch) -> None:
    real = Ledger.take_over

    def take_over(self: Ledger, part: Any) -> Any:
        if part.state != "SENDING":
            return real(self, part)
        return self._move(part, "unsent", "Its process ended.", bump=True, owner=None)

    patch.setattr(Ledger, "take_over", take_over)


def an_answer_is_believed_without_an_id(patch: pytest.MonkeyPatch) -> None:
    real = attempt.create

    def create(*given: Any) -> Any:
        try:
            return real(*given)
        except InDoubt as error:
            if error.status == 200:
                return Receipt("unknown")
            raise

    patch.setattr(courier, "create", create)


def a_lost_answer_is_a_no(patch: pytest.MonkeyPatch) -> None:
    def taken(self: Ledger, part: Any, error: Any, **more: Any) -> Any:
        return self.failed(part, "rejected", error, **more)

    patch.setattr(Ledger, "doubt", taken)


def every_account_is_free(patch: pytest.MonkeyPatch) -> None:
    def its_turn(*_: Any, **__: Any) -> None:
        return None

    patch.setattr(ledger, "its_turn", its_turn)


MUTANTS: Mapping[Mutate, tuple[str, str]] = {
    in_doubt_means_unavailable: ("read_back", "duplicate"),
    the_request_leaves_before_sending_is_committed: ("probe", "unannounced"),
    a_fence_means_nothing: ("read_back", "duplicate"),
    no_quiet_window: ("read_back_resend", "duplicate"),
    a_repeat_takes_a_new_key: ("key", "duplicate"),
    a_pause_is_not_asked_about: ("key", "paused"),
    who_was_sending_has_not_sent: ("blind", "duplicate"),
    an_answer_is_believed_without_an_id: ("key", "phantom"),
    a_lost_answer_is_a_no: ("read_back", "recorded_failed"),
    every_account_is_free: ("probe", "order"),
}
"""Each with the class and the kind of violation that shows it."""
MOST = 1500


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.mark.parametrize("mutate", MUTANTS, ids=lambda mutate: mutate.__name__)
def test_each_broken_rule_is_found(
    mutate: Mutate, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, violation = MUTANTS[mutate]
    mutate(monkeypatch)
    for seed in range(MOST):
        found = {one.kind for one in simulator.run(kind, seed).violations}
        if violation in found:
            print(f"{mutate.__name__}: {kind}, seed {seed}")  # noqa: T201 - shown with -s
            return
    pytest.fail(f"{mutate.__name__} was not found in {MOST} schedules of {kind}")

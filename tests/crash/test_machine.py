"""Schedules, changes, pauses, deaths and clocks in any order: the invariants hold after each step.

Small and always the same; ``POSTKIT_CRASH=full`` draws 2,000 longer ones anew. Every invariant is
shown to fail where the product is broken on purpose.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from postkit.deliver import courier, gates, history, ledger, moves
from postkit.deliver.changes import Changes
from postkit.deliver.courier import Courier
from postkit.deliver.ledger import Fenced, Ledger
from postkit.deliver.lookup import Verdict
from postkit.errors import PostkitError
from postkit.network import Outgoing
from postkit.store.publications import NewDelivery
from postkit.store.rows import DeliveryRow, PartRow

from .machine import Machine

FULL = os.environ.get("POSTKIT_CRASH") == "full"
QUICK = os.environ.get("POSTKIT_CRASH") == "quick"
EVERYTHING = settings(
    max_examples=2000 if FULL else 25 if QUICK else 200,
    stateful_step_count=50 if FULL else 40,
    derandomize=not FULL,
    database=None,
    deadline=None,
    print_blob=FULL,
    report_multiple_bugs=False,
    phases=(Phase.generate,) if QUICK else (Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
FEW = settings(
    EVERYTHING, max_examples=300, stateful_step_count=40, phases=(Phase.generate,),
    derandomize=True,
)  # fmt: skip


def test_any_order_of_events_keeps_the_invariants() -> None:
    run_state_machine_as_test(Machine, settings=EVERYTHING)


# The machine can fail: the product is broken on purpose, and the invariant that is broken is named.


def _send_unwritten(self: Ledger, part: PartRow, outgoing: Outgoing, count: Any = None) -> PartRow:
    """The request leaves, and nothing says so."""
    return replace(part, state="SENDING", attempts=part.attempts + 1)


def _unsent_for_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dead process was sending is taken for unsent."""
    real = Ledger.take_over

    def take_over(self: Ledger, part: PartRow) -> PartRow:
        if part.state != "SENDING":
            return real(self, part)
        return self._move(
            part, "unsent", "It has died.", bump=True, owner=None, lease_until=None
        )  # fmt: skip

    monkeypatch.setattr(Ledger, "take_over", take_over)


def _gate_at_claim_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = gates.not_paused

    def not_paused(connection: sqlite3.Connection, part: PartRow) -> None:
        if part.state == "SCHEDULED":
            real(connection, part)

    monkeypatch.setattr(ledger, "not_paused", not_paused)


def _too_late_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "not_expired", lambda part, at: None)


def _absent_means_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look that finds nothing, and it is sent again."""
    real = courier.Courier._find_out.__globals__["decide"]

    def decide(*found: Any, **rest: Any) -> Verdict:
        verdict: Verdict = real(*found, **rest)
        return verdict if verdict.kind == "live" else Verdict("absent", "Not there.")

    monkeypatch.setitem(courier.Courier._find_out.__globals__, "decide", decide)


def _edited_while_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that changes what is there without a new fence, and looks at no state."""

    def edit(self: Changes, wanted: Sequence[tuple[DeliveryRow, NewDelivery]]) -> None:
        [(delivery, new)] = wanted

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE part SET rendition = :rendition WHERE delivery_id = :id AND position = 1",
                {"rendition": json.dumps(new.parts[0].to_json()), "id": delivery.id},
            )

        self._database.write(work)

    monkeypatch.setattr(Changes, "edit", edit)


def _answers_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of a thread answers its first one."""
    real = Courier._outgoing

    def outgoing(self: Courier, *given: Any) -> Outgoing:
        found = real(self, *given)
        return replace(found, parent=found.root)

    monkeypatch.setattr(Courier, "_outgoing", outgoing)


def _nothing_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Open:
        @staticmethod
        def redact(text: str) -> str:
            return text

    monkeypatch.setattr(history, "Redactor", Open)


def _sleeping_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is not told that a part of it is ready."""
    monkeypatch.setattr(moves, "ACCOUNT_READY", "SELECT :account")


def _announced_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "send", _send_unwritten)


def _history_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is chained to nothing."""
    real = history.record

    def record(connection: sqlite3.Connection, *given: Any, **rest: Any) -> None:
        real(connection, *given, **rest)
        connection.execute("DROP TRIGGER IF EXISTS history_unchanged")
        connection.execute("UPDATE history SET previous = '' WHERE event = 'send'")

    monkeypatch.setattr(moves, "record", record)


@pytest.mark.parametrize(
    ("name", "breaks"),
    [
        ("live as|I1", _unsent_for_doubt),
        ("I1|again and again|finds no end", _absent_means_absent),
        ("I3", _announced_too_late),
        ("I4", _gate_at_claim_alone),
        ("I4", _too_late_is_sent),
        ("I5|No part says", _edited_while_held),
        ("I6", _answers_the_first),
        ("I7", _nothing_redacted),
        ("I8", _sleeping_account),
        ("chain", _history_of_others),
    ],
)
def test_what_is_broken_on_purpose_is_found(
    name: str, breaks: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch)
    with pytest.raises((AssertionError, Fenced, PostkitError)) as caught:
        run_state_machine_as_test(Machine, settings=FEW)
    assert re.search(name, str(caught.value))

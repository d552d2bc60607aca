"""A pause holds what it names, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postkit.clock import SystemClock
from postkit.deliver.gates import Paused
from postkit.deliver.ledger import Ledger
from postkit.deliver.pauses import ALL, Pauses, Scope
from postkit.network import Account, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import NewDelivery, PublicationRows

CLOCK = SystemClock()
PLACES = {
    "d_1": ("toy", "a_1", None),
    "d_2": ("toy", "a_1", "square"),
    "d_3": ("toy", "a_2", None),
    "d_4": ("other", "a_3", "square"),
}
"""Deliveries and where they go: network, account, target."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "postkit.db")
    accounts = AccountRows(database, CLOCK)
    for account, network in (("a_1", "toy"), ("a_2", "toy"), ("a_3", "other")):
        accounts.add(Account(account, network, account))
    new = [
        NewDelivery(
            name, account, f"{network}:{account}", network, target, name,
            [RenderedPart(name)], [], [], None,
        )
        for name, (network, account, target) in PLACES.items()
    ]  # fmt: skip
    PublicationRows(database, CLOCK).accept("p_1", new, content="c")
    yield database
    database.close()


@pytest.mark.parametrize(
    ("scope", "paused"),
    [
        (ALL, {"d_1", "d_2", "d_3", "d_4"}),
        (Scope("toy", "toy"), {"d_1", "d_2", "d_3"}),
        (Scope("toy:a_1", "toy", "a_1"), {"d_1", "d_2"}),
        (Scope("toy:a_1/square", "toy", "a_1", "square"), {"d_2"}),
        (Scope("other/square", "other", None, "square"), {"d_4"}),
    ],
)
def test_what_is_named_is_paused(database: Database, scope: Scope, paused: set[str]) -> None:
    pauses = Pauses(database, CLOCK, "person")
    ledger = Ledger(database, CLOCK, "me")
    assert pauses.count([scope]) == len(paused)
    assert pauses.add([scope], "because") == []
    assert [(pause.scope, pause.reason) for pause in pauses.all()] == [(scope, "because")]
    for name in PLACES:
        assert (pauses.covering(name) == scope.address) == (name in paused)
        [part] = ledger.parts(name)
        if name in paused:
            with pytest.raises(Paused, match=rf"{scope.address} is paused: because\."):
                ledger.claim(part, "key")
            ledger.hold(part, "paused", "It is paused.")
    ended, held = pauses.end([scope], send=True)
    assert [pause.scope for pause in ended] == [scope]
    assert {part.delivery_id for part in held} == paused
    for name in PLACES:
        assert pauses.covering(name) is None
        [part] = ledger.parts(name)
        assert (part.state, part.held_reason) == ("SCHEDULED", None)
        assert part.ready_at == part.not_before


def test_what_another_pause_still_holds_stays_held(database: Database) -> None:
    pauses = Pauses(database, CLOCK, "person")
    ledger = Ledger(database, CLOCK, "me")
    network = Scope("toy", "toy")
    account = Scope("toy:a_1", "toy", "a_1")
    pauses.add([network, account], "because")
    for name in ("d_1", "d_3"):
        ledger.hold(ledger.parts(name)[0], "paused", "It is paused.")
    _, held = pauses.end([network], send=True)
    # What fell due meanwhile was held by nobody yet, and is listed as well.
    assert {part.delivery_id for part in held} == {"d_1", "d_2", "d_3"}
    assert [ledger.parts(name)[0].state for name in ("d_1", "d_3")] == ["HELD", "SCHEDULED"]

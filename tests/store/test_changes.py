"""What a person changes before it is sent is what is sent, and nothing of before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from postkit.clock import SystemClock
from postkit.deliver.changes import Changes
from postkit.deliver.ledger import Ledger
from postkit.errors import Throttled
from postkit.network import Account, Outgoing, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import NewDelivery, PublicationRows

CLOCK = SystemClock()


def delivery(*texts: str) -> NewDelivery:
    parts = [RenderedPart(text) for text in texts]
    return NewDelivery(
        "d_1", "a_1", "toy:one", "toy", None, texts[0], parts, [], [], None
    )  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "postkit.db")
    AccountRows(database, CLOCK).add(Account("a_1", "toy", "one"))
    PublicationRows(database, CLOCK).accept("p_1", [delivery("one", "two")], content="c")
    yield database
    database.close()


def test_an_edit_takes_back_the_request_of_before(database: Database) -> None:
    ledger = Ledger(database, CLOCK, "me")
    claimed = ledger.claim(ledger.parts("d_1")[0], "key-1")
    sent = ledger.send(claimed, Outgoing(RenderedPart("one"), {}, "key-1", CLOCK.now()))
    ledger.unsent(sent, Throttled("Too many."), CLOCK.now() + timedelta(seconds=30))
    row = PublicationRows(database, CLOCK).delivery("d_1")
    Changes(database, CLOCK, "person").edit([(row, delivery("other"))])
    [part] = ledger.parts("d_1")
    assert part.rendition["text"] == "other"
    assert (part.outgoing, part.key, part.prepared) == (None, None, {})
    # The limit was not about the text: it still says what the new one waits for.
    assert part.error is not None
    assert part.error["kind"] == "throttled"

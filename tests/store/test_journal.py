"""Every id of an upload is on the disk at once; the history tells of it now and then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postkit.deliver.ledger import Ledger
from postkit.network import Account, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import NewDelivery, PublicationRows


class Clock:
    """Stands until it is moved."""

    seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 29, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    database = Database(tmp_path / "postkit.db")
    AccountRows(database, clock).add(Account("a_1", "toy", "one"))
    new = NewDelivery(
        "d_1", "a_1", "toy:one", "toy", None, "hash", [RenderedPart("one")], [], [], None
    )  # fmt: skip
    PublicationRows(database, clock).accept("p_1", [new], content="c")
    yield database
    database.close()


def told(database: Database) -> list[str]:
    found = database.read("SELECT reason FROM history WHERE event = 'prepared' ORDER BY id")
    return [row["reason"] for row in found]


def test_a_long_upload_has_a_line_at_its_beginning_and_one_each_minute(
    database: Database, clock: Clock
) -> None:
    ledger = Ledger(database, clock, "me")
    journal = ledger.journal(ledger.claim(ledger.parts("d_1")[0], "key"))
    for piece in range(300):
        journal["media_0"] = {"id": "1", "sent": piece}
        assert ledger.parts("d_1")[0].prepared == {"media_0": {"id": "1", "sent": piece}}
        clock.seconds += 1.0
    assert len(told(database)) == 5
    journal["media_1"] = {"id": "2"}
    assert told(database)[-1] == "Prepared: media_1."
    assert len(told(database)) == 6


def test_to_look_again_adds_no_line(database: Database, clock: Clock) -> None:
    ledger = Ledger(database, clock, "me")
    part = ledger.claim(ledger.parts("d_1")[0], "key")
    ledger.journal(part)["media_0"] = {"id": "1"}
    for _ in range(10):
        clock.seconds += 300.0
        again = ledger.journal(ledger.parts("d_1")[0])
        again["media_0"] = {"id": "1", "whole": True}
    assert told(database) == ["Prepared: media_0."]
    del again["media_0"]
    assert told(database) == ["Prepared: media_0."]
    again["media_0"] = {"id": "2"}
    assert told(database) == ["Prepared: media_0."] * 2
    assert ledger.parts("d_1")[0].prepared == {"media_0": {"id": "2"}}

"""The store keeps tenants apart by itself: rows, workers, clocks that were wrong, zones' rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from postkit.clock import micros
from postkit.deliver.agenda import Agenda
from postkit.deliver.ledger import Ledger
from postkit.deliver.rules import ZoneRules
from postkit.errors import StoreError, UnknownName
from postkit.network import Account, RenderedPart
from postkit.store.accounts import AccountRows
from postkit.store.database import Database
from postkit.store.publications import Due, NewDelivery, PublicationRows

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)


@dataclass
class Still:
    """A clock that a test moves."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def new(name: str, account: str, when: Due | None = None) -> NewDelivery:
    return NewDelivery(
        name, account, "toy:one", "toy", None, name, [RenderedPart(name)], [], [], None, when=when
    )


@pytest.fixture
def clock() -> Still:
    return Still()


@pytest.fixture
def database(tmp_path: Path, clock: Still) -> Iterator[Database]:
    """Two tenants with an account and a delivery each: a_one and d_one, a_two and d_two."""
    database = Database(tmp_path / "postkit.db")
    for tenant in ("one", "two"):
        AccountRows(database, clock, tenant).add(Account(f"a_{tenant}", "toy", "one"))
        rows = PublicationRows(database, clock, tenant)
        due = Due(NOW, NOW + timedelta(hours=6), "2027-01-04T10:00", "Europe/Berlin")
        rows.accept(f"p_{tenant}", [new(f"d_{tenant}", f"a_{tenant}", due)], content="c")
    yield database
    database.close()


def change(database: Database, sql: str) -> None:
    database.write(lambda connection: connection.execute(sql).close())


def values(database: Database, sql: str) -> list[object]:
    return [row[0] for row in database.read(sql)]


# What a row may name


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("delivery", {"tenant": "two"}),
        ("delivery", {"account_id": "a_two"}),
        ("delivery", {"publication_id": "p_two"}),
        ("part", {"tenant": "two"}),
        ("part", {"account_id": "a_two"}),
        ("part", {"delivery_id": "d_two"}),
    ],
)
def test_a_row_names_nothing_of_another_tenants(
    database: Database, table: str, columns: dict[str, str]
) -> None:
    """Whatever writes it: this is a copy of a row of its own, with one column changed."""
    [row] = database.read(f"SELECT * FROM {table} WHERE tenant = 'one'")
    copy = {**dict(row), "id": f"{row['id']}_2", "position": 2}
    marks = ", ".join(f":{name}" for name in copy)
    sql = f"INSERT INTO {table} ({', '.join(copy)}) VALUES ({marks})"

    def insert(values: dict[str, object]) -> None:
        database.write(lambda connection: connection.execute(sql, values).close())

    with pytest.raises(StoreError, match="of another tenant"):
        insert({**copy, **columns})
    insert(copy)


def test_an_account_of_another_tenant_is_not_published_through(
    database: Database, clock: Still
) -> None:
    rows = PublicationRows(database, clock, "two")
    with pytest.raises(UnknownName, match="There is no account a_one"):
        rows.accept("p_3", [new("d_3", "a_two"), new("d_4", "a_one")], content="c")
    assert values(database, "SELECT id FROM publication ORDER BY id") == ["p_one", "p_two"]


def test_parts_are_found_by_their_own_tenant_and_by_a_worker_of_all(
    database: Database, clock: Still
) -> None:
    assert len(Ledger(database, clock, "me", "one").parts("d_one")) == 1
    assert Ledger(database, clock, "me", "two").parts("d_one") == []
    assert Ledger(database, clock, "me").parts("d_one") == []
    assert len(Ledger(database, clock, "me", None).parts("d_one")) == 1


def test_what_settles_a_part_is_its_tenants_secret(database: Database, clock: Still) -> None:
    sql = "UPDATE part SET remote_id = '7' WHERE tenant = 'one'"
    change(database, sql)
    assert Ledger(database, clock, "me", "one").settled_by("a_one", ["7"]) == {"7"}
    assert Ledger(database, clock, "me", "two").settled_by("a_one", ["7"]) == frozenset()


# Workers


def test_an_agenda_is_one_tenants_or_everybodys(database: Database, clock: Still) -> None:
    def ready(tenant: str | None) -> set[str]:
        return {found.account_id for found in Agenda(database, clock, "me", tenant).ready(9)}

    assert ready("one") == {"a_one"}
    assert ready("two") == {"a_two"}
    assert ready(None) == {"a_one", "a_two"}
    sql = "UPDATE account SET ready_at = ready_at + 7000000 WHERE id = 'a_one'"
    change(database, sql)
    assert Agenda(database, clock, "me", "one").next_at() == NOW + timedelta(seconds=7)
    assert Agenda(database, clock, "me", "two").next_at() == NOW
    assert Agenda(database, clock, "me", "three").next_at() is None


def test_who_works_for_whom(database: Database, clock: Still) -> None:
    everybody = Agenda(database, clock, "me", is_dead=lambda _: False)
    one = Agenda(database, clock, "me", "one", is_dead=lambda _: False)
    two = Agenda(database, clock, "me", "two", is_dead=lambda _: False)

    def worked() -> list[bool]:
        return [everybody.is_worked(), one.is_worked(), two.is_worked()]

    one.beat(NOW)
    assert worked() == [False, True, False]
    two.beat(NOW)
    one.leave()
    assert worked() == [False, False, True], "two workers of one process end each for itself"
    everybody.beat(NOW)
    two.leave()
    assert worked() == [True, True, True]
    everybody.leave()
    assert values(database, "SELECT count(*) FROM worker") == [0]


def test_a_dead_worker_is_cleared_away_by_its_own(database: Database, clock: Still) -> None:
    Agenda(database, clock, "dead", "one").beat(NOW)
    Agenda(database, clock, "me", "two", is_dead=lambda _: True).leave()
    assert values(database, "SELECT owner FROM worker") == ["dead"]
    Agenda(database, clock, "me", is_dead=lambda _: True).leave()
    assert values(database, "SELECT owner FROM worker") == []


def test_what_is_stale_in_doubt_or_dead_is_looked_for_at_home(
    database: Database, clock: Still
) -> None:
    clock.at = NOW + timedelta(days=2)
    one, two = (
        Agenda(database, clock, "me", name, is_dead=lambda _: True) for name in ("one", "two")
    )
    assert [part.delivery_id for part in one.stale()] == ["d_one"]
    doubt = (
        f"UPDATE part SET state = 'IN_DOUBT', doubt_at = {micros(NOW)}, owner = 'dead', "
        f"lease_until = {micros(clock.at) + 1_000_000} WHERE tenant = 'one'"
    )
    change(database, doubt)
    assert one.old_doubts(timedelta(days=1)) == ["d_one"]
    assert two.old_doubts(timedelta(days=1)) == []
    assert two.free_the_dead() == 0
    assert one.free_the_dead() == 1


def test_a_clock_that_was_wrong_is_mended_for_its_own(database: Database, clock: Still) -> None:
    far = micros(NOW + timedelta(days=9))
    sql = f"UPDATE account SET resume_at = {far}"
    late = (
        f"UPDATE part SET state = 'LIVE', ready_at = {far}, audit_at = {far}, "
        f"live_at = {micros(NOW)}, sending_at = {micros(NOW)}"
    )
    change(database, sql)
    change(database, late)
    two = Agenda(database, clock, "me", "two")
    two.mend()
    assert two.wake() == 1
    waiting = "SELECT id FROM account WHERE resume_at > ready_at OR ready_at IS NULL"
    assert values(database, waiting) == ["a_one"]
    assert values(database, f"SELECT tenant FROM part WHERE ready_at = {far}") == ["one"]
    assert Agenda(database, clock, "me").wake() == 1


def test_the_rules_of_a_zone_are_applied_for_each(
    database: Database, clock: Still, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one tenant's worker has moved is no sign that the others' is moved."""
    clock.at = NOW - timedelta(hours=3)
    monkeypatch.setattr("postkit.deliver.rules.resolve", lambda *_, **__: NOW - timedelta(hours=1))
    for tenant, moved in (("two", 1), ("two", 0), (None, 1), (None, 0), ("one", 0)):
        ledger = Ledger(database, clock, "me", tenant)
        assert ZoneRules(database, clock, ledger, tenant).apply() == moved, tenant

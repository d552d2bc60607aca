"""The history proves itself: whatever a hand changes in it is found, and where."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from postkit.deliver.actor import Actor
from postkit.deliver.chain import Broken, Chains
from postkit.deliver.history import COLUMNS, FORM, append
from postkit.errors import StoreError
from postkit.store.database import Database, _migrations, statements

START = 1_700_000_000_000_000
LINES = 9
MIDDLE = 5
ALICE = Actor("alice", "cli")


def write(database: Database, count: int = LINES, account: str = "a_1", first: int = 0) -> None:
    def work(connection: sqlite3.Connection) -> None:
        for number in range(first, first + count):
            append(
                connection, ALICE, "", account, START + number, "send", f"Line {number}.",
                delivery_id="d_1", part_id="d_1.1", before="CLAIMED", after="SENDING",
                attempt=1, content="0" * 64, detail={"request": "POST /"},
            )  # fmt: skip

    database.write(work)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "postkit.db")) as opened:
        # Of two accounts by turns, so that neighbours in the table are none in a chain.
        for number in range(LINES):
            write(opened, 1, "a_1", number)
            write(opened, 1, "a_2", number)
        yield opened


def tamper(database: Database, *statements: str, values: dict[str, Any] | None = None) -> None:
    """With the rights of whoever can write the file."""
    with closing(sqlite3.connect(database.path)) as raw:
        for trigger in ("unchanged", "undeleted", "follows", "counted"):
            raw.execute(f"DROP TRIGGER IF EXISTS history_{trigger}")
        for statement in statements:
            raw.execute(statement, values or {})
        raw.commit()


def run(connection: sqlite3.Connection, sql: str) -> None:
    connection.execute(sql)


def line_id(database: Database, number: int, account: str = "a_1") -> int:
    found = database.read(
        "SELECT id FROM history WHERE account_id = :account ORDER BY id", {"account": account}
    )
    return int(found[number - 1]["id"])


def broken(database: Database, account: str = "a_1") -> Broken | None:
    return Chains(database).read(account, account).broken


def test_what_was_written_is_whole(database: Database) -> None:
    chain = Chains(database).read("a_1", "toy:one")
    assert (chain.lines, chain.broken, len(chain.hash)) == (LINES, None, 64)
    assert Chains(database).names() == ["a_1", "a_2"]
    empty = Chains(database).read("a_3", "toy:none")
    assert (empty.lines, empty.hash, empty.broken) == (0, "", None)


@pytest.mark.parametrize("column", sorted({*COLUMNS[FORM], "hash"}))
def test_one_byte_of_any_column_is_noticed(database: Database, column: str) -> None:
    """In a line of the middle; each of its neighbours is still what it was."""
    id_ = line_id(database, MIDDLE)
    [row] = database.read(f"SELECT {column} AS value FROM history WHERE id = :id", {"id": id_})
    value = row["value"]
    changed: Any
    if isinstance(value, int):
        changed = value ^ (64 if column == "id" else 1)
    elif value:
        changed = chr(ord(value[0]) ^ 1) + value[1:]
    else:
        changed = "x"
    tamper(
        database,
        f"UPDATE history SET {column} = :value WHERE id = :id",
        values={"value": changed, "id": id_},
    )
    found = broken(database)
    assert found is not None
    if column in ("id", "account_id", "tenant"):
        # The line is elsewhere now: the next one does not follow.
        assert (found.line, "does not follow" in found.what) == (MIDDLE, True)
    else:
        assert found.line == MIDDLE
        assert found.at is None or abs((found.at - _time(MIDDLE)).total_seconds()) < 1
    assert broken(database, "a_2") is None or column == "account_id"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reason", b"\xff"), ("hash", b"\xff"), ("previous", b""), ("at", "never"), ("at", 2**62),
        ("form", "2"), ("form", b"2"), ("form", 9), ("detail", b"{}"), ("attempt", 1.5),
    ],
)  # fmt: skip
def test_what_is_no_such_value_at_all_is_noticed(
    database: Database, column: str, value: object
) -> None:
    tamper(
        database,
        f"UPDATE history SET {column} = :value WHERE id = :id",
        values={"value": value, "id": line_id(database, MIDDLE)},
    )
    lines: list[dict[str, Any]] = []
    chain = Chains(database).read("a_1", "toy:one", since=_time(1), each=lines.append)
    if (column, value) == ("form", "2"):
        assert chain.broken is None, "the column makes a number of it"
    else:
        assert chain.broken is not None
        assert chain.broken.line == MIDDLE
    assert json.dumps(lines)


def test_an_id_that_keeps_the_order_is_noticed(database: Database) -> None:
    """Between the two lines of another account there is room for it."""
    tamper(database, "DELETE FROM history WHERE account_id = 'a_2'")
    tamper(
        database,
        "UPDATE history SET id = id + 1 WHERE id = :id",
        values={"id": line_id(database, MIDDLE)},
    )
    found = broken(database)
    assert found is not None
    assert (found.line, found.what) == (MIDDLE, "It was changed after it was written.")


@pytest.mark.parametrize("number", [1, MIDDLE, LINES])
def test_a_line_that_is_gone_is_missed(database: Database, number: int) -> None:
    tamper(
        database,
        "DELETE FROM history WHERE id = :id",
        values={"id": line_id(database, number)},
    )
    found = broken(database)
    assert found is not None
    assert found.line == number
    assert ("missing at the end" if number == LINES else "does not follow") in found.what


def test_all_of_it_gone_is_missed(database: Database) -> None:
    tamper(database, "DELETE FROM history WHERE account_id = 'a_1'")
    found = broken(database)
    assert found == Broken(1, None, f"{LINES} of {LINES} lines are missing at the end.")
    assert "a_1" in Chains(database).names()


def test_the_kept_end_without_the_lines_and_lines_without_it(database: Database) -> None:
    tamper(database, "DELETE FROM chain WHERE account_id = 'a_1'")
    found = broken(database)
    assert found is not None
    assert "another one" in found.what
    assert "a_1" in Chains(database).names()


def test_two_lines_that_changed_places(database: Database) -> None:
    one, two = line_id(database, MIDDLE), line_id(database, MIDDLE + 1)
    tamper(
        database,
        "UPDATE history SET id = -1 WHERE id = :one",
        "UPDATE history SET id = :one WHERE id = :two",
        "UPDATE history SET id = :two WHERE id = -1",
        values={"one": one, "two": two},
    )
    found = broken(database)
    assert found is not None
    assert found.line == MIDDLE


def test_a_line_that_was_put_in_between(database: Database) -> None:
    """A copy of the one before, chained to it as far as anybody can without the next."""
    at = line_id(database, MIDDLE)
    columns = ", ".join(name for name in COLUMNS[FORM] if name != "id")
    tamper(
        database,
        "DELETE FROM history WHERE id = :next",  # of the other account: makes room
        f"INSERT INTO history (id, {columns}, hash) "
        f"SELECT :next, {columns}, hash FROM history WHERE id = :at",
        values={"next": at + 1, "at": at},
    )
    found = broken(database)
    assert found is not None
    assert found.line == MIDDLE + 1


def test_a_line_at_the_end_that_is_chained_well(database: Database) -> None:
    """Only the kept end tells."""
    [last] = database.read(
        "SELECT * FROM history WHERE account_id = 'a_1' ORDER BY id DESC LIMIT 1"
    )
    line = {name: last[name] for name in COLUMNS[FORM]}
    line |= {"id": last["id"] + 5, "previous": last["hash"], "reason": "Never happened."}
    text = json.dumps(line, sort_keys=True, ensure_ascii=False)
    hash_ = hashlib.sha256(text.encode()).hexdigest()
    names = (*COLUMNS[FORM], "hash")
    tamper(
        database,
        f"INSERT INTO history ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})",
        values={**line, "hash": hash_},
    )
    found = broken(database)
    assert found is not None
    assert "another one" in found.what


def test_the_database_refuses_what_is_not_appended(database: Database) -> None:
    for statement in (
        "UPDATE history SET reason = 'No.'",
        "DELETE FROM history",
        "INSERT OR REPLACE INTO history SELECT * FROM history WHERE id = 1",
        "INSERT INTO history (account_id, at, event, reason, previous, hash) "
        "VALUES ('a_1', 0, 'x', '', '', '')",
    ):
        with pytest.raises(StoreError, match=r"append-only|must follow"):
            database.write(partial(run, sql=statement))
    assert broken(database) is None


def test_lines_that_come_while_it_is_read(database: Database) -> None:
    """The end is compared as it was when the last page was read."""
    more: list[int] = []

    def each(_: dict[str, Any]) -> None:
        if len(more) < LINES:
            more.append(1)
            write(database, 1, "a_1", LINES + len(more))

    chain = Chains(database).read("a_1", "toy:one", each=each)
    assert chain.broken is None
    assert Chains(database).read("a_1", "toy:one").lines == 2 * LINES


def test_many_pages(database: Database) -> None:
    write(database, 4500, "a_3")
    read: list[int] = []
    chain = Chains(database).read("a_3", "toy:three", read=read.append)
    assert (chain.lines, chain.broken, read) == (4500, None, [2000, 2000, 500])


def test_an_exact_page_has_an_end_too(database: Database) -> None:
    write(database, 2000, "a_3")
    tamper(database, "UPDATE chain SET lines = 2001 WHERE account_id = 'a_3'")
    assert broken(database, "a_3") == Broken(2001, None, "1 of 2001 lines are missing at the end.")


def test_an_export_can_be_proved_without_the_store(database: Database) -> None:
    lines: list[dict[str, Any]] = []
    since = _time(4)
    Chains(database).read("a_1", "toy:one", since=since, each=lines.append)
    assert [line["line"] for line in lines] == [4, 5, 6, 7, 8, 9]
    around = {"schema", "account", "line", "time", "hash"}
    for before, line in itertools.pairwise(lines):
        own = {name: value for name, value in line.items() if name not in around}
        text = json.dumps(own, sort_keys=True, ensure_ascii=False)
        assert line["hash"] == hashlib.sha256(text.encode()).hexdigest()
        assert line["previous"] == before["hash"]
    assert {(line["actor"], line["via"], line["account"]) for line in lines} == {
        ("alice", "cli", "toy:one")
    }


def test_a_store_of_before_keeps_its_lines_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "postkit.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for script in _migrations()[:4]:
            for statement in statements(script):
                raw.execute(statement)
        raw.execute("PRAGMA user_version=4")
        previous = ""
        for number in range(3):
            line = {
                "tenant": "", "account_id": "a_1", "delivery_id": "d_1", "part_id": "d_1.1",
                "at": START + number, "event": "send", "before": "CLAIMED", "after": "SENDING",
                "attempt": 1, "reason": "Ünsent \ud800".encode("utf-8", "replace").decode(),
                "detail": None, "previous": previous,
            }  # fmt: skip
            text = json.dumps(line, sort_keys=True, ensure_ascii=False)
            previous = hashlib.sha256(text.encode()).hexdigest()
            names = (*line, "hash")
            raw.execute(
                f"INSERT INTO history ({', '.join(names)}) "
                f"VALUES ({', '.join(f':{n}' for n in names)})",
                {**line, "hash": previous},
            )
    with closing(Database(path)) as database:
        write(database, 2)
        chain = Chains(database).read("a_1", "toy:one")
        assert (chain.lines, chain.broken) == (5, None)
        tamper(database, "UPDATE history SET form = 1, reason = 'x' WHERE id = 5")
        found = broken(database)
        assert found is not None
        assert (found.line, "form" in found.what) == (5, True)
        tamper(database, "UPDATE history SET reason = 'x' WHERE id = 2")
        assert broken(database) == Broken(2, _time(2), "It was changed after it was written.")


def _time(number: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START + number - 1)

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from postkit.errors import StoreBusy, StoreError
from postkit.store.database import Database, statements


def test_a_new_store_is_durable_by_its_own_word(tmp_path: Path) -> None:
    database = Database(tmp_path / "postkit.db")
    assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    assert database.read("PRAGMA synchronous")[0][0] == 2
    assert database.read("PRAGMA foreign_keys")[0][0] == 1
    assert database.read("PRAGMA user_version")[0][0] == 6
    database.close()


def test_opening_it_twice_changes_nothing(tmp_path: Path) -> None:
    Database(tmp_path / "postkit.db").close()
    database = Database(tmp_path / "postkit.db")
    assert database.read("SELECT count(*) FROM part")[0][0] == 0
    database.close()


def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "postkit.db"
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version=99")
    raw.close()
    with pytest.raises(StoreError, match="newer postkit"):
        Database(path)
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA user_version").fetchone()[0] == 99
    raw.close()


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "postkit.db"
    path.write_bytes(b"this is a letter, not a database" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="damaged"):
        Database(path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(tmp_path / "missing" / "postkit.db")


def test_a_lock_held_too_long_is_come_back_later(tmp_path: Path) -> None:
    path = tmp_path / "postkit.db"
    Database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = Database(path, busy=0.05)
    with pytest.raises(StoreBusy, match="locked"):
        database.write(lambda connection: connection.execute("DELETE FROM media"))
    other.execute("ROLLBACK")
    other.close()
    database.write(lambda connection: connection.execute("DELETE FROM media").fetchall())
    database.close()


def _insert(name: str) -> str:
    return f"INSERT INTO media VALUES ('{name}', 'image/png', 1, 1)"


def test_the_failure_of_one_writer_does_not_undo_another(tmp_path: Path) -> None:
    database = Database(tmp_path / "postkit.db")
    gate = threading.Event()
    failures: list[BaseException] = []

    def slow(connection: sqlite3.Connection) -> None:
        gate.set()
        connection.execute(_insert("slow"))

    def bad(connection: sqlite3.Connection) -> None:
        connection.execute(_insert("half"))
        raise ValueError("no")

    def run_bad() -> None:
        gate.wait(5)
        try:
            database.write(bad)
        except ValueError as error:
            failures.append(error)

    others = [
        threading.Thread(
            target=lambda n=n: database.write(lambda c: c.execute(_insert(f"m{n}")).fetchall())
        )
        for n in range(20)
    ]
    failing = threading.Thread(target=run_bad)
    failing.start()
    for thread in others:
        thread.start()
    database.write(slow)
    for thread in [*others, failing]:
        thread.join(10)
    names = {row["sha256"] for row in database.read("SELECT sha256 FROM media")}
    assert names == {"slow", *(f"m{n}" for n in range(20))}
    assert [str(error) for error in failures] == ["no"]
    database.close()


def test_writers_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    database = Database(tmp_path / "postkit.db")
    commits: list[str] = []
    database.write(lambda c: c.set_trace_callback(lambda sql: commits.append(sql)))
    entered, leave = threading.Event(), threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        entered.set()
        leave.wait(5)

    holder = threading.Thread(target=lambda: database.write(hold))
    holder.start()
    entered.wait(5)
    writers = [
        threading.Thread(
            target=lambda n=n: database.write(lambda c: c.execute(_insert(f"m{n}")).fetchall())
        )
        for n in range(10)
    ]
    for thread in writers:
        thread.start()
    while len(database._queue) < 10:
        pass
    leave.set()
    for thread in [holder, *writers]:
        thread.join(10)
    assert commits.count("COMMIT") == 3, "the trace's own, the holder's, and one for all ten"
    database.close()


def test_statements_are_split_where_sql_ends() -> None:
    script = "CREATE TABLE a (x); -- a; b\nINSERT INTO a VALUES ('; no');\n"
    found = statements(script)
    assert [part.strip().split("\n")[-1] for part in found] == [
        "CREATE TABLE a (x); -- a; b",
        "INSERT INTO a VALUES ('; no');",
    ]


def test_a_broken_connection_keeps_no_thread_waiting(tmp_path: Path) -> None:
    database = Database(tmp_path / "postkit.db")
    inside, waiting = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def breaking(connection: sqlite3.Connection) -> None:
        inside.set()
        waiting.wait(5)
        connection.close()

    def write(work: Any) -> None:
        try:
            database.write(work)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    first = threading.Thread(target=write, args=(breaking,))
    first.start()
    assert inside.wait(5)
    others = [
        threading.Thread(target=write, args=(lambda c: c.execute(_insert("x")),), daemon=True)
        for _ in range(3)
    ]
    for thread in others:
        thread.start()
    waiting.set()
    for thread in [first, *others]:
        thread.join(5)
        assert not thread.is_alive()
    assert len(failures) == 4
    assert all(isinstance(failure, StoreError) for failure in failures)


def test_a_new_store_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "postkit.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE half (id)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO half VALUES (1)")

    def let_go() -> None:
        other.execute("COMMIT")
        other.close()

    later = threading.Timer(0.3, let_go)
    later.start()
    database = Database(path, busy=10)
    assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    database.close()
    later.join(5)

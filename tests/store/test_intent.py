"""A store of before knows which posts were to be sent at once: those that nobody has moved."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from postkit.store.database import Database, _migrations, statements

ACCOUNT = (
    "INSERT INTO account (id, network, name, state, created_at) VALUES ('a_1', 'toy', 'one', "
    "'ok', 0)"
)
PUBLICATION = "INSERT INTO publication (id, content, created_at) VALUES ('p_1', 'c', 100)"
DELIVERY = (
    "INSERT INTO delivery (id, publication_id, account_id, address, network, position, text_hash, "
    "changes, losses, created_at) VALUES (?, 'p_1', 'a_1', 'toy:one', 'toy', 1, '', '[]', '[]', "
    "100)"
)
PART = (
    "INSERT INTO part (id, delivery_id, account_id, position, state, rendition, due_at, "
    "not_before) VALUES (? || '.1', ?, 'a_1', 1, 'SCHEDULED', '{}', ?, ?)"
)
MOVED = (
    "INSERT INTO history (account_id, delivery_id, at, event, reason, previous, hash) VALUES "
    "('a_1', ?, 150, 'reschedule', '', '', '')"
)


def test_the_intent_of_what_an_older_postkit_has_accepted(tmp_path: Path) -> None:
    path = tmp_path / "postkit.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for script in _migrations()[:3]:
            for statement in statements(script):
                raw.execute(statement)
        raw.execute("PRAGMA user_version=3")
        raw.execute(ACCOUNT)
        raw.execute(PUBLICATION)
        for name, due in (("d_now", 100), ("d_later", 200), ("d_moved", 90)):
            raw.execute(DELIVERY, (name,))
            raw.execute(PART, (name, name, due, due))
        raw.execute(MOVED, ("d_moved",))
    with closing(Database(path)) as database:
        found = database.read("SELECT id, at_once FROM delivery ORDER BY id")
        assert {row["id"]: row["at_once"] for row in found} == {
            "d_later": 0, "d_moved": 0, "d_now": 1,
        }  # fmt: skip

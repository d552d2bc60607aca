from __future__ import annotations

from contextlib import closing
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from postkit.clock import micros
from postkit.store import rows
from postkit.store.database import Database

JSON = ("rendition", "prepared", "outgoing", "receipt", "question", "error", "copies")


def test_each_column_of_a_part_is_in_its_field(tmp_path: Path) -> None:
    """Rows are read by position; another order of the columns must not go unseen."""
    with closing(Database(tmp_path / "postkit.db")) as database:
        columns = {
            row["name"]: row["type"]
            for row in database.read("SELECT * FROM pragma_table_info('part')")
        }
        given: dict[str, object] = {
            name: f'["{name}"]' if name in JSON else number if kind == "INTEGER" else name
            for number, (name, kind) in enumerate(columns.items())
        }
        values = ", ".join(f":{name} AS {name}" for name in columns)
        part = rows.part(database.read(f"SELECT {values}, 'more' AS local", given)[0])
    assert {field.name for field in fields(part)} == set(columns)
    for name, value in given.items():
        found = getattr(part, name)
        if name in JSON:
            assert found == [name]
        elif isinstance(found, bool):
            assert found
        else:
            assert (micros(found) if isinstance(found, datetime) else found) == value

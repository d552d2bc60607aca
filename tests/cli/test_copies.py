"""A second post that the late look has found: told with its link wherever a person may look."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from postkit.kit import Kit

from .program import Program
from .test_show import terminal


@pytest.fixture
def copied(mastodon: Program, tmp_path: Path) -> tuple[Program, str, str, str]:
    """The program, the delivery that is there twice, and the links of both posts."""
    [delivery] = mastodon("publish", "Twice", "--to", "mastodon", "--json").report["deliveries"]
    with Kit(home=tmp_path / "other", key=b"o" * 32) as other:
        [given] = [a for a in mastodon.server.accounts() if a.network == "mastodon"]
        other.connect("mastodon", given.credentials, endpoint=given.endpoint)
        second = other.publish("Twice", ["mastodon"]).deliveries[0].urls[0]
    with closing(sqlite3.connect(mastodon.home / "postkit.db")) as raw, raw:
        # A quarter of an hour passes.
        raw.execute("UPDATE part SET audit_at = 1, ready_at = 1")
        raw.execute("UPDATE account SET ready_at = 1")
    return mastodon, delivery["id"], delivery["parts"][0]["url"], second


def test_the_worker_tells_it(copied: tuple[Program, str, str, str]) -> None:
    program, name, _, second = copied
    result = program("worker", "--drain", "--wait", "0")
    [row] = [line.split("\t") for line in result.out.splitlines()]
    assert row[1:4] == ["mastodon:mastodon", name, "copy"]
    assert row[4] == f"It may be there twice: {second} (`postkit show {name}`)"
    assert program("worker", "--drain", "--wait", "0").out == "", "news once"


def test_list_queue_and_show_tell_it_with_its_link(
    copied: tuple[Program, str, str, str],
) -> None:
    program, name, first, second = copied
    said = (
        f"1 post may be there twice:\n  mastodon:mastodon  `postkit show {name}`\n      {second}\n"
    )
    for command in ("list", "queue"):
        assert "twice" not in program(command).err
    program("worker", "--drain", "--wait", "0")
    for command in ("list", "queue"):
        assert said in program(command).err
        assert said in terminal(program, command)
    shown = program("show", name)
    assert second in shown.err
    assert shown.out.splitlines()[-1].startswith(f"Next: Look whether it is there twice: {second}.")
    assert first in shown.out
    assert program("show", name, "--json").report["deliveries"][0]["copies"] == [second]
    assert program("queue", "--json").json["copied"][0]["copies"] == [second]
    [publication] = program("list", "--json").json["publications"]
    assert publication["deliveries"][0]["copies"] == [second]


def test_with_something_to_come_too(copied: tuple[Program, str, str, str]) -> None:
    program, _, _, second = copied
    program("worker", "--drain", "--wait", "0")
    program("publish", "Later", "--to", "mastodon", "--at", "in 2h")
    assert second in program("queue").err
    assert len(program("queue").out.splitlines()) == 1


def test_of_many_the_newest_are_named(mastodon: Program) -> None:
    for number in range(5):
        mastodon("publish", f"Post {number}", "--to", "mastodon")
    with closing(sqlite3.connect(mastodon.home / "postkit.db")) as raw, raw:
        for row, (name,) in enumerate(raw.execute("SELECT id FROM part").fetchall()):
            link = f"https://social.example/{row}"
            raw.execute("UPDATE part SET copies = ? WHERE id = ?", (json.dumps([link]), name))
    lines = mastodon("queue").err.splitlines()
    assert "5 posts may be there twice:" in lines
    assert sum("https://social.example/" in line for line in lines) == 3
    assert lines[-1] == "  and 2 more"

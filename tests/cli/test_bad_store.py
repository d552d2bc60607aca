"""A store that cannot be used: a sentence, a status, nothing sent, nothing lost."""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .program import Program, states, validator, wait_for


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTKIT_BUSY_TIMEOUT", "0.2")


@contextmanager
def locked(program: Program) -> Iterator[None]:
    """Another process holds the store's only write lock."""
    connection = sqlite3.connect(program.home / "postkit.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_store_that_is_locked(mastodon: Program) -> None:
    with locked(mastodon):
        said = mastodon.fails(75, "publish", "Hi", "--to", "mastodon")
        assert said.endswith("postkit.db is locked by another program; try again when it is done.")
        result = mastodon("publish", "Hi", "--to", "mastodon", "--json")
        assert result.status == 75
        assert result.report["error"]["kind"] == "store_busy"
        assert mastodon("list").status == 0
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    assert mastodon.texts() == ["Hi"]


def test_a_store_that_is_locked_while_the_post_is_on_its_way(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "slow", seconds=1.0)
    process = mastodon.start("publish", "Hi", "--to", "mastodon", "--json")
    wait_for(lambda: mastodon.creates() == 1)
    with locked(mastodon):
        out, err = process.communicate(timeout=20)
    assert process.returncode == 75, err
    assert "Traceback" not in err
    [name] = {line.split("\t")[0] for line in mastodon("list").out.splitlines()}
    assert f"run `postkit finish {name}`" in err
    report = json.loads(out)
    validator().validate(report)
    assert report["publication"] == name
    done = mastodon("finish", name, "--json")
    assert done.status == 0, done
    assert states(done.report) == {"mastodon": "live"}
    assert mastodon.texts() == ["Hi"]
    assert mastodon.creates() == 1


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "99999"])
def test_a_busy_timeout_that_is_none(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setenv("POSTKIT_BUSY_TIMEOUT", seconds)
    said = mastodon.fails(2, "list")
    assert said == f"POSTKIT_BUSY_TIMEOUT: '{seconds}' is no number of seconds from 0 to 3600."


def test_a_store_that_is_read_only(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root is not stopped by the mode of a file, so SQLite itself is asked to open it read-only.
    real = sqlite3.connect

    def read_only(path: Path, **named: Any) -> sqlite3.Connection:
        opened: sqlite3.Connection = real(f"file:{path}?mode=ro", uri=True, **named)
        return opened

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", read_only)
        said = mastodon.fails(75, "publish", "Hi", "--to", "mastodon")
        assert "cannot be written (read-only); check the disk and its rights" in said
        assert mastodon("accounts").status == 0
    assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    assert mastodon.texts() == ["Hi"]


def test_a_store_of_a_newer_version(mastodon: Program) -> None:
    path = mastodon.home / "postkit.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=999")
    connection.close()
    before = path.read_bytes()
    for command in (["publish", "Hi", "--to", "mastodon"], ["list"], ["accounts"], ["show", "p_1"]):
        said = mastodon.fails(1, *command)
        assert "was written by a newer postkit (schema 999" in said
        assert "Update postkit, or name another store with POSTKIT_STORE." in said
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"I am no database. " * 100, b"SQLite format 3\x00" + b"\xff" * 200]
)
def test_a_store_that_is_none(mastodon: Program, content: bytes) -> None:
    for name in ("postkit.db-wal", "postkit.db-shm"):
        (mastodon.home / name).unlink(missing_ok=True)
    (mastodon.home / "postkit.db").write_bytes(content)
    said = mastodon.fails(1, "publish", "Hi", "--to", "mastodon")
    assert "is damaged or is no postkit store; restore a backup or move it away" in said
    assert (mastodon.home / "postkit.db").read_bytes() == content


def limit(size: int) -> Callable[[], None]:
    """No file of the process may grow past ``size`` bytes, as on a disk that is full."""

    def before() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return before


@pytest.mark.parametrize("size", [0, 4_096, 33_000, 45_000])
def test_a_full_disk(mastodon: Program, size: int) -> None:
    result = mastodon.process("publish", "Hi", "--to", "mastodon", "--json", before=limit(size))
    assert result.status == 75, result
    assert len(result.errors) == 1
    assert "disk" in result.errors[0] or "written" in result.errors[0]
    assert result.report["error"]["kind"] == "store_busy"
    assert mastodon.creates() == 0
    names = {line.split("\t")[0] for line in mastodon("list").out.splitlines()}
    if names:
        assert mastodon("finish", *names).status == 0
    else:
        assert mastodon("publish", "Hi", "--to", "mastodon").status == 0
    assert mastodon.texts() == ["Hi"]


def test_a_disk_that_has_no_room_for_a_picture(mastodon: Program) -> None:
    given = ["publish", "Hi", "--media", "big.jpg", "--to", "mastodon"]
    Path("big.jpg").write_bytes(noise())
    result = mastodon.process(*given, before=limit(100_000))
    assert result.status == 75, result
    assert len(result.errors) == 1
    assert "nothing was sent" in result.errors[0]
    assert mastodon.writes() == 0
    assert [p for p in (mastodon.home / "media").rglob("*") if p.is_file()] == []
    assert mastodon(*given).status == 0


def noise() -> bytes:
    """A picture that no encoder makes small."""
    import io
    import random

    from PIL import Image

    target = io.BytesIO()
    data = random.Random(1).randbytes(400 * 400 * 3)
    Image.frombytes("RGB", (400, 400), data).save(target, "PNG")
    return target.getvalue()


def test_a_home_that_is_a_file(postkit: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").write_text("", "utf-8")
    monkeypatch.setenv("POSTKIT_HOME", "file")
    said = postkit.fails(1, "list")
    assert "cannot be created" in said
    monkeypatch.setenv("POSTKIT_HOME", "file/inside")
    assert "cannot be created" in postkit.fails(1, "list")


def test_a_store_in_a_folder_that_is_not_there(
    postkit: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTKIT_STORE", "gone/store.db")
    said = postkit.fails(1, "list")
    assert "cannot be opened; check that its folder exists and is yours" in said
    monkeypatch.setenv("POSTKIT_STORE", "postgresql://user:secret-word@host/db")
    said = postkit.fails(2, "list")
    assert "secret-word" not in said

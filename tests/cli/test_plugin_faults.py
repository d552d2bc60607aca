"""Plugins that are broken, and a list of enabled ones that is: nothing else breaks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .planted import Planted, plant, rows, run
from .program import Program

BROKEN: dict[str, dict[str, bytes | None]] = {
    "no metadata": {"METADATA": None},
    "metadata of no text": {"METADATA": b"\xff\xfe\x00"},
    "no name": {"METADATA": b"Metadata-Version: 2.1\nVersion: 1\n"},
    "a name with controls": {"METADATA": b"Metadata-Version: 2.1\nName: a\x1b[2J,b\nVersion: 1\n"},
    "entry points of no text": {"entry_points.txt": b"[postkit.networks]\nchat = \xff\xfe"},
    "entry points without values": {"entry_points.txt": b"[postkit.networks]\nchat\n"},
    "an entry point that is no module": {"entry_points.txt": b"[postkit.networks]\nchat = 1 2 3\n"},
    "nothing but a folder": {"METADATA": None, "entry_points.txt": None},
}


@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_broken_metadata_breaks_nothing_else(
    postkit: Program, planted: Planted, files: dict[str, bytes | None], tmp_path: Path
) -> None:
    good = plant(tmp_path, "rival-chat", "rival")
    for name, content in files.items():
        if content is None:
            (planted.info / name).unlink()
        else:
            (planted.info / name).write_bytes(content)
    result = run(postkit, planted, "plugins", "--json", "--load")
    listed = rows(result)
    assert listed["postkit-social", "networks", "mastodon"]["state"] == "loaded"
    assert listed["rival-chat", "networks", "rival"]["state"] == "not_enabled"
    mine = [
        row for (who, _, _), row in listed.items() if who not in ("postkit-social", "rival-chat")
    ]
    for row in mine:
        assert (row["state"], "metadata" in row["reason"]) in {
            ("failed", True),
            ("not_enabled", False),
        }
    assert bool(mine) == ("entry_points.txt" not in files or files["entry_points.txt"] is not None)
    assert run(postkit, planted, "plugins", "enable", "rival", "--yes").status == 0
    assert run(postkit, planted, "networks", "rival").status == 0
    enabled = run(postkit, planted, "plugins", "enable", "chat", "--yes")
    run(postkit, planted, "networks", "chat")
    assert planted.ran == [] or enabled.status == 0
    assert good.ran
    assert not {"\x1b"} & set(run(postkit, planted, "plugins").out)


def damaged(path: Path, how: str) -> None:
    if how == "a folder":
        path.mkdir()
    elif how == "a pipe":
        os.mkfifo(path)
    else:
        content = {
            "cut": b'{"enabled": ["quill-ch',
            "another kind": b'["quill-chat"]',
            "names that are none": b'{"enabled": [1]}',
            "a nest": b"[" * 60_000,
            "no text": b"\xff",
            "empty": b"",
            "too long": b" " * 70_000,
            "open to others": b'{"enabled": ["quill-chat"]}',
        }[how]
        path.write_bytes(content)
        path.chmod(0o666 if how == "open to others" else 0o600)


@pytest.mark.parametrize(
    "how",
    ["cut", "another kind", "names that are none", "a nest", "no text", "empty", "too long",
     "open to others", "a folder", "a pipe"],
)  # fmt: skip
def test_a_list_that_cannot_be_read_enables_nothing_and_is_kept(
    postkit: Program, planted: Planted, how: str
) -> None:
    postkit.home.mkdir()
    path = postkit.home / "plugins.json"
    damaged(path, how)
    before = path.lstat()
    for command in (["plugins"], ["networks", "chat"], ["plugins", "enable", "chat", "--yes"]):
        result = run(postkit, planted, *command)
        assert result.status == 1, (command, result)
        [said] = result.errors
        assert str(path) in said
        assert "enable" in said
    assert run(postkit, planted, "networks", "mastodon").status == 0
    assert run(postkit, planted, "--help").status == 0
    assert planted.ran == []
    after = path.lstat()
    assert (after.st_ino, after.st_size, after.st_mtime) == (
        before.st_ino,
        before.st_size,
        before.st_mtime,
    )


def test_a_home_that_cannot_be_named_does_not_stop_the_help(
    postkit: Program, planted: Planted
) -> None:
    for more in ({"POSTKIT_STORE": "postgresql://x"}, {"POSTKIT_HOME": "~nobody-of-that-name/x"}):
        assert run(postkit, planted, "--help", **more).status == 0
    assert planted.ran == []

"""Who acts, as the history names it."""

from __future__ import annotations

import ast
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

import postkit.cli
from postkit.deliver.actor import LONGEST, Actor, this_user
from postkit.errors import InputError
from postkit.kit import Kit


def test_it_is_the_user_of_the_process_and_not_of_a_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    this_user.cache_clear()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert this_user() == pwd.getpwuid(os.getuid()).pw_name
    assert Actor.here().name == this_user()


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    this_user.cache_clear()
    assert this_user() == f"uid:{os.getuid()}"
    this_user.cache_clear()


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[31m", "x" * (LONGEST + 1)])
def test_what_is_no_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="actor"), Kit(home=tmp_path, actor=name) as kit:
        kit.accounts  # noqa: B018 - opens what writes lines


def test_a_program_names_whom_it_acts_for(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    with Kit(home=tmp_path, actor="desk 7 (Jürgen)") as kit:
        kit.pause()
        kit.audit(each=lines.append)
    assert (lines[0]["actor"], lines[0]["via"]) == ("desk 7 (Jürgen)", "library")
    assert lines[0]["account"] == "everything"
    assert Actor("a", "cli").working() == Actor("worker:a", "worker")


def test_every_command_says_that_it_is_one() -> None:
    """They take their Kit from ``cli/kit.py``, which names the terminal."""
    for path in Path(postkit.cli.__file__).parent.glob("*.py"):
        if path.name == "kit.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "kit" and node.level == 2:
                assert "Kit" not in {name.name for name in node.names}, path.name

"""The threat model says what is tested, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[2]
LINES = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if "|" in line]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES[2:]]


def problems(row: list[str]) -> list[str]:
    """What is wrong with a row of the table."""
    if len(row) != 3:
        return [f"{len(row)} columns"]
    found = [f"column {number} is empty" for number, cell in enumerate(row, 1) if not cell]
    named = re.findall(r"`([^`]+)`", row[2])
    if not named:
        found.append("no test")
    for name in named:
        pattern, *inner = name.split("::")
        files = sorted(ROOT.glob(pattern)) if not pattern.startswith("/") else []
        if not pattern.startswith(("tests/", "plugins/", "postkit/testing/")) or not files:
            found.append(f"{name}: there is no such file")
        elif inner and (len(files) > 1 or "::".join(inner) not in functions_of(files[0])):
            found.append(f"{name}: there is no such test")
        elif not inner and not any(map(has_tests, files)):
            found.append(f"{name}: there is no test in it")
    return found


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The tests of a file, ``test_name`` or ``Class::test_name``."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if is_test(each)}
        elif is_test(node):
            found.add(node.name)
    return frozenset(found)


def is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def has_tests(path: Path) -> bool:
    return any(
        functions_of(file) for file in ([path] if path.is_file() else path.rglob("test_*.py"))
    )


def test_the_table_has_three_columns_and_says_what_they_are() -> None:
    assert LINES[0] == "| threat | control | test |"
    assert re.fullmatch(r"\|(-+\|){3}", LINES[1])
    assert len(ROWS) >= 15
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_test_that_is_named_exists(row: list[str]) -> None:
    assert problems(row) == []


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["a", "b"], "2 columns"),
        (["a", "", "`tests/docs/test_security.py`"], "column 2 is empty"),
        (["a", "b", "a suite"], "no test"),
        (["a", "b", "`tests/docs/test_nothing.py`"], "no such file"),
        (["a", "b", "`tests/nothing/*.py`"], "no such file"),
        (["a", "b", "`/etc/passwd`"], "no such file"),
        (["a", "b", "`postkit/kit.py`"], "no such file"),
        (["a", "b", "`tests/docs/test_security.py::test_no`"], "no such test"),
        (["a", "b", "`tests/docs/test_security.py::problems`"], "no such test"),
        (["a", "b", "`tests/docs/*.py::test_the_table`"], "no such test"),
        (["a", "b", "`tests/cli/program.py`"], "no test in it"),
    ],
)
def test_what_is_wrong_is_found(cells: list[str], said: str) -> None:
    [problem] = problems(cells)
    assert said in problem


def test_a_file_a_glob_a_function_and_a_method_are_names() -> None:
    for name in (
        "tests/docs/test_security.py",
        "tests/docs/test_*.py",
        "tests/docs/",
        "tests/docs/test_security.py::test_every_test_that_is_named_exists",
        "postkit/testing/suite/secrecy.py::SecrecyConformance::test_no_secret_comes_out",
    ):
        assert problems(["a", "b", f"`{name}`"]) == [], name

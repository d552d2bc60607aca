"""The guide to plugins quotes the example, word for word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/postkit-chat/"
BLOCKS = re.findall(
    r"^```(?:python|toml)\n(.*?)^```$",
    (ROOT / "docs" / "plugin.md").read_text("utf-8"),
    re.DOTALL | re.MULTILINE,
)


def test_the_guide_quotes_each_file_that_its_reader_writes() -> None:
    quoted = {block.partition("\n")[0].removeprefix(f"# {EXAMPLE}") for block in BLOCKS}
    package = "postkit_chat/"
    assert quoted == {
        "pyproject.toml",
        f"{package}plugin.py",
        f"{package}limits.py",
        f"{package}consent.py",
        f"{package}login.py",
        f"{package}emulator.py",
        "tests/test_conformance.py",
    }


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_snippet_is_in_the_file_that_it_names(block: str) -> None:
    name, _, code = block.partition("\n")
    assert name.startswith(f"# {EXAMPLE}"), f"{name}: name the file in a comment"
    assert code.strip()
    assert code in (ROOT / name.removeprefix("# ")).read_text("utf-8"), f"{name} reads otherwise"


def test_the_example_is_small_and_says_that_it_is_imaginary() -> None:
    folder = ROOT / EXAMPLE / "postkit_chat"
    assert len((folder / "plugin.py").read_text("utf-8").splitlines()) <= 150
    assert len((folder / "emulator.py").read_text("utf-8").splitlines()) <= 200
    assert "imaginary" in (ROOT / EXAMPLE / "README.md").read_text("utf-8")
    assert "imaginary" in (folder / "limits.py").read_text("utf-8")

"""The page for programs runs as it stands, and names the hooks as they are."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from postkit import hookspecs
from postkit.kit import Kit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "embedding.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_code_is_one_program_that_runs(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("\n".join(BLOCKS), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in (
        r"mastodon:shop live http://127\.0\.0\.1:\S+",
        r"bluesky:shop live \S+",
        r"ourselves d_\S+ is live",
        r"acme d_\S+ is live",
        r"There is no publication or delivery p_\S+; `postkit list` shows them\.",
    ):
        assert re.search(f"^{line}$", done.stdout, re.MULTILINE), (line, done.stdout)
    assert "pk_canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["postkit_changed", "postkit_account_needs_login"])
def test_an_observers_hooks_are_named_with_their_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
    assert f"`{name}({arguments})`" in PAGE


def test_every_method_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`kit\.(\w+)", PAGE))
    for block in BLOCKS:
        named |= {
            node.attr
            for node in ast.walk(ast.parse(block))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("kit", "acme", "beta", "tenant")
        }
    assert len(named) >= 8
    for name in named:
        assert hasattr(Kit, name), f"docs/embedding.md names kit.{name}"

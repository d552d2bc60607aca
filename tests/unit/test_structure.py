"""The core knows no network, and its folders only look downwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "postkit").rglob("*.py"))
NETWORKS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())
WORDS = {"x", "threads"}
"""Names that are words too: only a literal that is exactly the name speaks of the network."""
HOSTS = (
    "twitter.com",
    "x.com",
    "t.co",
    "graph.facebook",
    "facebook.com",
    "reddit.com",
    "redd.it",
    "bsky.",
    "mastodon.social",
    "joinmastodon",
)


def literals(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    # Between the values of an f-string, a letter such as the sign for "times" names nothing.
    pieces = {
        id(piece)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for piece in node.values
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if id(node) not in docstrings and not (id(node) in pieces and node.value in WORDS):
            yield node.lineno, node.value


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def test_there_are_networks_and_a_core_to_check() -> None:
    assert {"x", "facebook", "reddit", "mastodon", "bluesky"} <= set(NETWORKS)
    assert len(CORE) > 50


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_names_no_network(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    found = []
    for line, text in literals(path):
        lower = text.lower()
        found += [
            f"{name}:{line}: {text!r}"
            for network in NETWORKS
            if (text == network if network in WORDS else network in lower)
        ]
        found += [f"{name}:{line}: {text!r}" for host in HOSTS if host in lower]
    assert not found


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_no_plugin(path: Path) -> None:
    found = [
        f"{path}:{line}: {module}"
        for line, module in imports(path)
        if module.startswith("postkit_")
    ]
    assert not found


def test_every_folder_of_a_network_has_the_same_anatomy() -> None:
    for network in NETWORKS:
        folder = ROOT / "plugins" / network
        package = folder / f"postkit_{network}"
        assert (folder / "README.md").is_file(), f"{network} has no README.md"
        assert list((folder / "tests").glob("test_*.py")), f"{network} has no tests"
        assert (package / "plugin.py").is_file(), f"{network} has no plugin.py"
        assert (package / "limits.py").is_file(), f"{network} has no limits.py"
        assert (package / "py.typed").is_file(), f"{network} has no py.typed"
        emulator = package / "emulator"
        assert emulator.is_dir() or emulator.with_suffix(".py").is_file(), f"{network}: no emulator"

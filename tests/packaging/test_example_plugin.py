"""The example plugin beside the wheel, as its author would install it, and a broken one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
EXAMPLE = Path(__file__).parents[2] / "examples" / "postkit-chat"
BROKEN = """
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"
[project]
name = "postkit-broken"
version = "0.3.0"
[project.entry-points."postkit.networks"]
broken = "postkit_broken"
[project.entry-points."postkit.emulators"]
broken = "postkit_broken"
"""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: nothing of the clone is around it, and building leaves nothing in the clone."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "dist")
    return shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "x", ignore=ignored)


@pytest.fixture(scope="module")
def programs(
    wheel: Path, example: Path, install: Install, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    broken = tmp_path_factory.mktemp("broken")
    (broken / "pyproject.toml").write_text(BROKEN, encoding="utf-8")
    (broken / "postkit_broken").mkdir()
    module = broken / "postkit_broken" / "__init__.py"
    module.write_text("raise RuntimeError('no such luck')\n", encoding="utf-8")
    return install(str(wheel), f"{example}[test]", str(broken))


@pytest.fixture
def home(programs: Path, run: Run, tmp_path: Path) -> Path:
    """A home whose owner has enabled both."""
    for name in ("postkit-chat", "broken"):
        done = run(programs / "postkit", "plugins", "enable", name, "--yes", home=tmp_path)
        assert done.returncode == 0, done.stderr
    return tmp_path


def test_it_is_not_loaded_before_it_is_enabled(programs: Path, run: Run, tmp_path: Path) -> None:
    done = run(programs / "postkit", "plugins", "--json", "--load", home=tmp_path)
    rows = json.loads(done.stdout)["plugins"]
    states = {(row["distribution"], row["state"]) for row in rows}
    assert {("postkit-chat", "not_enabled"), ("postkit-broken", "not_enabled")} <= states
    for words in (("networks", "chat"), ("connect", "chat"), ("publish", "Hi", "--to", "chat",
                                                              "--emulate")):  # fmt: skip
        done = run(programs / "postkit", *words, home=tmp_path)
        assert done.returncode == 1
        assert "`postkit plugins enable postkit-chat`" in done.stderr


def test_it_is_among_the_plugins(programs: Path, run: Run, home: Path) -> None:
    done = run(programs / "postkit", "plugins", "--json", "--load", home=home)
    rows = json.loads(done.stdout)["plugins"]
    mine = [row for row in rows if row["name"] == "chat"]
    assert {row["group"] for row in mine} == {"postkit.networks", "postkit.emulators"}
    assert [(r["distribution"], r["state"], r["reason"]) for r in mine] == [
        ("postkit-chat", "loaded", "")
    ] * 2


def test_its_limits_are_shown(programs: Path, run: Run, home: Path) -> None:
    done = run(programs / "postkit", "networks", "chat", home=home)
    assert done.returncode == 0, done.stderr
    assert "400 graphemes" in done.stdout
    assert "--credential token=" in done.stdout


def test_it_can_be_rehearsed(programs: Path, run: Run, home: Path) -> None:
    words = ("publish", "--text", "Hello", "--to", "chat,bluesky", "--emulate", "--yes", "--json")
    done = run(programs / "postkit", *words, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    states = {d["network"]: d["state"] for d in json.loads(done.stdout)["deliveries"]}
    assert states == {"chat": "live", "bluesky": "live"}


def test_its_own_tests_run(programs: Path, example: Path, run: Run) -> None:
    some = "identified or arrives_whole or lose_answer"
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", some)
    done = run(programs / "python", *words, home=example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_a_broken_one_breaks_only_itself(programs: Path, run: Run, home: Path) -> None:
    program = programs / "postkit"
    done = run(program, "plugins", "--json", "--load", home=home)
    assert done.returncode == 1
    rows = json.loads(done.stdout)["plugins"]
    reasons = {row["reason"] for row in rows if row["name"] == "broken"}
    assert reasons == {"The plugin broken could not be loaded: RuntimeError: no such luck"}
    loaded = {row["name"] for row in rows if row["state"] == "loaded"}
    assert {"chat", "mastodon", "bluesky"} <= loaded

    done = run(program, "networks", "broken", home=home)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("could not be loaded: RuntimeError: no such luck")
    done = run(program, "networks", "--json", home=home)
    assert done.returncode == 0, done.stderr
    errors = {row["name"]: row["error"] for row in json.loads(done.stdout)["networks"]}
    assert "no such luck" in errors["broken"]
    assert errors["chat"] is None
    assert errors["bluesky"] is None

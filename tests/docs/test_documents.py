"""What is written agrees with what is built."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from postkit import hookspecs
from postkit.cli.main import COMMANDS
from postkit.config import parse_config
from postkit.deliver import caps
from postkit.plugins import Plugins

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("plugins/*/README.md")]
)


def test_the_limits_tables_are_the_data() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "limits_tables.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}: run tools/limits_tables.py"


def test_every_command_that_a_document_names_exists() -> None:
    known = set(COMMANDS)
    for page in PAGES:
        text = page.read_text("utf-8")
        code = re.findall(r"`([^`\n]+)`", text) + [
            line
            for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
            for line in block.split("\n")
        ]
        for name in re.findall(r"(?:^|bin/)postkit ([a-z][a-z-]+)", "\n".join(code), re.MULTILINE):
            assert name in known, f"{page.name} names `postkit {name}`"


def test_every_file_that_a_document_links_exists() -> None:
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (page.parent / target).exists(), f"{page.name} links {target}"


def test_the_readme_opens_with_the_two_commands() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    first, second = blocks[0].strip(), blocks[1].strip()
    assert "\n" not in first + second
    assert first.endswith(".venv/bin/postkit demo")
    assert second.endswith(".venv-tests/bin/tox")


def test_ci_runs_the_same_tests_as_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert '/tests/bin/tox"\n' in script


def test_every_exit_status_is_in_the_readme() -> None:
    rows = {int(number) for number in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert rows == {0, 1, 2, 3, 4, 70, 75}


def test_the_settings_of_the_readme_are_settings() -> None:
    [block] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    config = parse_config(block)
    assert config.default == config.group("launch")
    expected = {"account": "shop", "read_timeout": 20, "cap_per_day": 100}
    assert config.network("mastodon") == expected
    for name, settings in config.networks.items():
        network = Plugins().network(name)
        known = {"account", "read_timeout", *caps.NAMES, *network.settings}
        known |= {"card"} if network.limits.cards is not None else set()
        assert set(settings) <= known, name
    assert set(config.networks) == {"mastodon", "bluesky", "facebook"}


def test_the_extras_are_the_networks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    networks = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()}
    assert set(project["entry-points"]["postkit.networks"]) == networks
    assert set(project["entry-points"]["postkit.emulators"]) == networks
    assert networks <= set(project["optional-dependencies"])
    for network in networks:
        assert f"plugins/{network}/README.md" in README


@pytest.mark.parametrize("name", [n for n in dir(hookspecs) if n.startswith("postkit_")])
def test_every_hook_says_when_it_is_called(name: str) -> None:
    text = getattr(hookspecs, name).__doc__ or ""
    assert text.startswith("Called "), name


def test_every_hook_is_called_by_somebody() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "postkit").rglob("*.py"))
    for name in (n for n in dir(hookspecs) if n.startswith("postkit_")):
        assert source.count(name) > 1, f"{name} is specified and never called"

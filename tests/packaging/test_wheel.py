"""The wheel, as a stranger installs it: every plugin and every data file is in it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]
NETWORKS = sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def program(wheel: Path, install: Install) -> Path:
    return install(f"{wheel}[all]") / "postkit"


def test_it_holds_each_package_and_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    data = [
        "postkit/py.typed",
        "postkit/store/migrations/0001_initial.sql",
        "postkit/limits/tlds.txt",
        "postkit/limits/emoji.txt",
        "postkit/emulator/page.css",
        "postkit/demo/launch.md",
        "postkit/demo/rocket.jpg",
        "postkit/demo/team.jpg",
        "postkit/schemas/commands.v1.json",
        "postkit/schemas/report.v1.json",
    ]
    for network in NETWORKS:
        data += [f"postkit_{network}/plugin.py", f"postkit_{network}/py.typed"]
    assert [name for name in data if name not in names] == []


def test_it_holds_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"postkit", *(f"postkit_{network}" for network in NETWORKS)}


def test_its_plugins_are_the_folders_and_load(program: Path, run: Run, tmp_path: Path) -> None:
    done = run(program, "plugins", "--load", "--json", home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)["plugins"]
    for group in ("postkit.networks", "postkit.emulators"):
        loaded = sorted(r["name"] for r in rows if r["group"] == group and r["state"] == "loaded")
        assert loaded == NETWORKS


def test_its_demo_runs(program: Path, run: Run, tmp_path: Path) -> None:
    done = run(program, "demo", "--json", home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    states = {d["network"]: d["state"] for d in report["deliveries"]}
    assert states == dict.fromkeys(NETWORKS, "live")
    assert all(d["parts"][0]["url"] for d in report["deliveries"])


def test_without_an_sdk_one_network_is_missing_and_says_what_to_install(
    wheel: Path, install: Install, run: Run, tmp_path: Path
) -> None:
    program = install(str(wheel)) / "postkit"
    done = run(program, "networks", "x", home=tmp_path)
    assert done.returncode == 1
    assert "pip install 'postkit-social[x]'" in done.stderr
    assert run(program, "networks", "bluesky", home=tmp_path).returncode == 0
    for command in (["demo"], ["emulate", "--json"], ["publish", "Hi", "--to", "x", "--emulate"]):
        done = run(program, *command, home=tmp_path)
        assert done.returncode == 1, done.stderr
        assert "pip install 'postkit-social[all]'" in done.stderr
        assert "defect" not in done.stderr
    assert "error:" in run(program, "demo", home=tmp_path).stderr

"""The wheel, built once, and programs in fresh environments."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Installs what pip understands into a fresh environment; the folder of its programs."""

    def into_a_fresh_environment(*what: str) -> Path:
        folder = tmp_path_factory.mktemp("fresh") / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", *what]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return folder / "bin"

    return into_a_fresh_environment


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program in ``home``, away from the clone: nothing is found there by accident."""

    def run_in(program: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "POSTKIT_HOME": str(home)}
        env.pop("PYTHONPATH", None)
        command = [str(program), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=home, env=env, check=False
        )

    return run_in

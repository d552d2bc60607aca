"""The examples run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import postkit

ROOT = Path(__file__).parents[2]


def test_the_program_that_embeds_postkit_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "embed.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "mastodon:shop live http://127.0.0.1:" in done.stdout
    assert "bluesky:shop live " in done.stdout
    assert "pk_canary" not in done.stdout + done.stderr


def test_the_post_to_publish_is_the_demos_and_plans(tmp_path: Path) -> None:
    file = ROOT / "examples" / "launch" / "launch.md"
    assert file.resolve() == ROOT / "postkit" / "demo" / "launch.md"
    post = postkit.Post.from_file(file)
    assert [len(part.media) for part in post.parts] == [1, 1]
    done = subprocess.run(
        [sys.executable, "-m", "postkit", "publish", file, "--emulate", "--yes"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "POSTKIT_HOME": str(tmp_path / "home")},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    networks = ("x", "facebook", "reddit", "mastodon", "bluesky")
    for network in networks:
        assert f"✓ {network}:emulated" in done.stdout

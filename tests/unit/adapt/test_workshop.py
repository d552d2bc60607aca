"""Copies of videos: there as long as somebody has them, bounded, and gone with their process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from postkit.adapt.scratch import Scratch
from postkit.adapt.workshop import Workshop

MAKE = """
import sys, time
from postkit.adapt.workshop import Workshop
made = Workshop().path("clip.mp4")
made.write_bytes(b"x")
print(made, flush=True)
"""


def file_of(shop: Workshop[Path], name: str, size: int = 60) -> Path:
    def make() -> Path:
        path = shop.path(f"{name}.mp4")
        path.write_bytes(bytes(size))
        return path

    return shop.get(name, make)


def started(temporary: Path, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_was_used_last_is_kept_and_what_is_in_use_stays() -> None:
    shop: Workshop[Path] = Workshop(130)
    used = file_of(shop, "used")
    gone, kept = str(file_of(shop, "b")), str(file_of(shop, "c"))
    assert Path(gone).exists()
    assert str(file_of(shop, "b")) == gone
    # Forgotten by now, but somebody has it.
    assert used.read_bytes() == bytes(60)
    assert file_of(shop, "used") != used
    assert not Path(kept).exists()
    path = str(used)
    del used
    assert not Path(path).exists()
    assert len(list(Path(gone).parent.parent.glob("*/used.mp4"))) == 1


def test_one_that_is_larger_than_the_bound_is_kept_for_now() -> None:
    shop: Workshop[Path] = Workshop(10)
    assert file_of(shop, "a").exists()
    first = str(file_of(shop, "b"))
    assert file_of(shop, "b").exists()
    assert str(file_of(shop, "b")) == first


@pytest.mark.parametrize("what", ["file", "folder", "everything"])
def test_what_a_cleaner_took_is_made_again(what: str) -> None:
    shop: Workshop[Path] = Workshop()
    first = file_of(shop, "a")
    if what == "file":
        first.unlink()
    else:
        shutil.rmtree(first.parent if what == "folder" else first.parent.parent)
    assert file_of(shop, "a").read_bytes() == bytes(60)
    assert file_of(shop, "b").exists()


@pytest.mark.parametrize("name", ["日" * 83 + ".webm", "v" * 300, "." * 300, "a." + "b" * 300, ""])
def test_a_name_leaves_room_for_longer_ones(name: str) -> None:
    path = Workshop[Path]().path(name)
    assert 0 < len(os.fsencode(path.name)) <= 100
    path.write_bytes(b"x")
    assert name != "日" * 83 + ".webm" or path.suffix == ".webm"


def test_a_process_ends_clean_and_leaves_nothing(tmp_path: Path) -> None:
    out, err = (process := started(tmp_path, MAKE)).communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.strip().endswith("clip.mp4")
    assert not list(tmp_path.iterdir())


def test_an_interrupted_program_leaves_nothing(tmp_path: Path) -> None:
    code = "from postkit.cli import main\nmain._leave(130)"
    process = started(tmp_path, MAKE + code)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


def test_the_next_process_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    waits = MAKE + "time.sleep(600)"
    killed, living = started(tmp_path, waits), started(tmp_path, waits)
    assert killed.stdout is not None
    assert living.stdout is not None
    left, used = Path(killed.stdout.readline().strip()), Path(living.stdout.readline().strip())
    # Others' folders: without a number, of this process, and one that a stranger holds.
    for name in ("postkit-abc", "postkit-page-1"):
        (tmp_path / name).mkdir()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left.exists()
    assert started(tmp_path, MAKE).communicate(timeout=60)[1] == ""
    assert not left.parent.parent.exists()
    assert used.exists()
    living.kill()
    living.communicate()
    names = {path.name for path in tmp_path.iterdir()} - {used.parent.parent.name}
    assert names == {"postkit-abc", "postkit-page-1"}


def test_a_number_that_means_nothing_here_is_no_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container the numbers of other processes are unknown: the lock tells."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = Scratch()
    used = living.file("a.mp4")
    unknown = tmp_path / "postkit-999999999-aaaa"
    used.parent.parent.rename(unknown)
    other = Scratch()
    other.file("b.mp4")
    assert unknown.exists()
    os.close(living._descriptor or 0)
    Scratch().file("c.mp4")
    assert not unknown.exists()
    other.clear()


def test_a_fork_takes_nothing_from_its_parent(tmp_path: Path) -> None:
    code = """
import os, sys
child = os.fork()
if child == 0:
    own = Workshop().path("own.mp4")
    assert own.parent.parent != made.parent.parent
    del made
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert made.exists()
"""
    process = started(tmp_path, MAKE + code)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0
    assert not list(tmp_path.iterdir())

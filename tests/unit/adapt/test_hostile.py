"""Files that were made to hurt: one sentence each, in little memory, and none takes us down."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from postkit.adapt import images, sandbox
from postkit.adapt.images import fit
from postkit.adapt.sandbox import Broken, Sandbox
from postkit.errors import InputError
from postkit.limits.model import ImageLimit
from postkit.testing.pictures import picture

ROOT = Path(__file__).parents[3]
MOST_MIB = 256


def test_each_is_refused_in_one_sentence_and_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "hostile.py"), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(done.stdout)
    assert len(rows) > 30
    for row in rows:
        assert "error" not in row, row
        assert len(row["said"]) == 1, row
        assert row["file"].removesuffix(" as video") in row["said"][0]
        assert row["mib"] < MOST_MIB, row


def child(module: str, tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox whose child runs ``code`` for each call."""
    lines = "\n    ".join(code.splitlines())
    (tmp_path / f"{module}.py").write_text(
        "import os, sys, time\n"
        "from postkit.adapt.sandbox import *\n"
        "confine(int(sys.argv[1]))\n"
        "while wait_for_call(float(sys.argv[3])):\n"
        "    call = read_frame(sys.stdin.buffer)\n"
        "    if call is None: break\n"
        "    allow_cpu(int(sys.argv[2]))\n"
        f"    {lines}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return Sandbox(module, cpu=1, wall=20.0)


def test_a_child_that_computes_for_ever_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spinning = child("spinning", tmp_path, "while True: pass", monkeypatch)
    with pytest.raises(Broken, match="processor time"):
        spinning.call({}, b"x")


def test_a_child_that_sleeps_for_ever_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeping = child("sleeping", tmp_path, "time.sleep(600)", monkeypatch)
    sleeping._wall = 0.5
    with pytest.raises(Broken):
        sleeping.call({}, b"x")


def test_a_child_that_crashes_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "if call[1] == b'die': os.abort()\nwrite_frame(sys.stdout.buffer, {}, call[1])"
    dying = child("dying", tmp_path, code, monkeypatch)
    assert dying.call({}, b"one") == ({}, b"one")
    with pytest.raises(Broken, match="crashed"):
        dying.call({}, b"die")
    assert dying.call({}, b"two") == ({}, b"two")
    dying.close()


def test_a_child_that_is_idle_goes_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "IDLE", 0.2)
    code = "write_frame(sys.stdout.buffer, os.getpid(), b'')"
    idle = child("idle", tmp_path, code, monkeypatch)
    first, _ = idle.call({}, b"")
    running = idle._child
    assert running is not None
    running.wait(timeout=20)
    second, _ = idle.call({}, b"")
    assert first != second
    idle.close()


def test_a_child_may_write_no_file_and_sees_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "written"
    code = (
        "try:\n"
        "    import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"    with open({str(target)!r}, 'wb', 0) as file: file.write(b'x')\n"
        "    done = True\n"
        "except OSError:\n"
        "    done = False\n"
        "write_frame(sys.stdout.buffer, [done, 'POSTKIT_KEY' in os.environ], b'')"
    )
    monkeypatch.setenv("POSTKIT_KEY", "pk_canary_in_the_environment")
    writing = child("writing", tmp_path, code, monkeypatch)
    assert writing.call({}, b"")[0] == [False, False]
    writing.close()


def test_what_takes_too_much_memory_is_one_sentence(
    pictures: ImageLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Sandbox("postkit.adapt.sandboxed", memory=200 * 1024 * 1024)
    monkeypatch.setattr(images, "_SANDBOX", small)
    try:
        with pytest.raises(InputError, match=r"^big\.png: ") as caught:
            fit(picture(3, (9_000, 9_000)), "big.png", "", pictures)
        assert len(caught.value.problems) == 1
        attachment, _ = fit(picture(4), "small.png", "", pictures)
        assert attachment.size > 0
    finally:
        small.close()


def test_threads_share_a_child(pictures: ImageLimit) -> None:
    names: list[str] = []

    def one(number: int) -> None:
        attachment, _ = fit(picture(900 + number), f"{number}.png", "", pictures)
        names.append(attachment.sha256)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 8

"""A process is called dead only where that is certain."""

from __future__ import annotations

import os
import subprocess
import sys

from postkit.deliver.owner import is_dead, this_process


def of(pid: int | str, start: str = "1", boot: str | None = None) -> str:
    host, here, _, _ = this_process().split("/")
    return f"{host}/{boot or here}/{pid}/{start}"


def ended() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_this_process_lives() -> None:
    assert not is_dead(this_process())


def test_one_that_has_ended_is_dead() -> None:
    assert is_dead(of(ended()))


def test_a_number_that_is_used_again_is_another_process() -> None:
    assert is_dead(of(os.getpid(), "1"))


def test_before_a_restart_of_the_machine_is_dead() -> None:
    assert is_dead(of(os.getpid(), boot="other.1"))


def test_another_container_of_this_machine_cannot_be_known() -> None:
    boot = this_process().split("/")[1].partition(".")[0]
    assert not is_dead(of(ended(), boot=f"{boot}.1"))


def test_another_machine_cannot_be_known() -> None:
    assert not is_dead("elsewhere/boot.1/1/1")
    assert not is_dead("rubbish")

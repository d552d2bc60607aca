"""The fixtures for programs that embed postkit, used as such a program would."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from postkit import Kit, Post
from postkit.emulator.server import EmulatorServer


def test_a_program_publishes(postkit_kit: Kit, postkit_emulator: EmulatorServer) -> None:
    networks = [account.network for account in postkit_emulator.accounts()]
    assert [account.label for account in postkit_kit.accounts] == [
        f"{name}:emulated" for name in sorted(networks)
    ]
    network = networks[0]
    report = postkit_kit.publish(Post("Hello from a test"), to=[f"{network}:emulated"])
    assert report.ok
    assert [post.text for post in postkit_emulator.posts()] == ["Hello from a test"]


def test_every_test_begins_empty(postkit_kit: Kit, postkit_emulator: EmulatorServer) -> None:
    assert postkit_emulator.posts() == []
    assert postkit_kit.publications() == []


def test_an_asynchronous_program_publishes(
    postkit_kit: Kit, postkit_emulator: EmulatorServer
) -> None:
    network = postkit_emulator.accounts()[0].network
    report = asyncio.run(postkit_kit.apublish("Hello from a loop", to=[f"{network}:emulated"]))
    assert report.ok
    assert len(postkit_emulator.posts(network)) == 1


def test_loading_the_fixtures_imports_nothing_heavy() -> None:
    """pytest loads them for every project in whose environment postkit is."""
    code = (
        "import pytest, sys; before = set(sys.modules); import postkit.testing.fixtures; "
        "print(*sorted(set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert loaded <= {"postkit", "postkit.testing", "postkit.testing.fixtures"}, loaded

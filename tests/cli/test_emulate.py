"""`postkit emulate` and `postkit demo`, as processes of their own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .program import Program, states


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: subprocess.Popen[str], by: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(by)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def emulator(program: Program, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = program.start("emulate", "--json", *arguments)
    line = first_line(process)
    assert line, process.stderr and process.stderr.read()
    told: dict[str, Any] = json.loads(line)
    return process, told


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_once_it_answers_and_ends_quietly(
    postkit: Program, by: signal.Signals
) -> None:
    process, told = emulator(postkit)
    with urllib.request.urlopen(told["url"] + "/_postkit/posts", timeout=10) as answer:
        assert json.load(answer) == {"posts": []}
    names = {account["network"] for account in told["accounts"]}
    assert {"x", "facebook", "reddit", "mastodon", "bluesky"} <= names
    assert all(account["endpoint"].startswith(told["url"]) for account in told["accounts"])
    assert all(account["credentials"] for account in told["accounts"])
    assert ended(process, by) == (0, "", "")
    assert not postkit.home.exists()


def test_connect_makes_accounts_that_work_and_keeps_them(postkit: Program) -> None:
    process, _ = emulator(postkit, "--connect")
    listed = postkit("accounts", "--json").json["accounts"]
    assert {"mastodon:emulated", "bluesky:emulated"} <= {row["account"] for row in listed}
    assert postkit("publish", "Hi", "--to", "mastodon:emulated").status == 0
    assert ended(process, signal.SIGTERM) == (0, "", "")
    open_one = postkit("publish", "Ho", "--to", "mastodon:emulated", "--wait", "0", "--json")
    assert open_one.status == 75
    process, told = emulator(postkit, "--connect")
    assert postkit("finish", open_one.report["publication"]).status == 0
    with urllib.request.urlopen(told["url"] + "/_postkit/posts", timeout=10) as answer:
        assert [post["text"] for post in json.load(answer)["posts"]] == ["Ho"]
    ended(process, signal.SIGTERM)


def test_connect_makes_a_key_where_there_is_none(
    postkit: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POSTKIT_KEY")
    process, _ = emulator(postkit, "--connect")
    assert (postkit.home / "key").exists()
    assert ended(process, signal.SIGTERM)[0] == 0


def test_connect_makes_no_second_key_for_a_vault_that_has_one(
    postkit: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    postkit.connect("mastodon")
    monkeypatch.delenv("POSTKIT_KEY")
    refused = postkit.process("emulate", "--connect")
    assert refused.status == 1
    assert refused.errors[0].startswith(f"error: The key of {postkit.home / 'vault'} is missing")
    assert not (postkit.home / "key").exists()


def test_for_people_it_says_where_and_how_to_end(postkit: Program) -> None:
    process = postkit.start("emulate")
    assert first_line(process).startswith("The emulator answers at http://127.0.0.1:")
    while "Ctrl-C ends it." not in first_line(process):
        assert process.poll() is None
    assert ended(process, signal.SIGINT) == (0, "", "")


def test_a_port_that_is_taken(postkit: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = postkit.process("emulate", "--port", str(port))
    assert result.status == 2
    assert result.errors == [
        f"error: Port {port} cannot be used (Address already in use); choose another."
    ]


def test_the_demo_publishes_everywhere_and_touches_no_home(
    postkit: Program, tmp_path: Path
) -> None:
    result = postkit.process("demo", "--json", timeout=120, TMPDIR=str(tmp_path))
    assert result.status == 0, result.err
    found = states(result.report)
    assert set(found) >= {"x", "facebook", "reddit", "mastodon", "bluesky"}
    assert set(found.values()) == {"live"}
    assert result.report["page"]
    assert result.err == ""
    assert not postkit.home.exists()


def test_a_rehearsal_of_a_part_sends_the_rest(postkit: Program) -> None:
    long = ("--text", "word " * 90, "--no-split", "--to", "x,mastodon", "--emulate")
    refused = postkit("publish", *long)
    assert (refused.status, refused.out) == (1, "")
    result = postkit("publish", *long, "--partial", "--json")
    assert result.status == 1
    assert states(result.json) == {"mastodon": "live"}
    assert any(line.startswith("Not sent: x:emulated") for line in result.json["warnings"])

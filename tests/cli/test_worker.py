"""`postkit worker`: what is due goes out once, and its end says what became of it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .program import Program, wait_for
from .test_bad_store import locked

THREAD = "First.\n\n---\n\nSecond.\n\n---\n\nThird.\n"


def schedule(program: Program, text: str, at: str = "in 1s", *more: str) -> str:
    """Schedule a post for mastodon; the delivery's id."""
    given = ["publish", "--text", text, "--to", "mastodon", "--at", at, "--json", *more]
    result = program(*given)
    assert result.status == 0, result.err
    name: str = result.report["deliveries"][0]["id"]
    return name


def running(program: Program, *arguments: str) -> subprocess.Popen[str]:
    """A worker in a process of its own, from the moment that others know of it."""
    process = program.start("worker", "--json", *arguments)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr and process.stderr.read()
    assert json.loads(line)["event"] == "started"
    wait_for(lambda: program("queue", "--json").json["worker"])
    return process


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# Until nothing is due


def test_a_drain_sends_what_is_due_and_tells_it_line_by_line(mastodon: Program) -> None:
    name = schedule(mastodon, "Later")
    far = schedule(mastodon, "Much later", "in 2h")
    result = mastodon("worker", "--drain", "--wait", "5")
    assert result.status == 0
    [post] = mastodon.server.posts("mastodon")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert [row[1:] for row in rows] == [
        ["mastodon:mastodon", name, "sending", "-"],
        ["mastodon:mastodon", name, "live", post.url],
    ]
    for row in rows:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", row[0])
    began, ended = result.err.splitlines()
    assert began.startswith(f"{mastodon.home}: 2 deliveries to send, the next one due ")
    assert ended == "Nothing more to do now: 1 live."
    assert far in mastodon("queue").out
    assert mastodon("worker", "--drain", "--wait", "0").err.endswith("nothing was due.\n")


def test_a_drain_as_json_is_a_document_a_line(mastodon: Program) -> None:
    name = schedule(mastodon, "Later")
    result = mastodon("worker", "--drain", "--wait", "5", "--json")
    assert (result.status, result.err) == (0, "")
    start, *states, end = events(result.out)
    assert (start["event"], start["scheduled"], start["home"]) == (
        "started", 1, str(mastodon.home),
    )  # fmt: skip
    assert [(e["delivery"], e["state"]) for e in states] == [(name, "sending"), (name, "live")]
    assert states[-1]["url"] == mastodon.server.posts("mastodon")[0].url
    assert (end["event"], end["states"], end["status"]) == ("ended", {"live": 1}, 0)


def test_a_thread_arrives_whole_and_in_order(mastodon: Program) -> None:
    Path("a.md").write_text(THREAD, "utf-8")
    assert mastodon("publish", "a.md", "--to", "mastodon", "--at", "in 1s").status == 0
    result = mastodon("worker", "--drain", "--wait", "5")
    assert result.status == 0
    posts = mastodon.server.posts("mastodon")
    assert [post.text for post in posts] == ["First.", "Second.", "Third."]
    assert [post.parent for post in posts] == [None, posts[0].id, posts[1].id]
    assert [line.split("\t")[2].partition(" ")[2] for line in result.out.splitlines()] == [
        "1/3", "1/3", "2/3", "2/3", "3/3", "3/3",
    ]  # fmt: skip


# What became of it is the exit status


def test_what_is_refused(mastodon: Program) -> None:
    schedule(mastodon, "Too long for it")
    mastodon.server.set("mastodon", "max_characters", 5)
    result = mastodon("worker", "--drain", "--wait", "5")
    assert result.status == 1
    assert result.err.endswith("Nothing more to do now: 1 failed.\n")


def test_what_was_missed(mastodon: Program) -> None:
    name = schedule(mastodon, "Old news", "in 1s", "--expires", "1s")
    time.sleep(2.1)
    result = mastodon("worker", "--drain", "--wait", "0", "--json")
    assert result.status == 1, result
    assert [e["state"] for e in events(result.out)[1:-1]] == ["missed"]
    assert mastodon.writes() == 0
    assert mastodon("queue").out.split("\t")[:2] == [name, "missed"]
    assert mastodon("reschedule", name, "--at", "in 1s").status == 0
    assert mastodon("worker", "--drain", "--wait", "5").status == 0
    assert mastodon.texts() == ["Old news"]


def test_what_is_late_and_fresh_enough_is_sent(mastodon: Program) -> None:
    schedule(mastodon, "Late")
    time.sleep(1.1)
    assert mastodon("worker", "--drain", "--wait", "0").status == 0
    assert mastodon.texts() == ["Late"]


def test_what_is_uncertain(postkit: Program) -> None:
    postkit.server.set("mastodon", "version", "4.2.0 (compatible; Other 1.0)")
    postkit.server.set("mastodon", "idempotency", False)
    postkit.connect("mastodon")
    schedule(postkit, "Maybe")
    postkit.server.add_fault("mastodon", "lose_answer", accepted=False)
    assert postkit("worker", "--drain").status == 3
    assert postkit.creates() == 1


def test_what_waits_for_a_login_is_not_finished(mastodon: Program) -> None:
    schedule(mastodon, "Later")
    mastodon.server.add_fault("mastodon", "expire_token")
    assert mastodon("worker", "--drain", "--wait", "3").status == 75
    again = mastodon("worker", "--drain", "--wait", "0")
    assert again.status == 75
    assert again.err.endswith("Something is due that could not be sent; see `postkit queue`.\n")


def test_what_is_paused_is_held(mastodon: Program) -> None:
    schedule(mastodon, "Later")
    assert mastodon("pause", "--all").status == 0
    assert mastodon("worker", "--drain", "--wait", "3").status == 4
    assert mastodon.writes() == 0


def test_a_store_that_refuses_ends_a_drain(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTKIT_BUSY_TIMEOUT", "0.2")
    schedule(mastodon, "Later")
    with locked(mastodon):
        said = mastodon.fails(75, "worker", "--drain", "--wait", "3")
        assert "is locked by another program" in said
    assert mastodon("worker", "--drain", "--wait", "3").status == 0
    assert mastodon.texts() == ["Later"]


# Until it is stopped


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_sends_until_a_signal_and_then_ends_cleanly(
    mastodon: Program, by: signal.Signals
) -> None:
    process = running(mastodon)
    [warnings] = [
        mastodon("publish", "Soon", "--to", "mastodon", "--at", "in 1s", "--json").report[
            "warnings"
        ]
    ]
    assert warnings == []
    result = mastodon.interrupted(process, lambda: mastodon.texts() == ["Soon"], by)
    assert result.status == 0, result.err
    assert result.err.startswith("Stopping: what is on its way gets its answer.")
    assert [e["state"] for e in events(result.out)] in (["sending", "live"], ["sending"])
    assert mastodon("worker", "--drain", "--wait", "0").status == 0
    assert mastodon.creates() == 1
    assert (
        "Nothing will send it"
        in mastodon("publish", "Later", "--to", "mastodon", "--at", "in 2h").err
    )


def test_what_is_on_its_way_gets_its_answer(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "slow", seconds=1.5)
    name = schedule(mastodon, "Soon")
    process = running(mastodon)
    result = mastodon.interrupted(process, lambda: mastodon.creates() == 1, signal.SIGTERM)
    assert result.status == 0
    assert [e["state"] for e in events(result.out)] == ["sending", "live"]
    assert mastodon("show", name).status == 0


def test_a_second_signal_ends_it_at_once_and_nothing_is_sent_twice(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "hang", seconds=30, accepted=True)
    name = schedule(mastodon, "Soon")
    process = running(mastodon)
    wait_for(lambda: mastodon.creates() == 1)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Stopping: ")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    result = mastodon("worker", "--drain", "--wait", "5")
    assert result.status == 0, result
    assert mastodon.texts() == ["Soon"]
    assert mastodon("show", name).status == 0


def test_two_workers_send_each_post_once(mastodon: Program) -> None:
    names = [schedule(mastodon, f"Post {number}", "in 2s") for number in range(6)]
    workers = [running(mastodon), running(mastodon)]
    wait_for(lambda: len(mastodon.texts()) == len(names))
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=20)
        assert worker.returncode == 0
    assert mastodon.texts() == [f"Post {number}" for number in range(6)]
    assert mastodon.creates() == 6


def test_a_store_that_refuses_is_said_once_and_waited_for(
    mastodon: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTKIT_BUSY_TIMEOUT", "0.2")
    process = running(mastodon)
    schedule(mastodon, "Soon")
    assert process.stderr is not None
    with locked(mastodon):
        time.sleep(3)
        assert process.poll() is None
    refused, again = process.stderr.readline(), process.stderr.readline()
    assert refused.startswith("error: ")
    assert refused.endswith("It is tried again until it works.\n")
    assert again == "warning: The store can be used again.\n"
    wait_for(lambda: mastodon.texts() == ["Soon"])
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, len(err.splitlines())) == (0, 1), err


# Before it begins


def test_a_vault_that_cannot_be_opened(mastodon: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule(mastodon, "Later", "in 2h")
    monkeypatch.setenv("POSTKIT_KEY", "b" * 43 + "=")
    assert "was made with another key" in mastodon.fails(1, "worker")
    monkeypatch.delenv("POSTKIT_KEY")
    said = mastodon.fails(1, "worker", "--drain")
    assert said.startswith(f"The key of {mastodon.home / 'vault'} is missing: put back ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--drain", "--install"], "Give one of --drain, --install and --uninstall."),
        (["--wait", "5"], "--wait belongs to --drain; without it the worker runs until Ctrl-C."),
        (["--drain", "--wait", "-1"], "'-1' is no number of seconds"),
        (["--threads", "0"], "0 is not in the range"),
    ],
)
def test_flags_that_do_not_belong_together(postkit: Program, given: list[str], said: str) -> None:
    assert said in postkit.fails(2, "worker", *given)


def test_a_worker_that_is_killed_leaves_a_store_that_is_whole(mastodon: Program) -> None:
    schedule(mastodon, "Soon")
    process = running(mastodon)
    wait_for(lambda: mastodon.texts() == ["Soon"])
    process.kill()
    process.wait()
    assert mastodon("worker", "--drain", "--wait", "2").status == 0
    with sqlite3.connect(mastodon.home / "postkit.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert mastodon.creates() == 1

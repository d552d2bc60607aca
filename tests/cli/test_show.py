"""`postkit show`: every transition with its evidence, and at the end what to do."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from postkit.accounts.secret import Secret
from postkit.cli.next_step import Outlook, next_step
from postkit.cli.recorder import WORDS, evidence_lines, told
from postkit.deliver.actor import this_user
from postkit.deliver.states import DeliveryState, Event
from postkit.report import DeliveryReport, PartReport
from postkit.store.rows import HistoryRow

from .program import Program

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def published(program: Program, *arguments: str) -> dict[str, Any]:
    return program("publish", *arguments, "--json").report


def terminal(program: Program, *arguments: str) -> str:
    """What a terminal of 80 columns shows, without its colours."""
    import fcntl
    import pty
    import struct
    import termios

    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "postkit", *arguments],
        stdin=subprocess.DEVNULL, stdout=side, stderr=side, close_fds=True,
        env=program.environment(TERM="xterm-256color", COLUMNS=""),
    )  # fmt: skip
    os.close(side)
    sent = b""
    while True:
        try:
            piece = os.read(main, 65_536)
        except OSError:
            break
        if not piece:
            break
        sent += piece
    os.close(main)
    process.wait()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent.decode()).replace("\r", "")


# The words


def test_every_event_has_its_sentence_and_no_other_has() -> None:
    assert set(WORDS) == {"publish", *get_args(Event)}
    for said in WORDS.values():
        assert said.sentence[0].isupper()
        assert said.sentence.endswith(".")


def row(event: str, reason: str = "Because.", after: str | None = "LIVE") -> HistoryRow:
    return HistoryRow("d_1", "d_1.1", NOW, event, "SENDING", after, 1, reason, None)


def test_a_reason_is_told_where_it_adds_something() -> None:
    assert told(row("rejected", "Too long.")).endswith("for good. Too long.")
    assert "process" in told(row("claim", "This process took the part."))
    assert told(row("claim", "This process took the part.")).count("process") == 1
    assert told(row("conjured", "By a later version.")) == "conjured: By a later version."


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (None, []),
        ({"left": False, "seconds": 0.5}, ["did not leave (0.500 s)"]),
        ({"left": True, "status": None, "seconds": 1}, ["left; no whole answer came (1.000 s)"]),
        ({"left": False, "bytes": 54, "seconds": 0.5}, ["did not leave (0.500 s)"]),
        (
            {"left": True, "status": None, "bytes": 1054, "seconds": 1},
            ["left; no whole answer came (1.000 s), request of 1,054 bytes"],
        ),
        (
            {"left": True, "status": 201, "seconds": 0.25, "request_id": "r1", "answer": "a\n\tb"},
            ["answered 201 after 0.250 s, request id r1", "a b"],
        ),
    ],
)
def test_the_evidence_in_words(detail: dict[str, Any] | None, words: list[str]) -> None:
    if detail is not None:
        detail = {"request": "POST https://api.example.com/posts", **detail}
        words = ["POST https://api.example.com/posts", *words]
    assert [line.strip() for line in evidence_lines(detail, 4)] == words


def test_no_secret_and_no_control_character_is_printed() -> None:
    secret = Secret("pk_canary_show_secret")
    detail = {
        "request": f"GET https://x.example/{secret.reveal()}", "left": True, "status": 200,
        "seconds": 0, "request_id": secret.reveal(), "answer": f"\x1b[2J {secret.reveal()}",
    }  # fmt: skip
    text = "\n".join(evidence_lines(detail, 0))
    assert secret.reveal() not in text
    assert "\x1b" not in text


# The history


def test_it_tells_the_whole_history(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    for name in (report["publication"], report["deliveries"][0]["id"]):
        result = mastodon("show", name)
        assert result.status == 0
        found = re.findall(r"^  \d\d:\d\d:\d\d\.\d{3}  (#\d|  )  (\w+)", result.out, re.MULTILINE)
        assert found == [("  ", "claimed"), ("#1", "sending"), ("#1", "live")]
        assert "/api/v1/statuses\n" in result.out
        assert re.search(r"\n +answered 200 after \d+\.\d{3} s", result.out)
        assert result.out.rstrip().endswith("Nothing is left to do.")


def test_a_program_reads_the_same(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    shown = mastodon("show", report["publication"], "--json").report
    [[begun, *events]] = shown["history"].values()
    assert (begun["event"], begun["part"], begun["via"]) == ("publish", None, "cli")
    assert begun["actor"] == this_user()
    assert [event["after"] for event in events] == ["CLAIMED", "SENDING", "LIVE"]
    assert len({event["content"] for event in events}) == 1
    assert [event["attempt"] for event in events] == [0, 1, 1]
    assert [event["detail"] is None for event in events] == [True, True, False]
    detail = events[2]["detail"]
    assert detail["request"].startswith("POST http://127.0.0.1:")
    assert (detail["left"], detail["status"]) == (True, 200)
    [request] = [each for each in mastodon.server.requests("mastodon") if each.create]
    assert detail["bytes"] == request.bytes > 0
    assert shown["next"] == {}


def test_each_delivery_and_each_part_has_its_own_lines(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky")
    (postkit.home.parent / "thread.md").write_text("One\n\n---\n\nTwo\n", "utf-8")
    report = published(postkit, "thread.md", "--to", "mastodon,bluesky")
    out = postkit("show", report["publication"]).out
    for delivery in report["deliveries"]:
        _, _, rest = out.partition(f"\n{delivery['id']}  {delivery['address']}\n")
        lines = re.findall(r"^  \d\d:\d\d:\S+ +(\d)  (?:#\d|  ) +live", rest, re.MULTILINE)
        assert lines[:2] == ["1", "2"]


def test_where_it_went_live_stands_its_link_and_id(mastodon: Program) -> None:
    (mastodon.home.parent / "thread.md").write_text("One\n\n---\n\nTwo\n", "utf-8")
    mastodon.server.add_fault("mastodon", "lose_answer", accepted=True)
    report = published(mastodon, "thread.md", "--to", "mastodon")
    lines = mastodon("show", report["publication"]).out.splitlines()
    live = [n for n, line in enumerate(lines) if re.match(r"  \d\d:\S+ +\d +#1  live ", line)]
    posts = mastodon.server.posts("mastodon")
    assert ["Found at the network" in lines[n] for n in live] == [True, False]
    assert [lines[n + 1].strip() for n in live] == [f"{p.url}  id {p.id}" for p in posts]
    assert all(lines[n + 2].strip().split()[0] in ("GET", "POST") for n in live)


def test_a_lost_answer_is_told_from_the_request_to_what_was_found(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "lose_answer", accepted=True)
    report = published(mastodon, "One", "--to", "mastodon")
    out = mastodon("show", report["publication"]).out
    states = re.findall(r"^  \d\d:\S+  (?:#\d|  )  (in doubt|\w+)", out, re.MULTILINE)
    assert states[:3] == ["claimed", "sending", "in doubt"]
    assert states[-1] == "live"
    assert "left; no whole answer came" in out
    assert "It is live. Found at the network." in out


def test_it_fits_a_terminal_of_80_columns(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "lose_answer", accepted=True)
    report = published(mastodon, "Some words " * 20, "--to", "mastodon")
    lines = terminal(mastodon, "show", report["publication"]).splitlines()
    assert len(lines) > 10
    for line in lines:
        # Links stay whole, so that they can be copied.
        assert len(line) <= 80 or "http" in line, line
    assert any(line.endswith("... (--json shows more)") for line in lines)


def test_a_pipe_gets_plain_lines(mastodon: Program) -> None:
    report = published(mastodon, "Some words " * 20, "--to", "mastodon")
    out = mastodon("show", report["publication"]).out
    assert "\x1b" not in out
    assert "(--json shows more)" not in out


def test_a_second_post_is_shown_with_its_link(mastodon: Program) -> None:
    report = published(mastodon, "One", "--to", "mastodon")
    link = "https://social.example/@me/2"
    with closing(sqlite3.connect(mastodon.home / "postkit.db")) as raw, raw:
        raw.execute("UPDATE part SET copies = ?", (f'["{link}"]',))
    result = mastodon("show", report["publication"])
    assert link in result.err
    assert result.out.splitlines()[-1].startswith("Next: Look whether it is there twice")
    shown = mastodon("show", report["publication"], "--json").report
    assert shown["deliveries"][0]["copies"] == [link]
    assert link in shown["next"][report["deliveries"][0]["id"]]


# What to do


def delivery(state: DeliveryState, **more: Any) -> DeliveryReport:
    given = {"account": "board:me", "network": "board", "at": NOW, **more}
    return DeliveryReport(id="d_1", address="board:me", state=state, **given)


ALONE = Outlook(worked=False)
WORKED = Outlook(worked=True)
PAUSED = Outlook(worked=True, paused="board:me")
LINKS = ["https://b.example/1", "https://b.example/2"]
QUESTION = {"text": "Is it?", "links": LINKS, "part": 1}
FAILED = (PartReport("d_1.1", "LIVE", "1", None, ""), PartReport("d_1.2", "FAILED", None, None, ""))
GONE = {"kind": "refused", "message": "A person gave it up.", "code": "given_up"}
LIMIT = {
    "error": {"kind": "throttled", "message": "Slow.", "code": None},
    "retry_at": NOW + timedelta(minutes=10),
}
LOGIN = {"kind": "needs_login", "message": "No.", "code": None}


@pytest.mark.parametrize(
    ("given", "outlook", "words"),
    [
        (delivery("live"), ALONE, []),
        (delivery("cancelled"), ALONE, []),
        (
            delivery("live", copies=("https://b.example/2",)),
            ALONE,
            ["https://b.example/2", "twice"],
        ),
        (
            delivery("uncertain", question=QUESTION),
            ALONE,
            [*LINKS, "resolve d_1 --is-live URL", "resolve d_1 --resend", "--give-up"],
        ),
        (delivery("uncertain", question={"links": []}), ALONE, ["the posts of board:me"]),
        (delivery("held", held_reason="paused"), PAUSED, ["unpause board:me", "release d_1"]),
        (delivery("held", held_reason="paused"), WORKED, ["release d_1", "cancel d_1"]),
        (
            delivery("held", held_reason="paused"),
            Outlook(worked=True, paused="everything"),
            ["unpause --all", "release d_1"],
        ),
        (delivery("missed"), WORKED, ["reschedule d_1 --at WHEN", "cancel d_1"]),
        (delivery("scheduled"), ALONE, ["Run `postkit worker`", "2026-11-23 09:00:00 UTC"]),
        (delivery("scheduled"), WORKED, ["Nothing: a worker", "2026-11-23 09:00:00 UTC"]),
        (delivery("scheduled"), PAUSED, ["it will be held", "unpause board:me"]),
        (delivery("scheduled", overdue=True), ALONE, ["finish d_1"]),
        (delivery("scheduled", error=LOGIN), WORKED, ["connect board --name me --replace"]),
        (delivery("sending"), ALONE, ["finish d_1"]),
        (delivery("sending"), PAUSED, ["a worker is at it"]),
        (delivery("checking"), WORKED, ["a worker is at it"]),
        (delivery("checking"), ALONE, ["finish d_1"]),
        (delivery("checking"), PAUSED, ["a worker is at it"]),
        (delivery("scheduled", error=LOGIN), PAUSED, ["connect board --name me --replace"]),
        (delivery("scheduled", **LIMIT), ALONE, ["finish d_1", "2026-11-23 09:10:00 UTC"]),
        (delivery("scheduled", **LIMIT), WORKED, ["Nothing: a worker", "09:10:00 UTC"]),
        (delivery("scheduled", overdue=True), WORKED, ["a worker is at it"]),
        (delivery("scheduled", overdue=True), PAUSED, ["it will be held. ", "unpause board:me"]),
        (delivery("held", held_reason="objection"), WORKED, ["release d_1", "cancel d_1"]),
        (delivery("held", held_reason="earlier_part"), ALONE, ["part before", "cancel d_1"]),
        (delivery("failed", error=GONE), ALONE, []),
        (delivery("partly_live", error=GONE), ALONE, ["given up", "delete d_1"]),
        (delivery("partly_live", parts=FAILED, error=GONE), ALONE, ["given up", "delete d_1"]),
        (delivery("partly_live", parts=FAILED), ALONE, ["finish d_1 --retry", "delete d_1"]),
        (delivery("partly_live"), ALONE, []),
        (delivery("failed"), ALONE, ["finish d_1 --retry", "--to board:me"]),
    ],
)
def test_what_to_do(given: DeliveryReport, outlook: Outlook, words: list[str]) -> None:
    step = next_step(given, outlook)
    assert (step is None) == (not words)
    for word in words:
        assert word in (step or "")


def test_every_state_that_needs_somebody_says_what_to_do() -> None:
    quiet = {"planned", "live", "partly_live", "cancelled"}
    for state in get_args(DeliveryState):
        assert (next_step(delivery(state), ALONE) is None) == (state in quiet), state

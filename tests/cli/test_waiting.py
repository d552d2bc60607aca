"""What waits says for what and until when: a limit, a pause, the end of its freshness."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .program import Program
from .test_show import terminal
from .test_worker import running, schedule

DAY = (datetime.now(UTC) + timedelta(days=40)).date()


def limited(program: Program, seconds: int = 600) -> dict[str, Any]:
    """A post that met a limit of the network."""
    program.server.add_fault("mastodon", "rate_limit", seconds=seconds)
    result = program("publish", "Hello", "--to", "mastodon", "--wait", "0", "--json")
    assert result.status == 75
    delivery: dict[str, Any] = result.report["deliveries"][0]
    assert delivery["retry_at"] is not None
    return delivery


# Until when


def test_a_limit_is_named_with_its_end_everywhere(mastodon: Program) -> None:
    delivery = limited(mastodon)
    name, until = delivery["id"], datetime.fromisoformat(delivery["retry_at"])
    waits = f"waiting until {until:%H:%M:%S} UTC ("
    [row] = mastodon("queue").out.splitlines()
    assert row.split("\t")[1].startswith(waits)
    assert waits in terminal(mastodon, "queue")
    assert waits in terminal(mastodon, "list")
    shown = mastodon("show", name)
    assert re.search(
        rf"^    waits +until \w+ {until:%Y-%m-%d %H:%M}(:{until:%S})? UTC$", shown.out, re.M
    )
    assert shown.out.splitlines()[-1] == (
        f"Next: `postkit finish {name}` goes on at {until:%Y-%m-%d %H:%M:%S} UTC, or run "
        "`postkit worker`."
    )
    assert "due " not in shown.out


def test_an_edit_keeps_what_it_waits_for(mastodon: Program) -> None:
    name = limited(mastodon)["id"]
    before = mastodon("queue").out.split("\t")[1]
    assert mastodon("edit", name, "--text", "Other").status == 75
    assert mastodon("queue").out.split("\t")[1] == before


def test_an_edited_post_goes_out_once_with_the_new_text(mastodon: Program) -> None:
    name = limited(mastodon, seconds=2)["id"]
    mastodon("edit", name, "--text", "Other")
    assert mastodon("finish", name, "--wait", "10").status == 0
    assert mastodon("worker", "--drain", "--wait", "0").status == 0
    assert mastodon.texts() == ["Other"]
    assert mastodon.creates() == 2


# Pauses


@pytest.mark.parametrize(
    ("given", "paused", "end"),
    [
        (["mastodon"], "mastodon", "mastodon"),
        (["mastodon:mastodon"], "mastodon:mastodon", "mastodon:mastodon"),
        (["--all"], "everything", "--all"),
    ],
)
def test_the_pause_is_named_before_and_after_it_holds(
    mastodon: Program, given: list[str], paused: str, end: str
) -> None:
    name = schedule(mastodon, "Later", "in 1s")
    later = schedule(mastodon, "Much later", "in 2h")
    mastodon("pause", *given)
    assert mastodon("worker", "--drain", "--wait", "3").status == 4
    rows = {row.split("\t")[0]: row.split("\t")[1] for row in mastodon("queue").out.splitlines()}
    assert rows == {name: f"held (paused: {paused})", later: f"scheduled (paused: {paused})"}
    ends = f"{paused} is paused, so what is due is held: `postkit unpause {end}` first."
    assert ends in mastodon("queue").err.splitlines()
    assert f"{paused} is paused: `postkit unpause {end}` ends it." in mastodon("list").err
    listed = terminal(mastodon, "list")
    assert f"held (paused: {paused})" in listed
    assert f"scheduled (paused: {paused})" in listed
    held = mastodon("show", name).out
    assert f"held (paused: {paused})" in held
    assert (
        f"Next: `postkit unpause {end}` ends the pause of {paused}. Then `postkit release" in held
    )
    waits = mastodon("show", later)
    assert f"Next: {paused} is paused, so it will be held at " in waits.out
    assert f"{paused} is paused, so it will be held when it is due" in waits.err
    mastodon("unpause", *given)
    assert paused not in mastodon("queue").out.replace("mastodon:mastodon\t", "")
    assert "is paused" not in mastodon("queue").err + mastodon("list").err


# How late it may be


@pytest.mark.parametrize(
    ("given", "fresh"),
    [
        (["--expires", "90m"], f"until {DAY:%a} {DAY} 10:30 Asia/Tokyo"),
        (["--expires", "never"], "for ever"),
        (["--expires", "6h"], None),
        ([], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_how_late_it_may_be_is_echoed(
    mastodon: Program, given: list[str], fresh: str | None
) -> None:
    at = ["--at", f"{DAY} 9:00", "--zone", "Asia/Tokyo", *given]
    planned = mastodon("publish", "Later", "--to", "mastodon", *at, "--dry-run").out
    result = mastodon("publish", "Later", "--to", "mastodon", *at)
    name = mastodon("list", "--json").json["publications"][0]["publication"]
    shown = mastodon("show", name).out
    moved = mastodon("reschedule", name, "--at", f"{DAY} 9:00", "--zone", "Asia/Tokyo").out
    for text in (result.out, shown, moved):
        assert (f"\n    fresh    {fresh}\n" in text) == (fresh is not None), text
    for text in (result.err, planned):
        assert (f"fresh {fresh}" in text) == (fresh is not None), text
    expires = mastodon("show", name, "--json").report["deliveries"][0]["expires_at"]
    hours = {"90m": 1.5, "6h": 6.0}
    due = datetime.combine(DAY, datetime.min.time(), UTC)
    if given[1:] == ["never"]:
        assert expires is None
    else:
        span = timedelta(hours=hours[given[1]] if given else 6.0)
        assert datetime.fromisoformat(expires) == due + span


# What to do next


def test_each_next_step_is_a_command_that_works(mastodon: Program) -> None:
    """What `show` says last is typed in as it stands."""
    name = schedule(mastodon, "Later", "in 1s")
    mastodon("pause", "--all")
    assert mastodon("worker", "--drain", "--wait", "3").status == 4
    step = mastodon("show", name).out.splitlines()[-1]
    commands = [words.split()[1:] for words in re.findall(r"`(postkit [^`]+)`", step)]
    assert [words[0] for words in commands] == ["unpause", "release", "cancel"]
    for words in commands[:2]:
        assert mastodon(*words).status == 0
    assert mastodon.texts() == ["Later"]
    assert mastodon("show", name).out.endswith("Nothing is left to do.\n")


def test_a_refused_post_names_the_retry_that_works(mastodon: Program) -> None:
    mastodon.server.set("mastodon", "max_characters", 3)
    name = schedule(mastodon, "Too long", "in 1s")
    assert mastodon("worker", "--drain", "--wait", "3").status == 1
    step = mastodon("show", name).out.splitlines()[-1]
    [again] = [c.split()[1:] for c in re.findall(r"`(postkit finish [^`]+)`", step)]
    mastodon.server.set("mastodon", "max_characters", 500)
    assert mastodon(*again).status == 0
    assert mastodon.texts() == ["Too long"]


def test_with_a_worker_nothing_is_left_to_do(mastodon: Program) -> None:
    name = schedule(mastodon, "Later", "in 2h")
    assert "Next: Run `postkit worker`" in mastodon("show", name).out
    process = running(mastodon)
    assert "Next: Nothing: a worker goes on with it at " in mastodon("show", name).out
    process.kill()

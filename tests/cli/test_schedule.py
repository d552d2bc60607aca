"""Publishing later: --at, --zone, --expires, the same in a file; cancel, reschedule, edit."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postkit.testing.pictures import picture

from .program import Program, states

DAY = (datetime.now(UTC) + timedelta(days=40)).date()
"""Far enough ahead, whatever the zone. Tokyo has no clock changes: 9:00 is midnight UTC."""
TOKYO = ["--at", f"{DAY} 9:00", "--zone", "Asia/Tokyo"]
SPOKEN = f"{DAY:%a} {DAY} 09:00 Asia/Tokyo (00:00 UTC)"
ALONE = "Nothing will send it until `postkit worker` runs."


def scheduled(program: Program, *arguments: str | Path) -> dict[str, Any]:
    result = program("publish", *arguments, "--json")
    assert result.status == 0, result.err
    assert program.writes() == 0
    return result.report


def first(report: dict[str, Any]) -> dict[str, Any]:
    delivery: dict[str, Any] = report["deliveries"][0]
    return delivery


def test_the_time_is_echoed_with_zone_and_utc(postkit: Program) -> None:
    postkit.connect("mastodon", "bluesky")
    result = postkit("publish", "Later", "--to", "mastodon,bluesky", *TOKYO)
    assert result.status == 0
    lines = result.err.splitlines()
    assert lines[0].endswith(f": scheduled for {SPOKEN}, 2 addresses")
    assert lines[1:] == [f"warning: {ALONE}"]
    assert result.out.splitlines() == [
        "… mastodon:mastodon  scheduled",
        f"    due      {SPOKEN}",
        "… bluesky:bluesky  scheduled",
        f"    due      {SPOKEN}",
    ]
    assert postkit.writes() == 0


def test_as_json(mastodon: Program) -> None:
    result = mastodon("publish", "Later", "--to", "mastodon", *TOKYO, "--json")
    assert result.status == 0
    assert result.report["warnings"] == [ALONE]
    assert states(result.report) == {"mastodon": "scheduled"}
    assert first(result.report)["at"] == f"{DAY}T00:00:00+00:00"
    assert first(result.report)["zone"] == "Asia/Tokyo"
    assert f"scheduled for {SPOKEN}" in result.err


def test_it_returns_at_once(mastodon: Program) -> None:
    begun = time.monotonic()
    result = mastodon("publish", "Later", "--to", "mastodon", "--at", "in 20s")
    assert time.monotonic() - begun < 10
    assert result.status == 0
    assert mastodon.writes() == 0


def test_what_is_published_now_needs_no_worker(mastodon: Program) -> None:
    result = mastodon("publish", "Now", "--to", "mastodon", "--expires", "1h", "--json")
    assert (result.status, result.report["warnings"]) == (0, [])
    assert states(result.report) == {"mastodon": "live"}


def test_a_file_says_when_and_the_flag_wins(mastodon: Program) -> None:
    Path("a.md").write_text(
        f"---\nto: mastodon\nat: {DAY} 9:00\nzone: Asia/Tokyo\nexpires: never\n---\nFile\n", "utf-8"
    )
    report = scheduled(mastodon, "a.md")
    assert first(report)["at"] == f"{DAY}T00:00:00+00:00"
    other = scheduled(mastodon, "a.md", "--at", f"{DAY} 10:00", "--again")
    assert first(other)["at"] == f"{DAY}T01:00:00+00:00"
    third = scheduled(mastodon, "a.md", "--at", f"{DAY} 9:00", "--zone", "UTC", "--again")
    assert (first(third)["at"], first(third)["zone"]) == (f"{DAY}T09:00:00+00:00", "UTC")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--at", "4.1.2027"], ["Which day '4.1.2027' means cannot be told"]),
        (["--at", str(DAY)], ["has no time of day; write one"]),
        (["--at", "2020-01-01 9:00"], ["is past: it is ", "write a later time"]),
        (["--at", f"{DAY} 9:00", "--zone", "Tokio"], ["There is no zone 'Tokio'."]),
        (["--at", f"{DAY}T09:00+02:00", "--zone", "UTC"], ["leave out the zone or the offset"]),
        (["--at", "2027-03-28 2:30", "--zone", "Moon", "--expires", "x"], ["zone: ", "expires: "]),
        (["--zone", "UTC"], ["A zone needs a time: give one with --at"]),
        (["--expires", "soon"], ["expires: 'soon' is no time", "'6h'"]),
        (["--at", ""], ["--at is empty; give a time, or leave it out to publish now."]),
        (["--at", "in 2h", "--zone", " ", "--expires", ""], ["--zone is empty", "--expires is em"]),
    ],
)
def test_what_is_no_time(mastodon: Program, given: list[str], said: list[str]) -> None:
    told = mastodon.fails(2, "publish", "Hi", "--to", "mastodon", *given)
    for words in said:
        assert words in told
    assert "Nothing has been published" in mastodon("list").err


def test_a_wrong_time_in_a_file_has_its_line(mastodon: Program) -> None:
    Path("a.md").write_text("---\nto: mastodon\nat: soon\nexpires: 6\n---\nHi\n", "utf-8")
    told = mastodon.fails(2, "publish", "a.md").splitlines()
    assert [line[: line.index(": ", 8)] for line in told] == ["a.md:3: at", "a.md:4: expires"]
    Path("a.md").write_text("---\nto: mastodon\nat: 2020-01-01 9:00\n---\nHi\n", "utf-8")
    assert mastodon.fails(2, "publish", "a.md").startswith("at: '2020-01-01 9:00' is past")
    assert mastodon("publish", "a.md", "--at", "in 2h").status == 0


def test_a_dry_run_tells_the_time_and_a_rehearsal_does_not_wait(mastodon: Program) -> None:
    given = ["publish", "Later", "--to", "mastodon", *TOKYO]
    shown = mastodon(*given, "--dry-run")
    assert shown.out.rstrip().endswith(f"A dry run: nothing was sent. It would be due {SPOKEN}.")
    planned = mastodon(*given, "--dry-run", "--json").report
    assert (first(planned)["state"], first(planned)["zone"]) == ("planned", "Asia/Tokyo")
    assert first(planned)["at"] == f"{DAY}T00:00:00+00:00"
    rehearsed = mastodon(*given, "--emulate", "--json")
    assert rehearsed.status == 0
    assert states(rehearsed.report) == {"mastodon": "live"}
    assert rehearsed.err == f"A rehearsal sends at once, not on {SPOKEN}.\n"
    assert "at: " not in mastodon.fails(2, *given[:-4], "--at", "soonish", "--emulate")
    assert "Nothing has been published" in mastodon("list").err


def test_a_name_that_was_used_schedules_once(mastodon: Program) -> None:
    given = ["publish", "Later", "--to", "mastodon", "--once", "order-1"]
    report = scheduled(mastodon, *given[1:], *TOKYO)
    again = mastodon(*given, "--at", "in 5h", "--json")
    assert again.status == 0
    assert again.report == report
    assert f"Scheduled before ({report['publication']}); nothing was sent now." in again.err
    assert mastodon(*given).status == 0
    assert mastodon.writes() == 0


def test_where_an_address_refuses_nothing_is_scheduled(postkit: Program) -> None:
    postkit.connect("mastodon", "facebook")
    given = ["publish", "--text", "word " * 180, "--to", "mastodon,facebook", "--no-split", *TOKYO]
    assert "Nothing was sent." in postkit.fails(1, *given)
    result = postkit(*given, "--partial", "--json")
    assert result.status == 1
    assert states(result.report) == {"facebook": "scheduled"}


# What is not sent yet is changed


def test_cancel(mastodon: Program) -> None:
    report = scheduled(mastodon, "Later", "--to", "mastodon", *TOKYO)
    result = mastodon("cancel", report["publication"])
    assert (result.status, result.out) == (0, "– mastodon:mastodon  cancelled\n")
    told = mastodon.fails(2, "cancel", first(report)["id"])
    assert "is left to cancel; `postkit show" in told
    assert mastodon("worker", "--drain", "--wait", "0").status == 0
    assert mastodon.writes() == 0
    other = scheduled(mastodon, "Other", "--to", "mastodon", *TOKYO)
    gone = mastodon("cancel", first(other)["id"], "--json")
    assert states(gone.report) == {"mastodon": "cancelled"}


def test_what_is_live_is_not_cancelled(mastodon: Program) -> None:
    result = mastodon("publish", "Now", "--to", "mastodon", "--json")
    name = first(result.report)["id"]
    assert f"`postkit delete {name}` removes what is live" in mastodon.fails(2, "cancel", name)
    for given in (["reschedule", name, "--at", "in 2h"], ["edit", name, "--text", "No"]):
        assert "ed: it is live; `postkit show d_" in mastodon.fails(2, *given)
    assert mastodon.texts() == ["Now"]


def test_reschedule_keeps_the_zone_and_how_late_it_may_be(mastodon: Program) -> None:
    report = scheduled(mastodon, "Later", "--to", "mastodon", *TOKYO, "--expires", "never")
    name = first(report)["id"]
    moved = mastodon("reschedule", name, "--at", f"{DAY} 10:00")
    assert moved.status == 0
    spoken = SPOKEN.replace("09:00", "10:00").replace("(00:00", "(01:00")
    assert f"    due      {spoken}\n" in moved.out
    assert moved.err == f"warning: {ALONE}\n"
    other = mastodon("reschedule", name, "--at", f"{DAY} 10:00", "--zone", "UTC", "--json").report
    assert (first(other)["at"], first(other)["zone"]) == (f"{DAY}T10:00:00+00:00", "UTC")
    assert mastodon("reschedule", name, "--at", "in 1s").status == 0
    assert _expires(mastodon, name) is None
    assert mastodon("reschedule", name, "--at", "in 1s", "--expires", "2h").status == 0
    assert _expires(mastodon, name) == 7_200_000_000
    assert mastodon("worker", "--drain", "--wait", "5").status == 0
    assert mastodon.texts() == ["Later"]


def _expires(program: Program, name: str) -> int | None:
    """Microseconds after the due time."""
    import sqlite3

    with sqlite3.connect(program.home / "postkit.db") as connection:
        sql = "SELECT expires_at - due_at FROM part WHERE delivery_id = ?"
        [(late,)] = connection.execute(sql, (name,)).fetchall()
    connection.close()
    return int(late) if late is not None else None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--at", "2020-01-01 9:00"], "is past"),
        (["--at", "soon"], "'soon'"),
        (["--at", " "], "--at is empty"),
        (["--at", "in 2h", "--expires", "x"], "'6h'"),
        ([], "Missing option '--at'"),
    ],
)
def test_reschedule_refuses_what_is_no_time(mastodon: Program, given: list[str], said: str) -> None:
    report = scheduled(mastodon, "Later", "--to", "mastodon", *TOKYO)
    name = first(report)["id"]
    assert said in mastodon.fails(2, "reschedule", name, *given)
    assert mastodon("show", name, "--json").report["deliveries"] == report["deliveries"]


def test_edit_replaces_the_content_and_nothing_else(mastodon: Program) -> None:
    Path("cat.jpg").write_bytes(picture(1, (64, 48), "JPEG"))
    name = first(scheduled(mastodon, "Old", "--to", "mastodon", "--at", "in 1s"))["id"]
    Path("new.md").write_text("---\nto: bluesky\nat: in 9h\n---\nNew.\n\n---\n\nMore.\n", "utf-8")
    result = mastodon("edit", name, "new.md", "--media", "cat.jpg", "--alt", "A cat", "--json")
    assert result.status in (0, 75), result
    assert len(first(result.report)["parts"]) == 2
    assert f"The time stays; `postkit reschedule {name} --at WHEN` changes it." in result.err
    assert mastodon("worker", "--drain", "--wait", "5").status == 0
    posts = mastodon.server.posts("mastodon")
    assert [post.text for post in posts] == ["New.", "More."]
    assert [image.alt for image in posts[0].media] == ["A cat"]
    assert posts[1].parent == posts[0].id


def test_an_edit_that_cannot_be_changes_nothing(mastodon: Program) -> None:
    name = first(scheduled(mastodon, "Old", "--to", "mastodon", *TOKYO))["id"]
    assert "What shall it say?" in mastodon.fails(2, "edit", name)
    assert "there is no such file" in mastodon.fails(2, "edit", name, "gone.md")
    told = mastodon.fails(1, "edit", name, "--text", "word " * 180, "--no-split")
    assert told.startswith("mastodon:mastodon: ")
    result = mastodon("edit", name, "--text", "word " * 180, "--no-split", "--json")
    assert result.report["error"]["kind"] == "plan_refused"
    [row] = json.loads(mastodon("queue", "--json").out)["deliveries"]
    assert (row["id"], row["state"], len(row["parts"])) == (name, "scheduled", 1)
    assert mastodon("queue").out.rstrip().endswith("\tOld")


@pytest.mark.parametrize(
    "given", [["cancel"], ["reschedule", "--at", "in 2h"], ["edit", "--text", "Hi"]]
)
def test_an_id_that_is_none(mastodon: Program, given: list[str]) -> None:
    command, *more = given
    said = mastodon.fails(2, command, "p_0", *more)
    assert said == "There is no publication or delivery p_0; `postkit list` shows them."


def test_the_same_text_that_is_to_come_is_cancelled_and_not_deleted(mastodon: Program) -> None:
    mastodon("publish", "Later", "--to", "mastodon", "--at", "in 2h")
    said = mastodon.fails(1, "publish", "Later", "--to", "mastodon")
    assert "The same text is to go there within a day" in said
    assert "`postkit cancel d_" in said


def test_a_publication_is_moved_without_what_is_over(mastodon: Program) -> None:
    mastodon("publish", "One", "--to", "mastodon", "--at", "in 2h", "--zone", "Europe/Berlin")
    [row] = json.loads(mastodon("queue", "--json").out)["deliveries"]
    assert row["zone"] == "Europe/Berlin"
    moved = mastodon("reschedule", row["id"], "--at", "in 3h", "--json").report
    assert moved["deliveries"][0]["zone"] == "Europe/Berlin"
    mastodon("cancel", row["id"])
    assert "cannot be rescheduled: it is cancelled" in mastodon.fails(
        2, "reschedule", row["id"], "--at", "in 4h"
    )

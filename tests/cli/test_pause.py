"""`postkit pause`, `unpause` and `release`: the brake, and what it has held."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from .program import Program, states


@pytest.fixture
def two(postkit: Program) -> Program:
    """Two networks, an account each."""
    postkit.connect("mastodon", "bluesky")
    return postkit


def held(program: Program, text: str = "Held", to: str = "mastodon") -> str:
    """A post that fell due while its address was paused; its delivery."""
    result = program("publish", text, "--to", to, "--json")
    assert result.status == 4, result
    [delivery] = result.report["deliveries"]
    assert (delivery["state"], delivery["held_reason"]) == ("held", "paused")
    return str(delivery["id"])


def stuck(program: Program, state: str) -> str:
    """A delivery whose request has left already."""
    report = program("publish", "On its way", "--to", "mastodon", "--at", "in 3h", "--json").report
    [delivery] = report["deliveries"]
    with closing(sqlite3.connect(program.home / "postkit.db")) as raw, raw:
        raw.execute(
            "UPDATE part SET state = ?, owner = 'elsewhere/1.1/1/1' WHERE delivery_id = ?",
            (state, delivery["id"]),
        )
    return str(delivery["id"])


# What is paused


def test_a_paused_address_is_held_and_others_are_not(two: Program) -> None:
    result = two("pause", "mastodon", "--reason", "an accident")
    assert result.status == 0
    assert result.out.startswith("paused  mastodon  (an accident)\n")
    report = two("publish", "Hello", "--to", "mastodon,bluesky", "--json")
    assert report.status == 4
    assert states(report.report) == {"mastodon": "held", "bluesky": "live"}
    assert two.texts("mastodon") == []
    shown = two("show", report.report["publication"]).out
    assert "mastodon is paused: an accident." in shown
    assert "`postkit unpause mastodon`" in shown


@pytest.mark.parametrize(
    "given", [["--all"], ["mastodon"], ["mastodon:mastodon"], ["@most"], ["bluesky", "mastodon"]]
)
def test_everything_a_network_an_account_a_group_or_several(two: Program, given: list[str]) -> None:
    two.settle('[groups]\nmost = ["mastodon:mastodon", "bluesky:bluesky"]\n')
    assert two("pause", *given).status == 0
    held(two)
    assert two("unpause", *given, "--send").status == 0
    assert two.texts() == []
    [publication] = two("list", "--json").json["publications"]
    assert two("finish", publication["publication"]).status == 0
    assert two.texts() == ["Held"]


def test_the_list_of_what_is_paused(two: Program) -> None:
    assert two("pause", "--list").err == "Nothing is paused.\n"
    assert two("pause", "--list", "--json").json == {"paused": []}
    two("pause", "mastodon", "--reason", "one")
    two("pause", "mastodon", "bluesky:bluesky", "--reason", "two")
    rows = [line.split("\t") for line in two("pause", "--list").out.splitlines()]
    assert [(row[0], row[2]) for row in rows] == [("mastodon", "two"), ("bluesky:bluesky", "two")]
    listed = two("pause", "--list", "--json").json["paused"]
    assert [row["address"] for row in listed] == ["mastodon", "bluesky:bluesky"]
    for row in listed:
        since = datetime.fromisoformat(row["since"])
        assert abs((datetime.now(UTC) - since).total_seconds()) < 60


@pytest.mark.parametrize("state", ["SENDING", "IN_DOUBT"])
def test_what_has_left_already_is_listed(two: Program, state: str) -> None:
    name = stuck(two, state)
    two("publish", "Later", "--to", "bluesky", "--at", "in 3h")
    two("publish", "Later", "--to", "mastodon", "--at", "in 3h")
    shows = {"SENDING": "sending", "IN_DOUBT": "checking"}[state]
    out = two("pause", "mastodon").out
    assert "may be or become live (1)" in out
    assert f"  {name}  mastodon:mastodon  {shows}\n" in out
    assert "1 scheduled post " in out
    told = two("pause", "--all", "--json").json
    assert [delivery["id"] for delivery in told["on_their_way"]] == [name]
    assert told["scheduled"] == 2
    assert [row["address"] for row in told["paused"]] == ["mastodon", "everything"]
    assert two("pause", "bluesky", "--json").json["on_their_way"] == []


def test_where_nothing_has_left_that_is_said(two: Program) -> None:
    assert "\nNothing is on its way.\n" in two("pause", "--all").out


# What is refused


@pytest.mark.parametrize("verb", ["pause", "unpause"])
def test_who_names_nothing_changes_nothing(two: Program, verb: str) -> None:
    assert "--all for everything" in two.fails(2, verb)
    assert "Give one" in two.fails(2, verb, "mastodon", "--all")
    assert two("pause", "--list", "--json").json["paused"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["pause", "mastodn"], "Did you mean"),
        (["pause", "mastodon:nobody"], "there is no account"),
        (["pause", "@nobody"], "There is no group"),
        (["pause", "--list", "--all"], "--list"),
        (["pause", "--list", "mastodon"], "--list"),
        (["unpause", "mastodon"], "mastodon is not paused; paused: nothing."),
        (["unpause", "--all"], "Nothing is paused"),
        (["release", "p_0"], "p_0"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(two: Program, given: list[str], said: str) -> None:
    assert said in two.fails(2, *given)
    result = two(*given, "--json")
    assert result.report["error"]["message"]


def test_one_wrong_address_pauses_none(two: Program) -> None:
    said = two.fails(2, "pause", "mastodon", "mastodn", "x:nobody")
    assert len(said.splitlines()) == 2
    assert two("pause", "--list", "--json").json["paused"] == []


def test_what_is_not_held_cannot_be_released(two: Program) -> None:
    report = two("publish", "Hello", "--to", "mastodon", "--json").report
    assert "is held" in two.fails(2, "release", report["publication"])


# After the pause


def test_unpause_sends_nothing_and_lists_it(two: Program) -> None:
    two("pause", "--all")
    first, second = held(two, "One"), held(two, "Two", "bluesky")
    result = two("unpause", "--all")
    assert result.status == 0
    assert result.out.splitlines()[:2] == [
        "ended   everything",
        "Held, and not sent before you say so (2):",
    ]
    for name in (first, second):
        assert f"postkit release {name}\n" in result.out
    for name in (first, second):
        assert two("finish", name).status == 4
    assert two.texts() == []
    # Asked once more, it says so once more.
    assert first in two("unpause", "--all").out


def test_release_sends_one(two: Program) -> None:
    two("pause", "--all")
    first, second = held(two, "One"), held(two, "Two", "bluesky")
    two("unpause", "--all")
    result = two("release", first, "--json")
    assert result.status == 0
    assert states(result.report) == {"mastodon": "live"}
    assert two.texts() == ["One"]
    assert two("show", second, "--json").report["deliveries"][0]["state"] == "held"


def test_release_waits_for_the_end_of_the_pause(two: Program) -> None:
    two("pause", "mastodon")
    name = held(two)
    two("pause", "--all")
    two("unpause", "mastodon")
    assert "everything is paused" in two.fails(2, "release", name)
    two("unpause", "--all")
    assert two("release", name).status == 0


def test_unpause_send_frees_what_was_held(two: Program) -> None:
    two("pause", "mastodon")
    name = held(two)
    result = two("unpause", "mastodon", "--send")
    assert f"Sent from now on (1):\n  {name}  mastodon:mastodon\n" in result.out
    assert "postkit worker" in result.err
    assert two("finish", name).status == 0
    assert two.texts() == ["Held"]


def test_what_another_pause_covers_stays_held(two: Program) -> None:
    two("pause", "mastodon")
    name = held(two)
    two("pause", "--all")
    told = two("unpause", "mastodon", "--send", "--json").json
    assert (told["ended"], told["paused"]) == (["mastodon"], ["everything"])
    assert told["sent"] == []
    assert [delivery["id"] for delivery in told["held"]] == [name]
    told = two("unpause", "--all", "--send", "--json").json
    assert [delivery["id"] for delivery in told["sent"]] == [name]
    assert told["warnings"]


def test_held_posts_can_be_sent_after_an_unpause_without_send(two: Program) -> None:
    two("pause", "--all")
    name = held(two)
    two("unpause", "--all")
    for given in (["--all"], ["mastodon"]):
        told = two("unpause", *given, "--json").json
        assert [delivery["id"] for delivery in told["held"]] == [name]
    told = two("unpause", "mastodon", "--send", "--json").json
    assert [delivery["id"] for delivery in told["sent"]] == [name]


def test_a_thread_goes_on_where_it_was_stopped(two: Program) -> None:
    (two.home.parent / "thread.md").write_text("One\n\n---\n\nTwo\n\n---\n\nThree\n", "utf-8")
    two.server.add_fault("mastodon", "rate_limit", skip=1, seconds=1)
    result = two("publish", "thread.md", "--to", "mastodon", "--wait", "0", "--json")
    [delivery] = result.report["deliveries"]
    assert [part["state"] for part in delivery["parts"]] == ["LIVE", "SCHEDULED", "SCHEDULED"]
    two("pause", "--all")
    assert two("finish", delivery["id"], "--wait", "3").status == 4
    two("unpause", "--all")
    assert two("release", delivery["id"]).status == 0
    assert two.texts() == ["One", "Two", "Three"]


@pytest.mark.parametrize("spelled", ["reddit/postkit_demo", "reddit:reddit/Postkit_Demo"])
def test_one_target_is_paused_and_another_is_not(postkit: Program, spelled: str) -> None:
    postkit.connect("reddit")
    assert postkit("pause", spelled).status == 0
    given = ["publish", "--text", "Body", "--title", "T", "--json", "--to"]
    assert postkit(*given, "reddit/postkit_demo").status == 4
    assert postkit(*given, "reddit/postkit_media").status == 0
    assert len(postkit.texts("reddit")) == 1

"""What people read: a plan's options and quota, openings, deleted posts, lines to copy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from postkit.terms import span
from postkit.testing.pictures import picture

from .program import Program

LONG = "Eine lange Zeile\nund noch eine, die nicht mehr in die Liste passt."


def test_a_dry_run_shows_the_options_once_for_each_address(postkit: Program) -> None:
    postkit.connect("reddit", "mastodon")
    shown = postkit(
        "publish", "--text", "Body", "--title", "T", "--to", "reddit/postkit_demo,mastodon",
        "--set", "reddit.flair=News", "--set", "reddit.nsfw=yes", "--dry-run",
    )  # fmt: skip
    assert shown.status == 0, shown.err
    options = [line for line in shown.out.splitlines() if line.startswith("    option ")]
    assert sorted(options) == ["    option   flair News", "    option   nsfw yes"]


def test_options_of_a_thread_are_shown_once(postkit: Program) -> None:
    postkit.connect("x")
    shown = postkit(
        "publish", "--text", " ".join(f"Word {n}." for n in range(90)), "--to", "x",
        "--set", "x.reply_settings=following", "--dry-run",
    )  # fmt: skip
    assert "part 2 of " in shown.out
    assert shown.out.count("    option   reply_settings following\n") == 1


def test_a_dry_run_as_json_shows_what_would_be_sent(postkit: Program) -> None:
    postkit.connect("x")
    Path("cat.jpg").write_bytes(picture(1, (64, 48), "JPEG"))
    given = ["publish", "Hello", "--to", "x", "--media", "cat.jpg", "--alt", "A cat", "--json"]
    [delivery] = postkit(*given, "--dry-run").report["deliveries"]
    assert delivery["quota"] == "100 posts of an account in 15 min"
    [part] = delivery["parts"]
    assert (part["id"], part["state"], part["text"]) == (None, "PLANNED", "Hello")
    [image] = part["media"]
    assert image.pop("size") > 0
    assert image == {
        "name": "cat.jpg", "kind": "image", "mime": "image/jpeg", "width": 64, "height": 48,
        "seconds": None, "alt": "A cat",
    }  # fmt: skip
    [sent] = postkit(*given).report["deliveries"]
    assert "quota" not in sent
    assert set(sent["parts"][0]) == {"id", "state", "remote_id", "url"}


def test_a_quota_is_said_in_words(postkit: Program) -> None:
    postkit.connect("x")
    shown = postkit("publish", "Hello", "--to", "x", "--dry-run")
    assert "    quota    100 posts of an account in 15 min\n" in shown.out


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (90, "90 s"), (300, "5 min"), (5400, "90 min"), (3600, "1 hour"),
     (7200, "2 hours"), (86_400, "1 day"), (172_800, "2 days")],
)  # fmt: skip
def test_a_time_is_said_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    assert span(seconds) == words


def test_list_and_show_begin_with_what_it_was(mastodon: Program) -> None:
    report = mastodon("publish", "--text", LONG, "--to", "mastodon", "--json").report
    [row] = [line.split("\t") for line in mastodon("list").out.splitlines()]
    assert row[5] == "Eine lange Zeile und noch eine, die nich..."
    first = mastodon("show", report["deliveries"][0]["id"]).out.splitlines()[0]
    assert re.fullmatch(
        rf"{report['publication']}  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC  {re.escape(row[5])}",
        first,
    )


def test_what_is_deleted_is_one_line(mastodon: Program) -> None:
    report = mastodon("publish", "Hi", "--title", "T", "--to", "mastodon", "--json").report
    result = mastodon("delete", report["publication"])
    assert result.out == "– mastodon:mastodon  deleted\n"
    assert "lost" not in mastodon("show", report["publication"]).out
    [delivery] = mastodon("show", report["publication"], "--json").report["deliveries"]
    assert (delivery["state"], len(delivery["losses"])) == ("cancelled", 1)


def test_the_lines_that_choose_an_account_can_be_copied(postkit: Program) -> None:
    postkit.connect("mastodon", name="shop")
    postkit.connect("mastodon", name="private")
    said = postkit.fails(2, "publish", "Hi", "--to", "mastodon")
    sentence, _, lines = said.partition("\n")
    assert "there are 2 accounts; name one of " in sentence
    assert sentence.endswith(", or set a default in postkit.toml:")
    chosen = tomllib.loads(lines)["networks"]["mastodon"]["account"]
    assert chosen in ("shop", "private")
    postkit.settle(lines)
    assert f"mastodon:{chosen}" in postkit("publish", "Hi", "--to", "mastodon").out


@pytest.mark.parametrize(("name", "group"), [("lanch", "lanch"), ("a.b", "launch")])
def test_the_lines_that_make_a_group_can_be_copied(
    mastodon: Program, name: str, group: str
) -> None:
    said = mastodon.fails(2, "publish", "Hi", "--to", f"@{name}")
    sentence, _, lines = said.partition("\n")
    assert sentence.startswith(f"There is no group @{name}.")
    assert list(tomllib.loads(lines)["groups"]) == [group]


def test_a_name_that_was_used_is_said(mastodon: Program) -> None:
    given = ["publish", "Hi", "--to", "mastodon", "--once", "order-4711"]
    assert "Sent before" not in mastodon(*given).err
    again = mastodon(*given)
    assert re.fullmatch(r"Sent before \(p_\w+\); nothing was sent now\.\n", again.err)
    assert mastodon.creates() == 1


def test_a_name_that_was_used_and_is_not_finished_goes_on(mastodon: Program) -> None:
    mastodon.server.add_fault("mastodon", "lose_answer", accepted=False)
    given = ["publish", "Hi", "--to", "mastodon", "--once", "order-4711"]
    assert mastodon(*given, "--wait", "0").status == 75
    again = mastodon(*given)
    assert again.status == 0
    assert "and not finished; going on with it." in again.err
    assert "Sent before" not in again.err
    assert mastodon.texts() == ["Hi"]
